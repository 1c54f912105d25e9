"""Ingest: which of the units this process runs, and a desk for each partition it owns.

The processes of one prefix form a consumer group over `checkpoints`. Who owns a partition runs the units that
live in it; the others stand by.
"""

import asyncio
from collections.abc import Mapping, Sequence

from structlog.typing import FilteringBoundLogger

from pipeline.ingest.clock import Clock
from pipeline.ingest.desk import Desk, partition_of
from pipeline.ingest.follow import Source
from pipeline.kafka import KafkaProblem, KafkaSettings, Membership
from pipeline.observe.health import Health
from pipeline.observe.metrics import IngestMetrics
from pipeline.waiting import delay_seconds, first_of
from schemas.topics import CHECKPOINTS


class Ingest:
    """Runs the configured sources for as long as it owns them."""

    def __init__(
        self,
        sources: Sequence[Source],
        *,
        settings: KafkaSettings,
        prefix: str,
        metrics: IngestMetrics,
        health: Health,
        log: FilteringBoundLogger,
        clock: Clock,
    ) -> None:
        self._wanted: dict[int, list[Source]] = {}
        for source in sources:
            self._wanted.setdefault(partition_of(source.config.unit), []).append(source)
        self._settings = settings
        self._prefix = prefix
        self._metrics = metrics
        self._health = health
        self._log = log
        self._clock = clock

    async def run(self, stop: asyncio.Event) -> None:
        """Run until `stop`; a Kafka that cannot be reached is waited for."""
        failures = 0
        while not stop.is_set():
            try:
                membership = await Membership.open(
                    self._settings, f"{self._prefix}ingest", CHECKPOINTS.full(self._prefix)
                )
                failures = 0
                try:
                    await self._as_member(membership, stop)
                finally:
                    await membership.close()
            except KafkaProblem as problem:
                failures += 1
                self._health.set("ingest", ready=False, note=str(problem))
                self._log.warning("kafka is not there", reason=str(problem))
                await first_of(stop.wait(), asyncio.sleep(delay_seconds(failures, cap=30)))

    async def _as_member(self, membership: Membership, stop: asyncio.Event) -> None:
        desks: dict[int, tuple[asyncio.Task[None], asyncio.Event]] = {}
        try:
            assigned = membership.assigned
            while not stop.is_set():
                await self._arrange(desks, assigned)
                tasks = [task for task, _ in desks.values()]
                await first_of(stop.wait(), membership.changed(), *tasks)
                for task in tasks:
                    if task.done() and not task.cancelled():
                        task.result()  # a bug: let the process die of it, loudly; it is started again
                assigned = membership.assigned
        finally:
            await self._arrange(desks, frozenset())

    async def _arrange(
        self, desks: dict[int, tuple[asyncio.Task[None], asyncio.Event]], assigned: frozenset[int]
    ) -> None:
        """Start the desks that are ours now, and end those that are not, in time."""
        for partition in [p for p in desks if p not in assigned]:
            task, stop = desks.pop(partition)
            stop.set()
            await asyncio.gather(task, return_exceptions=True)
            self._metrics.active.labels(str(partition)).set(0)
        for partition, sources in self._mine(assigned).items():
            if partition not in desks:
                stop = asyncio.Event()
                desks[partition] = (asyncio.create_task(self._keep(partition, sources, stop)), stop)
                self._metrics.active.labels(str(partition)).set(1)
        note = "runs its units" if desks else "stands by"
        self._health.set("ingest", ready=True, note=note)

    def _mine(self, assigned: frozenset[int]) -> Mapping[int, Sequence[Source]]:
        return {partition: sources for partition, sources in self._wanted.items() if partition in assigned}

    async def _keep(self, partition: int, sources: Sequence[Source], stop: asyncio.Event) -> None:
        """Run one desk; when Kafka fails it, take over from ourselves after a back-off."""
        failures = 0
        while not stop.is_set():
            desk = Desk(
                partition,
                sources,
                settings=self._settings,
                prefix=self._prefix,
                metrics=self._metrics,
                log=self._log,
                clock=self._clock,
            )
            try:
                await desk.run(stop)
            except KafkaProblem as problem:
                failures = failures + 1 if desk.committed == 0 else 1
                delay = delay_seconds(failures, cap=30)
                self._health.set("ingest", ready=False, note=str(problem))
                self._log.warning("ingest starts over", reason=str(problem), next_seconds=round(delay, 1))
                await first_of(stop.wait(), asyncio.sleep(delay))
                self._health.set("ingest", ready=True, note="starts over")
