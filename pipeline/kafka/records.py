"""Records on their way in: from the bytes of a fetch to what a reader gets."""

from collections import deque
from collections.abc import Iterator
from itertools import islice
from typing import Any, NamedTuple

from aiokafka.record.memory_records import MemoryRecords

from pipeline.kafka.errors import Refused


class KafkaRecord(NamedTuple):
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


class Chunk:
    """The bytes that one fetch brought of one partition, decoded no further than somebody asks.

    What aborted transactions wrote, and the marks at the end of transactions, are passed over.

    Args:
        topic: its full name.
        partition: of the topic.
        position: the offset that was asked for; batches may begin before it.
        data: batches as the broker stores them.
        aborted: of each aborted transaction that reaches into the data, producer id and first offset.
    """

    def __init__(
        self, topic: str, partition: int, position: int, data: bytes, aborted: list[tuple[int, int]]
    ) -> None:
        self.position = position
        """The offset after everything that was taken or passed over."""
        self._topic = topic
        self._partition = partition
        self._batches = MemoryRecords(data)
        self._aborted = deque(sorted(aborted, key=lambda each: each[1]))
        self._records = self._walk()

    def take(self, count: int) -> list[KafkaRecord]:
        """Give the next records, fewer only at the end of the data.

        Raises:
            Refused: the data do not match their checksum.
        """
        return list(islice(self._records, count))

    def _walk(self) -> Iterator[KafkaRecord]:
        dropped: set[int] = set()
        while self._batches.has_next():
            batch = self._batches.next_batch()
            if not batch.validate_crc():
                raise Refused(
                    f"{self._topic}, partition {self._partition} is damaged at offset {batch.base_offset}: "
                    "its checksum does not match. Look at the broker's disk"
                )
            while self._aborted and self._aborted[0][1] <= batch.base_offset:
                dropped.add(self._aborted.popleft()[0])
            if batch.is_control_batch:
                dropped.discard(batch.producer_id)
            elif not (batch.is_transactional and batch.producer_id in dropped):
                yield from self._unpack(batch)
            self.position = max(self.position, batch.next_offset)

    def _unpack(self, batch: Any) -> Iterator[KafkaRecord]:
        topic, partition = self._topic, self._partition
        for record in batch:
            offset = record.offset
            if offset >= self.position:
                self.position = offset + 1
                headers = record.headers
                if None in dict(headers).values():
                    headers = [(name, value or b"") for name, value in headers]
                yield KafkaRecord(
                    topic, partition, offset, record.timestamp, record.key, record.value, headers
                )
