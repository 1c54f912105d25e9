"""One partition's units of ingest, while this process owns them.

Taking over, in this order, because each step relies on the one before (docs/delivery.md):

1. fence: open the producer with the partition's transactional id. An older owner can write nothing more, and
   what it left open is aborted, so what is read next is final;
2. catch up with control.v1: which sources are to run here;
3. read checkpoints and seen to the end; of a source that stood elsewhere, fence there and bring both here;
4. run the connectors from there.

One transaction holds raw, items, looks, gaps and dead letters, and with them what remembers them: seen and
the checkpoints. A crash before its commit leaves nothing of it, and the connector yields the same again;
after it, the checkpoint lies behind what is written. If the outcome of a commit is unknown the whole desk is
thrown away and takes over from itself: fence, catch up, read, run.
"""

import asyncio
from collections.abc import Callable, Collection, Sequence
from time import monotonic

from structlog.typing import FilteringBoundLogger

from connectors.seam import SourceConfig
from pipeline.control.following import Following
from pipeline.failpoints import Reach, pass_by
from pipeline.ingest import compose
from pipeline.ingest.adopt import Estate, Placed, adopted, forgotten
from pipeline.ingest.batch import Batch, normaliser_of
from pipeline.ingest.books import Books
from pipeline.ingest.clock import ALARM_SECONDS, Clock
from pipeline.ingest.compose import Composed, Packed
from pipeline.ingest.follow import RELEASED, Queue, Sighted, Source, follow
from pipeline.ingest.plan import Plan, partition_of
from pipeline.ingest.requests import hear_requests
from pipeline.ingest.watch import Watch
from pipeline.kafka import KafkaSettings, Producer, Reader
from pipeline.observe.health import Health
from pipeline.observe.metrics import IngestMetrics
from pipeline.waiting import Breath, first_of
from schemas.cloudevents import decode
from schemas.records import Checkpoint, Seen
from schemas.topics import CHECKPOINTS, SEEN, UNIT_PARTITIONS, Topic, written_by

BATCH = 1000
QUEUE = 2000
"""Sights that may wait: bounded, so a slow Kafka holds the connectors back instead of filling memory."""
LOOK_SECONDS = 60.0


class Desk:
    """Runs the sources of one partition and writes what they show.

    Attributes:
        partition: of checkpoints, seen and raw.
        plan: what it took over with; none before that.
        sources: that it runs.
        committed: its transactions so far.

    Args:
        plan: asked, behind the fence, for what there is to do in the partition.
        connect: makes a source of its settings.
        following: the orders for all daemons of the prefix.
    """

    def __init__(
        self,
        partition: int,
        plan: Callable[[], Plan],
        connect: Callable[[SourceConfig], Source],
        *,
        following: Following,
        settings: KafkaSettings,
        prefix: str,
        metrics: IngestMetrics,
        health: Health,
        log: FilteringBoundLogger,
        clock: Clock,
        reach: Reach = pass_by,
    ) -> None:
        self.partition = partition
        self.plan: Plan | None = None
        self.sources: Sequence[Source] = ()
        self._plan = plan
        self._connect = connect
        self._following = following
        self._settings = settings
        self._prefix = prefix
        self._metrics = metrics
        self._health = health
        self._log = log.bind(partition=partition)
        self._clock = clock
        self._reach = reach
        self._queue: Queue = asyncio.Queue(QUEUE)
        self._books = Books({}, {})
        self._held: frozenset[str] = frozenset()
        self._held_others = asyncio.Event()
        self.committed = 0
        self._looked_at = monotonic()

    async def run(self, stop: asyncio.Event) -> None:
        """Run until `stop`, then write what is in hand and return.

        Raises:
            KafkaProblem: fenced, unreachable or outcome unknown; nothing of this desk may be used again.
        """
        self._reach("ingest.assigned")
        producer = await self._fence(self.partition, self._reach)
        try:
            self._reach("ingest.fenced")
            await self._take_over(producer)
            self._health.set("ingest", ready=True, note="runs its units")
            watch = Watch(self.sources, self._queue, self._follow)
            hearing = asyncio.create_task(self._hear_requests())
            directing = asyncio.create_task(self._direct(stop, watch, hearing))
            try:
                await self._write(producer)
            finally:
                for task in (directing, hearing):
                    task.cancel()
                await asyncio.gather(directing, hearing, return_exceptions=True)
                await watch.end()
        finally:
            self._hold(frozenset())
            await producer.close()

    async def _fence(self, partition: int, reach: Reach) -> Producer:
        writes = written_by("ingest", self._prefix)
        name = f"{self._prefix}ingest.{partition}"
        return await Producer.open(self._settings, name, writes=writes, reach=reach)

    async def _follow(self, source: Source) -> None:
        await follow(source, self._queue, self._metrics, self._log, now=self._seconds)

    async def _hear_requests(self) -> None:
        await hear_requests(self.sources, self._queue, self._settings, self._prefix, self._log)

    def _seconds(self) -> float:
        return self._clock.now().timestamp()

    async def _take_over(self, producer: Producer) -> None:
        await self._following.catch_up()  # behind the fence: whoever moved a source away wrote it before
        self.plan = self._plan()
        self.sources = [self._connect(config) for config in self.plan.sources]
        self._books = await self._read_books()
        await self._adopt(producer, [one for one in self.sources if one.name not in self._books.checkpoints])
        await self._forget(producer, self.plan.forget)
        for source in self.sources:
            known = self._books.checkpoint_of(source)
            source.cursor = known.cursor if known else None
            if known and known.quarantined and self._stays(source, known):
                self._books.quarantine(source, known.quarantined)
        self._hold(frozenset(self._books.quarantined))
        self._log.info(
            "ingest took over",
            sources=len(self.sources),
            seen=len(self._books.seen),
            checkpoints=len(self._books.checkpoints),
            generation=self._following.orders.generation,
        )

    async def _read_books(self) -> Books:
        checkpoints = [value for _, value in await self._table(CHECKPOINTS, [self.partition])]
        self._reach("ingest.checkpoints")
        seen = [value for _, value in await self._table(SEEN, [self.partition])]
        self._reach("ingest.seen")
        return Books(
            {value.item_id: value for value in seen if isinstance(value, Seen)},
            {value.source: value for value in checkpoints if isinstance(value, Checkpoint)},
        )

    async def _adopt(self, producer: Producer, unknown: Sequence[Source]) -> None:
        """Bring here what sources left in another unit or under another name, in one transaction.

        Their last owner is shut out before it is read. It takes over from itself, with a config that is no
        older than ours, and does not run them any more.
        """
        if not unknown:
            return
        names = {name for source in unknown for name in (source.name, source.config.renamed_from) if name}
        moved = {name: unit for name in names if (unit := self._following.orders.former_unit(name))}
        places = {partition_of(unit) for unit in moved.values()}
        for at, value in await self._table(CHECKPOINTS, range(UNIT_PARTITIONS)):
            if isinstance(value, Checkpoint) and value.source in names:
                places.add(at)
        for other in sorted(places - {self.partition}):
            await (await self._fence(other, pass_by)).close()
        if not places:
            return
        estate, now = await self._estate({*places, self.partition}), self._clock.now()
        placed = [
            one
            for source in unknown
            for one in adopted(
                source, self.partition, estate, normaliser_of(source), now, moved=source.name in moved
            )
        ]
        if placed:
            await self._place(producer, placed)
            self._log.info("sources came here", sources=sorted({one.source for one in placed}))
            self._books = await self._read_books()

    async def _forget(self, producer: Producer, names: frozenset[str]) -> None:
        """Null the checkpoints and the memory of sources that were removed long ago."""
        if not names:
            return
        now = self._clock.now()
        placed = list(forgotten(names, self.partition, await self._estate({self.partition}), now))
        await self._place(producer, placed)
        self._log.info("removed sources were forgotten", sources=sorted(names))
        self._books = await self._read_books()

    async def _estate(self, partitions: Collection[int]) -> Estate:
        checkpoints = await self._table(CHECKPOINTS, sorted(partitions))
        seen = await self._table(SEEN, sorted(partitions))
        return Estate(
            [(at, value) for at, value in checkpoints if isinstance(value, Checkpoint)],
            [(at, value) for at, value in seen if isinstance(value, Seen)],
        )

    async def _place(self, producer: Producer, placed: Sequence[Placed]) -> None:
        breath = Breath()
        await producer.begin()
        for one in placed:
            self._send(producer, self._pack(one.composed, one.source), one.partition)
            await breath.due()
        self._reach("ingest.adopting")
        await producer.commit()
        self._reach("ingest.adopted")

    async def _table(self, topic: Topic, partitions: Sequence[int]) -> list[tuple[int, object]]:
        """Read partitions of a compacted topic to their ends: the last value of each key, with its place.

        Other desks write here too, when they take a source away: their transactions are waited for, and so is
        our own last one, which was answered before it can be read.
        """
        reader = await Reader.open(self._settings, topic.full(self._prefix), partitions)
        latest: dict[tuple[int, bytes | None], object] = {}
        breath = Breath()
        try:
            async for records in reader.read_to_end(settled=True):
                for record in records:
                    value = decode(record.headers, record.value, topic.types).data
                    latest[record.partition, record.key] = value
                    await breath.due()
        finally:
            await reader.close()
        return [(partition, value) for (partition, _), value in latest.items()]

    async def _direct(self, stop: asyncio.Event, watch: Watch, hearing: "asyncio.Task[None]") -> None:
        """Let sources rest and go on as operators wish, and end them in time."""
        while not stop.is_set():
            orders = self._following.orders
            self._held_others.clear()
            await watch.obey(orders.paused | frozenset(self._books.quarantined))
            for source in self._released():  # behind all that it showed: no follower adds to that now
                await self._queue.put(Sighted(source, RELEASED))
            await first_of(stop.wait(), self._following.after(orders), self._held_others.wait())
        hearing.cancel()
        await asyncio.gather(hearing, watch.end(), return_exceptions=True)
        await self._queue.put(None)

    def _stays(self, source: Source, known: Checkpoint) -> bool:
        """Say whether a source stays in quarantine: nobody released it, and it is read as it was then."""
        released = self._following.orders.released(source.name, known.changed)
        return not released and known.connector == normaliser_of(source)

    def _released(self) -> list[Source]:
        """Give the sources that are in quarantine and shall be no longer."""
        held = [source for source in self.sources if source.name in self._books.quarantined]
        known = [(source, self._books.checkpoint_of(source)) for source in held]
        return [source for source, stands in known if stands and not self._stays(source, stands)]

    def _hold(self, names: frozenset[str]) -> None:
        """Tell which sources are in quarantine now."""
        for name in sorted(names - self._held):
            reason = self._books.quarantined[name]
            self._metrics.quarantined.labels(name).set(1)
            self._health.set(f"source {name}", ready=True, note=reason)
            self._log.error("source is in quarantine", source=name, reason=reason, see="dateline release")
        for name in sorted(self._held - names):
            self._metrics.quarantined.labels(name).set(0)
            self._health.forget(f"source {name}")
        if names != self._held:
            self._held = names
            self._held_others.set()

    async def _write(self, producer: Producer) -> None:
        live = [source for source in self.sources if not source.connector.recorded]
        ended = False
        while not ended:
            batch = Batch(self._books, self._clock.now, self._prefix)
            wait = LOOK_SECONDS - (monotonic() - self._looked_at) if live else None
            ended = await self._fill(batch, wait)
            self._reach("ingest.taken")
            due = monotonic() - self._looked_at >= LOOK_SECONDS
            if live and (batch.changed_looks or due):
                self._look(batch, live)
            if records := batch.records():
                await self._commit(producer, records)
                batch.settle()
            self._hold(frozenset(self._books.quarantined))
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
        self._reach("ingest.begun")
        for packed in records:
            self._send(producer, packed)
        self._reach("ingest.sent")
        await producer.commit()
        self._reach("ingest.committed")
        self.committed += 1
        self._metrics.commit.observe(monotonic() - started)

    def _pack(self, composed: Composed, source: str) -> Packed:
        return compose.pack(composed, source, self._prefix)

    def _send(self, producer: Producer, packed: Packed, partition: int | None = None) -> None:
        topic = packed.output.topic
        own = self.partition if partition is None else partition
        producer.send(
            topic.full(self._prefix),
            key=packed.output.key.encode(),
            value=packed.data,
            headers=packed.headers,
            partition=own if topic.partitions == UNIT_PARTITIONS else 0,
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
