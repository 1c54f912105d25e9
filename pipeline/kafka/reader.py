"""The group-less reader of committed records."""

import asyncio
import logging
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack
from functools import partial
from typing import Final, Self

from aiokafka.protocol.fetch import FetchRequest

from pipeline.kafka.codes import OFFSET_OUT_OF_RANGE, Again, check
from pipeline.kafka.errors import Refused, Unreachable
from pipeline.kafka.offsets import NO_OFFSET, READ_COMMITTED, Edge, edges
from pipeline.kafka.records import Chunk, KafkaRecord
from pipeline.kafka.settings import KafkaSettings
from pipeline.kafka.wire import Wire

LOG = logging.getLogger(__name__)

FETCH_BYTES: Final = 8_388_608
"""Of one answer, and of one partition in it; more than any record may have."""

SPAN_RECORDS: Final = 500
"""Decoded in one go while reading to the end: a few milliseconds, then others may run."""

POLL_SECONDS: Final = 1.0
"""The longest that a broker is asked to wait for records, so that a dead one is noticed soon."""

MANY_LEADERS_SECONDS: Final = 0.05
"""The same where several brokers are asked at once: all must answer before the records of one are seen."""

LAST_REACH: Final = 16
"""How far before the end the last records are first looked for, marks of transactions included."""


class Reader:
    """Reads partitions of one topic in offset order, committed records only. One task reads.

    Positions begin at the first record that is kept. A cancelled call loses nothing: the position moves only
    with records that were handed out. `lag` and `end_offset` may be called by another task.
    """

    def __init__(self, wire: Wire, topic: str, positions: dict[int, int]) -> None:
        self.topic = topic
        self._wire = wire
        self._positions = positions
        self._chunks: dict[int, Chunk] = {}

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
        async with AsyncExitStack() as undo:
            wire = Wire(settings)
            undo.push_async_callback(wire.close)
            until = wire.deadline()
            if partitions is None:
                look = partial(wire.partitions, topic)
                partitions = range(await wire.persist(f"tell of {topic}", look, until))
            positions = await edges(wire, topic, partitions, Edge.BEGIN, until)
            undo.pop_all()
            return cls(wire, topic, positions)

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
        patient_until = loop.time() + wait_seconds
        while True:
            records = self._take(max_records)
            left = patient_until - loop.time()
            if records or left < 0:
                return records
            self._chunks = await self._pull(self._positions, left, self._wire.deadline())

    async def read_to_end(
        self, *, start: int | Mapping[int, int] | None = None, settled: bool = False
    ) -> AsyncIterator[list[KafkaRecord]]:
        """Give everything up to the last stable offset as it is now, one partition after the other.

        Afterwards `fetch` goes on from there.

        Args:
            start: the offset to begin at, for all partitions or for each; by default the beginning.
            settled: wait for transactions that have not ended, and for those whose commit was answered and
                cannot be read yet: what anybody was told is written, is read.

        Raises:
            Unreachable: Kafka does not answer, or such a transaction does not end.
            Refused: as for `fetch`.
        """
        self._chunks.clear()
        begins, ends = await self._bounds(self._positions, Edge.WHOLE if settled else Edge.END)
        for partition, end in sorted(ends.items()):
            at = begins[partition]
            if start is not None:
                at = start if isinstance(start, int) else start.get(partition, at)
            async for records in self._span(partition, at, end):
                self._positions[partition] = records[-1].offset + 1
                yield records
            self._positions[partition] = max(at, end)

    async def last(self, partition: int = 0, *, count: int = 1) -> list[KafkaRecord]:
        """Give the last committed records of a partition, oldest first; fewer where there are fewer.

        Does not move the position.

        Raises:
            Unreachable: Kafka does not answer.
            Refused: as for `fetch`.
        """
        begins, ends = await self._bounds([partition])
        begin, end = begins[partition], ends[partition]
        reach = count + LAST_REACH
        while True:
            at = max(begin, end - reach)
            found: deque[KafkaRecord] = deque(maxlen=count)
            async for records in self._span(partition, at, end):
                found.extend(records)
            if len(found) == count or at == begin:
                return list(found)
            # Marks of transactions, aborted records and what compaction removed have offsets too.
            reach *= 8

    def seek(self, partition: int, offset: int) -> None:
        """Read on from an offset."""
        self._chunks.pop(partition, None)
        self._positions[partition] = offset

    def position(self, partition: int = 0) -> int:
        """Give the offset after the last record that was handed out or passed over."""
        return self._positions[partition]

    async def end_offset(self, partition: int = 0) -> int:
        """Give the last stable offset: the one after the last record that can be read now.

        Raises:
            Unreachable: Kafka does not answer.
            Refused: we may not read.
        """
        return (await edges(self._wire, self.topic, [partition], Edge.END, self._wire.deadline()))[partition]

    async def offset_at(self, moment_ms: int, partition: int = 0) -> int:
        """Give the offset of the first record that was appended at a moment or later.

        Args:
            moment_ms: milliseconds since 1970, by the broker's clock.
            partition: of the topic.

        Returns:
            The offset; the end of the partition if there is no such record.

        Raises:
            Unreachable: Kafka does not answer.
            Refused: we may not read.
        """
        until = self._wire.deadline()
        found = (await edges(self._wire, self.topic, [partition], max(0, moment_ms), until))[partition]
        return await self.end_offset(partition) if found == NO_OFFSET else found

    async def lag(self) -> int:
        """Give how many offsets are left to read now, in all partitions together.

        Raises:
            Unreachable: Kafka does not answer.
            Refused: we may not read.
        """
        ends = await edges(self._wire, self.topic, self._positions, Edge.END, self._wire.deadline())
        return sum(max(0, end - self._positions[partition]) for partition, end in ends.items())

    async def close(self) -> None:
        """Let go of the connections at once; never raises."""
        await self._wire.close()

    def _take(self, count: int) -> list[KafkaRecord]:
        taken: list[KafkaRecord] = []
        for partition, chunk in list(self._chunks.items()):
            records = chunk.take(count - len(taken))
            taken += records
            self._positions[partition] = chunk.position
            if len(taken) >= count:
                break
            del self._chunks[partition]
        return taken

    async def _bounds(
        self, partitions: Mapping[int, int] | list[int], end: Edge = Edge.END
    ) -> tuple[dict[int, int], dict[int, int]]:
        until = self._wire.deadline()
        begins = await edges(self._wire, self.topic, partitions, Edge.BEGIN, until)
        return begins, await edges(self._wire, self.topic, partitions, end, until)

    async def _span(self, partition: int, at: int, end: int) -> AsyncIterator[list[KafkaRecord]]:
        loop = asyncio.get_running_loop()
        until = self._wire.deadline()
        while at < end:
            position = {partition: at}
            chunk = (await self._pull(position, POLL_SECONDS, until))[partition]
            while chunk.position < end and (records := chunk.take(SPAN_RECORDS)):
                if records[-1].offset >= end:
                    records = [record for record in records if record.offset < end]
                if records:
                    yield records
                await asyncio.sleep(0)
            if chunk.position > at:
                at, until = chunk.position, self._wire.deadline()
            elif loop.time() > until:
                raise Unreachable(f"{self.topic}, partition {partition}: nothing came from {at} on, of {end}")

    async def _pull(self, positions: dict[int, int], wait_seconds: float, until: float) -> dict[int, Chunk]:
        """Fetch once, from all leaders; a position before the log's beginning is moved there."""

        async def attempt() -> dict[int, Chunk]:
            by_leader: defaultdict[int, list[int]] = defaultdict(list)
            for partition in positions:
                by_leader[await self._wire.leader(self.topic, partition)].append(partition)
            longest = POLL_SECONDS if len(by_leader) == 1 else MANY_LEADERS_SECONDS
            wait = min(wait_seconds, longest, self._wire.patience / 2)
            answers = await asyncio.gather(
                *(self._ask(node, mine, positions, wait) for node, mine in by_leader.items()),
                return_exceptions=True,
            )
            chunks: dict[int, Chunk] = {}
            for answer in answers:
                if isinstance(answer, BaseException):
                    raise answer
                chunks |= answer
            return chunks

        return await self._wire.persist(f"give records of {self.topic}", attempt, until)

    async def _ask(
        self, node: int, partitions: list[int], positions: dict[int, int], wait: float
    ) -> dict[int, Chunk]:
        wanted = [(partition, positions[partition], FETCH_BYTES) for partition in partitions]
        request = FetchRequest(int(wait * 1000), 1, FETCH_BYTES, READ_COMMITTED, [(self.topic, wanted)])
        answer = await self._wire.ask(node, request)
        right = f"Read on topic {self.topic}"
        check(answer.error_code, f"reading {self.topic}", right)
        chunks: dict[int, Chunk] = {}
        for _, told in answer.topics:
            for partition, code, _highwater, _stable, _begin, aborted, _replica, data in told:
                if code == OFFSET_OUT_OF_RANGE:
                    await self._return_to_log(partition, positions)
                check(code, f"reading {self.topic}, partition {partition}", right)
                position = positions[partition]
                chunks[partition] = Chunk(self.topic, partition, position, data, aborted or [])
        if len(chunks) < len(partitions):
            raise Again(f"{self.topic}: the broker holds us back, its quota is used up", moved=False)
        return chunks

    async def _return_to_log(self, partition: int, positions: dict[int, int]) -> None:
        begins, ends = await self._bounds([partition])
        begin, end, position = begins[partition], ends[partition], positions[partition]
        if position > end:
            raise Refused(
                f"{self.topic}, partition {partition} ends at {end}, we stand at {position}: it was deleted "
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
            positions[partition] = begin
        raise Again(f"{self.topic}, partition {partition}: offset {position} is not there", moved=False)
