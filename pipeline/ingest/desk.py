"""One partition's units of ingest, while this process owns them.

Taking over, in this order, because each step relies on the one before (docs/delivery.md):

1. fence: open the producer with the partition's transactional id. An older owner can write nothing more, and
   what it left open is aborted, so what is read next is final;
2. read checkpoints and seen to the end;
3. run the connectors from there.

One transaction holds raw, items, looks, gaps and dead letters, and with them what remembers them: seen and
the checkpoints. A crash before its commit leaves nothing of it, and the connector yields the same again;
after it, the checkpoint lies behind what is written. If the outcome of a commit is unknown the whole desk is
thrown away and takes over from itself: fence, read, run.
"""

import asyncio
from collections.abc import Sequence
from time import monotonic
from zlib import crc32

from structlog.typing import FilteringBoundLogger

from pipeline.ingest import compose
from pipeline.ingest.batch import Batch
from pipeline.ingest.books import Books
from pipeline.ingest.clock import ALARM_SECONDS, Clock
from pipeline.ingest.compose import Composed, Packed
from pipeline.ingest.follow import Queue, Source, follow
from pipeline.kafka import KafkaSettings, Producer, Reader
from pipeline.observe.metrics import IngestMetrics
from pipeline.waiting import Breath
from schemas.cloudevents import decode
from schemas.records import Checkpoint, Seen
from schemas.topics import CHECKPOINTS, SEEN, UNIT_PARTITIONS, Topic

BATCH = 1000
QUEUE = 2000
"""Sights that may wait: bounded, so a slow Kafka holds the connectors back instead of filling memory."""
LOOK_SECONDS = 60.0


def partition_of(unit: str) -> int:
    """Give the partition of checkpoints, seen and raw that a unit lives in."""
    return crc32(unit.encode()) % UNIT_PARTITIONS


class Desk:
    """Runs the sources of one partition and writes what they show."""

    def __init__(
        self,
        partition: int,
        sources: Sequence[Source],
        *,
        settings: KafkaSettings,
        prefix: str,
        metrics: IngestMetrics,
        log: FilteringBoundLogger,
        clock: Clock,
    ) -> None:
        self.partition = partition
        self.sources = sources
        self._settings = settings
        self._prefix = prefix
        self._metrics = metrics
        self._log = log.bind(partition=partition)
        self._clock = clock
        self._queue: Queue = asyncio.Queue(QUEUE)
        self._books = Books({}, {})
        self.committed = 0
        self._looked_at = monotonic()

    async def run(self, stop: asyncio.Event) -> None:
        """Run until `stop`, then write what is in hand and return.

        Raises:
            KafkaProblem: fenced, unreachable or outcome unknown; nothing of this desk may be used again.
        """
        producer = await Producer.open(self._settings, f"{self._prefix}ingest.{self.partition}")
        try:
            await self._take_over(producer)
            followers = [
                asyncio.create_task(follow(source, self._queue, self._metrics, self._log, now=self._seconds))
                for source in self.sources
            ]
            ending = asyncio.create_task(self._end(stop, followers))
            try:
                await self._write(producer)
            finally:
                for task in (ending, *followers):
                    task.cancel()
                await asyncio.gather(ending, *followers, return_exceptions=True)
        finally:
            await producer.close()

    def _seconds(self) -> float:
        return self._clock.now().timestamp()

    async def _take_over(self, producer: Producer) -> None:
        seen: dict[str, Seen] = {}
        checkpoints: dict[str, Checkpoint] = {}
        for value in await self._table(CHECKPOINTS, [self.partition]):
            if isinstance(value, Checkpoint):
                checkpoints[value.source] = value
        for value in await self._table(SEEN, [self.partition]):
            if isinstance(value, Seen):
                seen[value.item_id] = value
        self._books = Books(seen, checkpoints)
        await self._adopt(producer, [one for one in self.sources if self._books.checkpoint_of(one) is None])
        for source in self.sources:
            known = self._books.checkpoint_of(source)
            source.cursor = known.cursor if known else None
        self._log.info(
            "ingest took over", sources=len(self.sources), seen=len(seen), checkpoints=len(checkpoints)
        )

    async def _adopt(self, producer: Producer, unknown: Sequence[Source]) -> None:
        """Look for sources that stood in another unit before, and copy their memory in one transaction."""
        if not unknown:
            return
        others = [p for p in range(UNIT_PARTITIONS) if p != self.partition]
        names = {name for source in unknown for name in (source.name, source.config.renamed_from) if name}
        found = sorted(
            (
                value
                for value in await self._table(CHECKPOINTS, others)
                if isinstance(value, Checkpoint) and value.source in names
            ),
            key=lambda value: value.changed,
        )
        if not found:
            return
        memory = [
            value
            for value in await self._table(SEEN, others)
            if isinstance(value, Seen) and value.source in names and value.item_id not in self._books.seen
        ]
        await producer.begin()
        for checkpoint in found:
            self._send(producer, self._pack(compose.checkpoint(checkpoint), checkpoint.source))
            self._books.checkpoints[checkpoint.source] = checkpoint
        for seen in memory:
            self._send(producer, self._pack(compose.memory(seen, seen.listed), seen.source))
            self._books.seen[seen.item_id] = seen
        await producer.commit()
        self._log.info("sources moved here from another unit", sources=sorted({one.source for one in found}))

    async def _table(self, topic: Topic, partitions: Sequence[int]) -> list[object]:
        reader = await Reader.open(self._settings, topic.full(self._prefix), partitions)
        latest: dict[bytes | None, object] = {}
        breath = Breath()
        try:
            async for records in reader.read_to_end():
                for record in records:
                    latest[record.key] = decode(record.headers, record.value, topic.types).data
                    await breath.due()
        finally:
            await reader.close()
        return list(latest.values())

    async def _end(self, stop: asyncio.Event, followers: Sequence[asyncio.Task[None]]) -> None:
        await stop.wait()
        for task in followers:
            task.cancel()
        await asyncio.gather(*followers, return_exceptions=True)
        await self._queue.put(None)

    async def _write(self, producer: Producer) -> None:
        live = [source for source in self.sources if not source.connector.recorded]
        ended = False
        while not ended:
            batch = Batch(self._books, self._clock.now, self._prefix)
            wait = LOOK_SECONDS - (monotonic() - self._looked_at) if live else None
            ended = await self._fill(batch, wait)
            due = monotonic() - self._looked_at >= LOOK_SECONDS
            if live and (batch.changed_looks or due):
                self._look(batch, live)
            if records := batch.records():
                await self._commit(producer, records)
                batch.settle()
            self._count(batch)
            if due and live:
                await self._compare_clocks()

    async def _fill(self, batch: Batch, wait: float | None) -> bool:
        """Take what waits, at least one sight if one comes in time; say whether the end was reached."""
        try:
            async with asyncio.timeout(None if wait is None else max(wait, 0.0)):
                sighted = await self._queue.get()
        except TimeoutError:
            return False
        taken, breath = 0, Breath()
        while sighted is not None:
            batch.add(sighted)
            taken += 1
            await breath.due()
            if taken >= BATCH or self._queue.empty():
                return False
            sighted = self._queue.get_nowait()
        return True

    def _look(self, batch: Batch, live: Sequence[Source]) -> None:
        self._looked_at = monotonic()
        for unit in sorted({source.config.unit for source in live}):
            names = [source for source in live if source.config.unit == unit]
            batch.look(unit, self._books.looks_of(names), names[0])

    async def _commit(self, producer: Producer, records: Sequence[Packed]) -> None:
        started = monotonic()
        await producer.begin()
        for packed in records:
            self._send(producer, packed)
        await producer.commit()
        self.committed += 1
        self._metrics.commit.observe(monotonic() - started)

    def _pack(self, composed: Composed, source: str) -> Packed:
        return compose.pack(composed, source, self._prefix)

    def _send(self, producer: Producer, packed: Packed) -> None:
        topic = packed.output.topic
        producer.send(
            topic.full(self._prefix),
            key=packed.output.key.encode(),
            value=packed.data,
            headers=packed.headers,
            partition=self.partition if topic.partitions == UNIT_PARTITIONS else 0,
        )

    def _count(self, batch: Batch) -> None:
        metrics, now = self._metrics, self._seconds()
        for (what, source), count in batch.tally.counts.items():
            if what in ("first", "later"):
                metrics.revisions.labels(source, what).inc(count)
                metrics.last_item.labels(source).set(now)
            elif what in ("unreadable", "broken"):
                metrics.unreadable.labels(source).inc(count)
                self._log.warning(
                    "posts could not be normalised", source=source, count=count, see="deadletters"
                )
            elif what == "stale":
                metrics.stale.labels(source).inc(count)
            elif what == "gaps":
                metrics.gaps.labels(source).inc(count)
            elif what == "observations":
                metrics.observations.labels(source).inc(count)
        for source, look in self._books.looks.items():
            if look.complete is not None:
                metrics.last_look.labels(source).set(look.complete.timestamp())
        metrics.queue.set(self._queue.qsize())

    async def _compare_clocks(self) -> None:
        """Compare our clock with the time at which the broker appended our last checkpoint."""
        known = max((value.changed for value in self._books.checkpoints.values()), default=None)
        if known is None:
            return
        reader = await Reader.open(self._settings, CHECKPOINTS.full(self._prefix), [self.partition])
        try:
            last = await reader.last(self.partition)
        finally:
            await reader.close()
        if last:
            offset = known.timestamp() - last[0].timestamp_ms / 1000
            self._metrics.clock_offset.set(offset)
            if abs(offset) > ALARM_SECONDS:
                self._log.error("this host's clock is not the broker's", offset_seconds=round(offset, 1))
