"""Ingest: which of the units this process runs, and a desk for each partition it owns.

The processes of one prefix form a consumer group over `checkpoints`. Who owns a partition runs the units that
live in it; the others stand by. Which sources there are says the config in force: when it changes, the desks
whose sources are others now begin anew.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from structlog.typing import FilteringBoundLogger

from connectors.seam import SourceConfig
from pipeline.control.following import Following
from pipeline.control.orders import Orders
from pipeline.failpoints import Reach, pass_by
from pipeline.ingest.clock import Clock
from pipeline.ingest.desk import Desk
from pipeline.ingest.follow import Source
from pipeline.ingest.plan import Plan, Unusable, outdated, plans
from pipeline.kafka import KafkaProblem, KafkaSettings, Membership
from pipeline.observe.health import Health
from pipeline.observe.metrics import IngestMetrics
from pipeline.waiting import delay_seconds, first_of
from schemas.topics import CHECKPOINTS

REVIEW_SECONDS = 3600.0
"""So often we look whether a removed source is to be forgotten."""


@dataclass(slots=True)
class Post:
    """One partition that is ours.

    Attributes:
        stop: ends it.
        task: keeps a desk there.
        desk: the present one.
    """

    stop: asyncio.Event = field(default_factory=asyncio.Event)
    task: "asyncio.Task[None] | None" = None
    desk: Desk | None = None

    def outdated(self, due: Plan | None) -> bool:
        """Say whether its desk took over with another plan."""
        ran = self.desk.plan if self.desk else None
        return due is None if ran is None else outdated(ran, due)


class Ingest:
    """Runs the sources of the config in force for as long as it owns them.

    Args:
        configured: gives the sources that the orders are for; raises Unusable.
        connect: makes a source of its settings.
    """

    def __init__(
        self,
        configured: Callable[[Orders], Sequence[SourceConfig]],
        connect: Callable[[SourceConfig], Source],
        *,
        settings: KafkaSettings,
        prefix: str,
        metrics: IngestMetrics,
        health: Health,
        log: FilteringBoundLogger,
        clock: Clock,
        reach: Reach = pass_by,
    ) -> None:
        self._configured = configured
        self._connect = connect
        self._settings = settings
        self._prefix = prefix
        self._metrics = metrics
        self._health = health
        self._log = log
        self._clock = clock
        self._reach = reach
        self._orders: Orders | None = None
        self._sources: Sequence[SourceConfig] = ()

    async def run(self, stop: asyncio.Event) -> None:
        """Run until `stop`; a Kafka that cannot be reached is waited for."""
        failures = 0
        while not stop.is_set():
            try:
                following = await Following.open(self._settings, self._prefix)
                try:
                    failures = 0
                    await self._obey(following, stop)
                finally:
                    await following.close()
            except KafkaProblem as problem:
                failures += 1
                self._health.set("ingest", ready=False, note=str(problem))
                self._log.warning("kafka is not there", reason=str(problem))
                await first_of(stop.wait(), asyncio.sleep(delay_seconds(failures, cap=30)))

    async def _obey(self, following: Following, stop: asyncio.Event) -> None:
        """Be a member while the config in force can be used here; otherwise leave the work to others."""
        while not stop.is_set():
            orders = following.orders
            try:
                self._plans(orders)
                membership = await Membership.open(
                    self._settings,
                    f"{self._prefix}ingest",
                    CHECKPOINTS.full(self._prefix),
                    wanted=lambda: self._wanted(following.orders),
                )
                self._health.ask("group", membership.silence)
                try:
                    await self._as_member(following, membership, stop)
                finally:
                    self._health.forget("group")
                    await membership.close()
            except Unusable as problem:
                self._health.set("ingest", ready=False, note=str(problem))
                self._log.error("the config in force cannot be used on this machine", reason=str(problem))
                await first_of(stop.wait(), following.after(orders))

    def _plans(self, orders: Orders) -> Mapping[int, Plan]:
        if orders is not self._orders:
            self._sources, self._orders = self._configured(orders), orders
        return plans(self._sources, orders, self._clock.now())

    def _wanted(self, orders: Orders) -> frozenset[int]:
        try:
            return frozenset(self._plans(orders))
        except Unusable:
            return frozenset()  # we are about to leave

    async def _as_member(self, following: Following, membership: Membership, stop: asyncio.Event) -> None:
        posts: dict[int, Post] = {}
        try:
            while not stop.is_set():
                orders, assigned = following.orders, membership.assigned
                await self._arrange(posts, following, assigned)
                self._health.set("ingest", ready=True, note="runs its units" if posts else "stands by")
                tasks = [post.task for post in posts.values() if post.task]
                review = asyncio.sleep(REVIEW_SECONDS)
                await first_of(stop.wait(), membership.changed(), following.after(orders), review, *tasks)
                for task in tasks:
                    if task.done() and not task.cancelled():
                        task.result()  # a bug: let the process die of it, loudly; it is started again
        finally:
            await self._leave(posts, list(posts))

    async def _arrange(self, posts: dict[int, Post], following: Following, assigned: frozenset[int]) -> None:
        """Start the desks that are ours now, and end those that are not, in time."""
        due = {at: plan for at, plan in self._plans(following.orders).items() if at in assigned}
        await self._leave(posts, [at for at, post in posts.items() if post.outdated(due.get(at))])
        for partition in due:
            if partition not in posts:
                post = posts[partition] = Post()
                post.task = asyncio.create_task(self._keep(partition, following, post))
                self._metrics.active.labels(str(partition)).set(1)

    async def _leave(self, posts: dict[int, Post], partitions: Iterable[int]) -> None:
        """End desks: first all their connectors, then wait for what is in hand."""
        leaving = [(partition, posts.pop(partition)) for partition in partitions]
        for _, post in leaving:
            post.stop.set()
        for partition, post in leaving:
            if post.task:
                await asyncio.gather(post.task, return_exceptions=True)
            self._metrics.active.labels(str(partition)).set(0)

    async def _keep(self, partition: int, following: Following, post: Post) -> None:
        """Run one desk; when Kafka fails it, take over from ourselves after a back-off."""
        failures = 0
        while not post.stop.is_set():
            desk = post.desk = Desk(
                partition,
                lambda: self._plans(following.orders).get(partition, Plan()),
                self._connect,
                following=following,
                settings=self._settings,
                prefix=self._prefix,
                metrics=self._metrics,
                health=self._health,
                log=self._log,
                clock=self._clock,
                reach=self._reach,
            )
            try:
                await desk.run(post.stop)
            except Unusable:
                await post.stop.wait()  # it will be told where the config is followed
            except KafkaProblem as problem:
                failures = failures + 1 if desk.committed == 0 else 1
                delay = delay_seconds(failures, cap=30)
                self._health.set("ingest", ready=False, note=str(problem))
                self._log.warning("ingest starts over", reason=str(problem), next_seconds=round(delay, 1))
                await first_of(post.stop.wait(), asyncio.sleep(delay))
