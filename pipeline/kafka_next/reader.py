"""The group-less reader of committed records."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from functools import partial
from typing import Final, Self

from aiokafka import AIOKafkaConsumer, ConsumerRecord
from aiokafka.errors import (
    CorruptRecordException,
    KafkaError,
    OffsetOutOfRangeError,
    UnknownTopicOrPartitionError,
)
from aiokafka.structs import TopicPartition

from pipeline.kafka_next.client import (
    deadline,
    end,
    is_passing,
    options,
    partitions_of,
    persist,
    refused,
    started,
    unreachable,
)
from pipeline.kafka_next.errors import Refused
from pipeline.kafka_next.records import KafkaRecord
from pipeline.kafka_next.settings import KafkaSettings

LOG = logging.getLogger(__name__)

FETCH_BYTES: Final = 8_388_608
"""Of one answer, and of one partition in it; more than any record may have."""

SPAN_RECORDS: Final = 500
"""Decoded in one go while reading to the end: a few milliseconds, then others may run."""

POLL_MS: Final = 100
"""How long a broker is asked to wait for records; a question about offsets stands in line behind it."""

LOOK_MS: Final = 10
"""How often we look whether the broker has answered without records: aiokafka tells of records only."""

LAST_REACH: Final = 16
"""How far before the end the last records are first looked for, marks of transactions included."""


class Reader:
    """Reads partitions of one topic in offset order, committed records only. One task reads.

    Positions begin at the first record that is kept. A cancelled call loses nothing: the position moves only
    with records that were handed out. `lag` and `end_offset` may be called by another task.
    """

    def __init__(
        self, settings: KafkaSettings, topic: str, consumer: AIOKafkaConsumer, positions: dict[int, int]
    ) -> None:
        self.topic = topic
        self._settings = settings
        self._consumer = consumer
        self._positions = positions
        self._slots = {partition: TopicPartition(topic, partition) for partition in positions}
        consumer.assign(list(self._slots.values()))
        for partition, slot in self._slots.items():
            consumer.seek(slot, positions[partition])
        consumer.pause(*self._slots.values())

    @classmethod
    async def open(cls, settings: KafkaSettings, topic: str, partitions: Sequence[int] | None = None) -> Self:
        """Find the partitions and their beginnings.

        Args:
            settings: where the cluster is.
            topic: its full name.
            partitions: of it; by default all.

        Raises:
            Unreachable: Kafka does not answer.
            Refused: there is no such topic, or we may not read it.
        """
        until = deadline(settings)
        make = partial(
            AIOKafkaConsumer,
            **options(settings),
            isolation_level="read_committed",
            auto_offset_reset="none",
            enable_auto_commit=False,
            fetch_max_wait_ms=POLL_MS,
            fetch_max_bytes=FETCH_BYTES,
            max_partition_fetch_bytes=FETCH_BYTES,
        )
        consumer = await started(settings, make, f"tell of {topic}", until)

        async def begins() -> dict[int, int]:
            there = await partitions_of(consumer._client, topic)  # noqa: SLF001 # the public way is a cache
            wanted = there if partitions is None else partitions
            if missing := set(wanted) - set(there):
                raise UnknownTopicOrPartitionError(f"{topic} has no partition {min(missing)}")
            slots = [TopicPartition(topic, partition) for partition in wanted]
            offsets = await consumer.beginning_offsets(slots)
            return {slot.partition: offsets[slot] for slot in slots}

        try:
            return cls(settings, topic, consumer, await persist(settings, f"tell of {topic}", begins, until))
        except BaseException:
            await end(consumer)
            raise

    async def fetch(self, *, max_records: int, wait_seconds: float) -> list[KafkaRecord]:
        """Give the next records, of all partitions in turn.

        Args:
            max_records: at most so many.
            wait_seconds: how long to wait for the first; none may come. While Kafka is away it takes longer.

        Raises:
            Unreachable: Kafka does not answer, for the deadline beyond the waiting.
            Refused: we may not read, a position is beyond the log's end, or its data are damaged.
        """
        loop = asyncio.get_running_loop()
        began_ms = int(time.time() * 1000)
        patient_until = loop.time() + wait_seconds
        self._consumer.resume(*self._slots.values())
        while True:
            left = patient_until - loop.time()
            records = await self._poll(
                self._slots.values(),
                max_records,
                max(int(left * 1000), LOOK_MS if left < wait_seconds else 0),
            )
            if records:
                return records
            if loop.time() < patient_until:
                continue
            if self._heard_since(began_ms):
                return []
            if loop.time() > patient_until + self._settings.deadline_seconds:
                raise unreachable(self._settings, f"give records of {self.topic}")

    async def read_to_end(
        self, *, start: int | Mapping[int, int] | None = None
    ) -> AsyncIterator[list[KafkaRecord]]:
        """Give everything up to the last stable offset as it is now, one partition after the other.

        Afterwards `fetch` goes on from there.

        Args:
            start: the offset to begin at, for all partitions or for each; by default the beginning.

        Raises:
            Unreachable: Kafka does not answer.
            Refused: as for `fetch`.
        """
        begins, ends = await self._bounds(self._positions)
        for partition, end_ in ends.items():
            at = begins[partition]
            if start is not None:
                at = start if isinstance(start, int) else start.get(partition, at)
            async for records in self._span(partition, max(at, begins[partition]), end_):
                yield records
            self.seek(partition, max(at, end_))

    async def last(self, partition: int = 0, *, count: int = 1) -> list[KafkaRecord]:
        """Give the last committed records of a partition, oldest first; fewer where there are fewer.

        Does not move the position.

        Raises:
            Unreachable: Kafka does not answer.
            Refused: as for `fetch`.
        """
        begins, ends = await self._bounds([partition])
        begin, stop = begins[partition], ends[partition]
        position = self._positions[partition]
        reach = count + LAST_REACH
        try:
            while True:
                at = max(begin, stop - reach)
                found: deque[KafkaRecord] = deque(maxlen=count)
                async for records in self._span(partition, at, stop):
                    found.extend(records)
                if len(found) == count or at == begin:
                    return list(found)
                # Marks of transactions, aborted records and what compaction removed have offsets too.
                reach *= 8
        finally:
            self.seek(partition, position)

    def seek(self, partition: int, offset: int) -> None:
        """Read on from an offset."""
        self._positions[partition] = offset
        self._consumer.seek(self._slots[partition], offset)

    def position(self, partition: int = 0) -> int:
        """Give the offset after the last record that was handed out or passed over."""
        return self._positions[partition]

    async def end_offset(self, partition: int = 0) -> int:
        """Give the last stable offset: the one after the last record that can be read now.

        Raises:
            Unreachable: Kafka does not answer.
            Refused: we may not read.
        """
        return (await self._ends([partition]))[partition]

    async def lag(self) -> int:
        """Give how many offsets are left to read now, in all partitions together.

        Raises:
            Unreachable: Kafka does not answer.
            Refused: we may not read.
        """
        ends = await self._ends(self._positions)
        return sum(max(0, end_ - self._positions[partition]) for partition, end_ in ends.items())

    async def close(self) -> None:
        """Let go of the connections at once; never raises."""
        await end(self._consumer)

    async def _poll(
        self, slots: Iterable[TopicPartition], max_records: int, wait_ms: int
    ) -> list[KafkaRecord]:
        """Take what has come; positions move over what is nobody's, too."""
        slots = list(slots)
        try:
            found = await self._consumer.getmany(*slots, timeout_ms=wait_ms, max_records=max_records)
        except OffsetOutOfRangeError:
            for slot in slots:
                await self._return_to_log(slot.partition)
            return []
        except CorruptRecordException as problem:
            raise Refused(f"{self.topic} is damaged ({problem}). Look at the broker's disk") from problem
        except KafkaError as problem:
            if is_passing(problem):
                return []
            raise refused(f"give records of {self.topic}", problem) from problem
        for slot in slots:
            self._positions[slot.partition] = await self._consumer.position(slot)
        return [_record(each) for records in found.values() for each in records]

    async def _span(self, partition: int, at: int, end_: int) -> AsyncIterator[list[KafkaRecord]]:
        loop = asyncio.get_running_loop()
        slot = self._slots[partition]
        self._consumer.pause(*self._slots.values())
        self.seek(partition, at)
        self._consumer.resume(slot)
        until, wait_ms = deadline(self._settings), 0
        while self._positions[partition] < end_:
            before = self._positions[partition]
            records = await self._poll([slot], SPAN_RECORDS, wait_ms)
            if records and records[-1].offset >= end_:
                records = [record for record in records if record.offset < end_]
                self.seek(partition, end_)
            if records:
                yield records
            await asyncio.sleep(0)
            moved = self._positions[partition] > before
            wait_ms = 0 if moved else LOOK_MS
            if moved:
                until = deadline(self._settings)
            elif loop.time() > until:
                raise unreachable(self._settings, f"give records of {self.topic}")
        self._consumer.pause(slot)

    async def _bounds(self, partitions: Iterable[int]) -> tuple[dict[int, int], dict[int, int]]:
        partitions = list(partitions)
        slots = [self._slots[partition] for partition in partitions]
        begins = await persist(
            self._settings, f"tell of {self.topic}", partial(self._consumer.beginning_offsets, slots)
        )
        return {slot.partition: begins[slot] for slot in slots}, await self._ends(partitions)

    async def _ends(self, partitions: Iterable[int]) -> dict[int, int]:
        slots = [self._slots[partition] for partition in partitions]
        ends = await persist(
            self._settings, f"tell the end of {self.topic}", partial(self._consumer.end_offsets, slots)
        )
        return {slot.partition: ends[slot] for slot in slots}

    async def _return_to_log(self, partition: int) -> None:
        begins, ends = await self._bounds([partition])
        begin, stop, position = begins[partition], ends[partition], self._positions[partition]
        if position > stop:
            raise Refused(
                f"{self.topic}, partition {partition} ends at {stop}, we stand at {position}: it was deleted "
                "and created anew, or lost its end. Start with a new prefix, or reset the group"
            )
        if position < begin:
            LOG.warning(
                "%s, partition %d: offsets %d to %d have expired unread",
                self.topic,
                partition,
                position,
                begin,
            )
            self.seek(partition, begin)

    def _heard_since(self, moment_ms: int) -> bool:
        heard = (self._consumer.last_poll_timestamp(slot) or 0 for slot in self._slots.values())
        return all(at_ms >= moment_ms for at_ms in heard)


def _record(record: ConsumerRecord[bytes | None, bytes | None]) -> KafkaRecord:
    headers = [(name, value or b"") for name, value in record.headers]
    return KafkaRecord(
        record.topic, record.partition, record.offset, record.timestamp, record.key, record.value, headers
    )
