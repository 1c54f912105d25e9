"""A real Apache Kafka on this machine, for trying things out, for the demo and for tests; no Java, no containers."""

from pipeline.kafka.local.cluster import LocalCluster, Status
from pipeline.kafka.local.distribution import KAFKA_VERSION
from pipeline.kafka.local.error import LocalKafkaError
from pipeline.kafka.local.layout import cache_directory, state_directory
from pipeline.kafka.local.progress import Progress

__all__ = [
    "KAFKA_VERSION",
    "LocalCluster",
    "LocalKafkaError",
    "Progress",
    "Status",
    "cache_directory",
    "state_directory",
]
