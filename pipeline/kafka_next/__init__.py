"""Kafka: the only place that knows aiokafka, and the only one that knows Kafka's traps.

aiokafka's producer, consumer and admin client do the work. What they lack is here: every call has a deadline
and ends in one of the named errors, closing never hangs, and nothing is left behind in the event loop.
`client` holds what all of them share, with every reach into aiokafka's inside that closing takes.
"""

from pipeline.kafka_next.admin import Admin, Difference
from pipeline.kafka_next.errors import Fenced, KafkaProblem, OutcomeUnknown, Refused, Unreachable
from pipeline.kafka_next.membership import Membership
from pipeline.kafka_next.producer import Producer
from pipeline.kafka_next.reader import Reader
from pipeline.kafka_next.records import KafkaRecord
from pipeline.kafka_next.settings import KafkaSettings

__all__ = [
    "Admin",
    "Difference",
    "Fenced",
    "KafkaProblem",
    "KafkaRecord",
    "KafkaSettings",
    "Membership",
    "OutcomeUnknown",
    "Producer",
    "Reader",
    "Refused",
    "Unreachable",
]
