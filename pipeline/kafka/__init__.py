"""Kafka: the only place that knows aiokafka, and the only one that knows Kafka's traps.

Taken from aiokafka are its connections, its wire format and its record codec. Its producer, consumer and
admin client are not used: their background tasks cannot be ended while a broker is silent, and a call of
theirs has no end of its own. Here a call does its work in the caller's task, has a deadline, and ends in one
of the named errors; cancelling it leaves nothing behind. `wire` is the foundation, `transaction` and `group`
are the two protocols on it, and the classes below are what the rest of the program uses.
"""

from pipeline.kafka.errors import Fenced, KafkaProblem, OutcomeUnknown, Refused, Unreachable
from pipeline.kafka.membership import Membership
from pipeline.kafka.producer import Producer
from pipeline.kafka.reader import Reader
from pipeline.kafka.records import KafkaRecord
from pipeline.kafka.settings import KafkaSettings
from pipeline.kafka.topics import Admin, Difference, Member

__all__ = [
    "Admin",
    "Difference",
    "Fenced",
    "KafkaProblem",
    "KafkaRecord",
    "KafkaSettings",
    "Member",
    "Membership",
    "OutcomeUnknown",
    "Producer",
    "Reader",
    "Refused",
    "Unreachable",
]
