"""The one loop that all stages share.

Taking over, in this order, because each step relies on the one before (docs/delivery.md):

1. assignment: the group says that this process runs the stage; the others stand by;
2. fence: open the producer with the stage's transactional id. An older owner can write nothing more, and what
   it left open is aborted, so that everything read from here on is final;
3. committed offset: where the last transaction ended. If it is lost or behind, the input offset that
   every output carries in a header says the same;
4. tables: learned.v1 and the core's own tables, to the end;
5. fold: the records of the window, from the last boundary's `fold_from` up to the end (of its own output) or
   the committed offset (of its input);
6. go: seek a reader without a group to the committed offset.

Then for ever: read, decide, and write outputs and input offset in one transaction. The state is folded before
the commit; if the outcome of a commit is anything but success the state is thrown away, and the stage takes
over from itself. A record on which the core raises becomes a dead letter in the same transaction.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from time import monotonic
from typing import Any

from pydantic import ValidationError
from structlog.typing import FilteringBoundLogger

from pipeline.core import Core
from pipeline.engine import Engine, Undecidable
from pipeline.failpoints import Reach, pass_by
from pipeline.kafka import KafkaProblem, KafkaRecord, KafkaSettings, Membership, Producer, Reader
from pipeline.observe.health import Health
from pipeline.observe.metrics import StageMetrics
from pipeline.retries import RETRY_OF, item_of
from pipeline.takeover import rebuild
from pipeline.transaction import Identity, Transaction
from pipeline.waiting import Breath, delay_seconds, first_of
from schemas.base import Record
from schemas.cloudevents import Event, UnreadableEvent, decode
from schemas.topics import written_by

BATCH = 1000
FETCH_SECONDS = 0.25
LAG_SECONDS = 2.0
BROKEN_SOURCES = 3
"""Dead letters of so many sources in one transaction are no poison: the stage itself is broken, and stops."""


class StageBroken(Exception):
    """Records of several sources failed at once: nothing was committed, and the process must end."""


class Stage:
    """Runs one core for as long as the group gives it to this process."""

    def __init__(
        self,
        core: Core[Any],
        identity: Identity,
        *,
        settings: KafkaSettings,
        metrics: StageMetrics,
        health: Health,
        log: FilteringBoundLogger,
        reach: Reach = pass_by,
    ) -> None:
        self._core = core
        self._identity = identity
        self._settings = settings
        self._metrics = metrics
        self._health = health
        self._log = log.bind(stage=core.stage)
        self._reach = reach
        self._topic = core.reads.full(identity.prefix)
        self._commits = 0

    def decides_under(self, config: str) -> None:
        """Name another config from the next transaction on: one that changed nothing of this stage."""
        self._identity = replace(self._identity, config=config)

    async def run(self, stop: asyncio.Event) -> None:
        """Run until `stop`; a Kafka that cannot be reached is waited for.

        Raises:
            StageBroken: the code or its input is broken beyond a single record.
        """
        failures = 0
        while not stop.is_set():
            self._commits = 0
            try:
                await self._as_member(stop)
            except KafkaProblem as problem:
                failures = 1 if self._commits else failures + 1
                delay = delay_seconds(failures, cap=30)
                self._health.set(self._core.stage, ready=False, note=str(problem))
                self._log.warning("stage starts over", reason=str(problem), next_seconds=round(delay, 1))
                await first_of(stop.wait(), asyncio.sleep(delay))

    async def _as_member(self, stop: asyncio.Event) -> None:
        membership = await Membership.open(self._settings, self._identity.group, self._topic)
        self._health.ask("group", membership.silence)
        try:
            while not stop.is_set():
                if 0 in membership.assigned:
                    await self._serve(membership, stop)
                else:
                    self._health.set(self._core.stage, ready=True, note="stands by")
                    await first_of(stop.wait(), membership.changed())
        finally:
            self._health.forget("group")
            await membership.close()

    async def _serve(self, membership: Membership, stop: asyncio.Event) -> None:
        stage, started = self._core.stage, monotonic()
        self._reach("stage.assigned")
        group = self._identity.group
        writes = written_by(stage, self._identity.prefix)
        producer = await Producer.open(
            self._settings, f"{group}.0", writes=writes, group=group, reach=self._reach
        )
        try:
            self._reach("stage.fenced")
            committed = await membership.committed(0)
            self._reach("stage.offset")
            engine, start = await rebuild(
                self._core, self._settings, self._identity.prefix, committed, self._reach
            )
            if start > (committed or 0):  # lost, or late: write it down again, so that lag is told rightly
                await producer.begin()
                await producer.commit(group=group, offsets={(self._topic, 0): start})
            reader = await Reader.open(self._settings, self._topic, [0])
            try:
                reader.seek(0, start)
                self._reach("stage.opened")
                seconds = monotonic() - started
                self._metrics.takeovers.labels(stage).inc()
                self._metrics.takeover.labels(stage).set(seconds)
                self._metrics.active.labels(stage).set(1)
                self._health.set(stage, ready=True, note="runs")
                self._log.info(
                    "stage took over", offset=start, committed=committed, seconds=round(seconds, 3)
                )
                await self._loop(producer, engine, reader, membership, stop)
            finally:
                self._metrics.active.labels(stage).set(0)
                await reader.close()
        finally:
            await producer.close()

    async def _loop(
        self,
        producer: Producer,
        engine: Engine[Any],
        reader: Reader,
        membership: Membership,
        stop: asyncio.Event,
    ) -> None:
        lag_at = 0.0
        while not stop.is_set() and 0 in membership.assigned:
            records = await reader.fetch(max_records=BATCH, wait_seconds=FETCH_SECONDS)
            if records:
                await self._process(producer, engine, records)
            if monotonic() - lag_at > LAG_SECONDS:
                lag_at = monotonic()
                self._metrics.lag.labels(self._core.stage).set(await reader.lag())

    async def _process(self, producer: Producer, engine: Engine[Any], records: Sequence[KafkaRecord]) -> None:
        started, breath = monotonic(), Breath()
        transaction = Transaction(producer, engine, self._identity, records[0].offset, self._reach)
        for record in records:
            try:
                event = decode(record.headers, record.value, self._core.reads.types)
            except (UnreadableEvent, ValidationError) as problem:
                await transaction.bury(record, problem)
                continue
            if engine.repeats(event):
                self._log.info("a retry was decided before", origin=event.extensions[RETRY_OF])
                continue
            if engine.crosses(event):
                transaction = await self._turn(transaction, producer, engine, record, event)
            try:
                written = engine.step(event)
            except Undecidable as problem:
                await transaction.bury(record, problem, item_of(event.data))
                continue
            self._reach("stage.decided")
            if self._core.folds is self._core.reads:
                engine.placed(engine.at, record.offset)
            await transaction.add(written, record.offset, event.extensions.get(RETRY_OF))
            await breath.due()
        await self._commit(transaction, records[-1].offset + 1)
        self._metrics.records.labels(self._core.stage).inc(len(records))
        self._metrics.batch.labels(self._core.stage).observe(len(records))
        self._metrics.commit.labels(self._core.stage).observe(monotonic() - started)
        self._metrics.time.labels(self._core.stage).set(engine.at.timestamp())

    async def _turn(
        self,
        transaction: Transaction,
        producer: Producer,
        engine: Engine[Any],
        record: KafkaRecord,
        event: Event[Record],
    ) -> Transaction:
        """End the epoch in a transaction of its own, behind everything before it; give the next one."""
        await self._commit(transaction, record.offset)
        self._reach("stage.turning")
        turn = Transaction(producer, engine, self._identity, record.offset, self._reach)
        # Half a million records that leave at once take seconds; heartbeats must go on meanwhile.
        await turn.add(await asyncio.to_thread(engine.turn, event), record.offset - 1)
        self._reach("stage.evicted")
        await self._commit(turn, record.offset)
        self._reach("stage.turned")
        return Transaction(producer, engine, self._identity, record.offset, self._reach)

    async def _commit(self, transaction: Transaction, following: int) -> None:
        stage = self._core.stage
        if len(transaction.dead_sources) >= BROKEN_SOURCES:
            raise StageBroken(
                f"{stage}: {transaction.dead} records of {len(transaction.dead_sources)} sources failed at "
                f"once, the last with {transaction.last_cause!r}. Nothing was committed; run the last good "
                "version."
            )
        await transaction.commit(following)
        self._commits += 1
        if transaction.dead:
            self._metrics.dead.labels(stage).inc(transaction.dead)
            self._log.error("records became dead letters", count=transaction.dead, see="deadletters")
        for kind, count in transaction.types.items():
            self._metrics.written.labels(stage, kind).inc(count)
