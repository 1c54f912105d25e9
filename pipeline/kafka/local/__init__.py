"""A real Apache Kafka on this machine, for the demo, for tests and for trying things out."""

from pipeline.kafka.local.cluster import LocalCluster, Status
from pipeline.kafka.local.distribution import KAFKA_VERSION
from pipeline.kafka.local.error import LocalKafkaError
from pipeline.kafka.local.layout import cache_directory, state_directory
from pipeline.kafka.local.logs import follow
from pipeline.kafka.local.progress import Progress

__all__ = [
    "KAFKA_VERSION",
    "LocalCluster",
    "LocalKafkaError",
    "Progress",
    "Status",
    "cache_directory",
    "follow",
    "state_directory",
]
