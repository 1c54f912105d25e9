"""What a reader gets."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KafkaRecord:
    """One record of a topic.

    Attributes:
        topic: its full name.
        partition: of the topic.
        offset: in the partition.
        timestamp_ms: when the broker appended it, Unix time in milliseconds.
        key: of the record.
        value: of the record; none is a tombstone.
        headers: names and bytes, in order; a header without a value has empty bytes.
    """

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]]
