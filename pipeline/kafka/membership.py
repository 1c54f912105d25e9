"""Membership of a consumer group, for one thing only: which partitions are ours.

aiokafka's consumer is not used for this: it leaves the group after five minutes without fetching, stops its
healthy members whenever another one comes or goes, does not say that it lost contact with the broker, and
cannot be closed while the broker is silent.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from functools import partial
from typing import Final, Self, TypeAlias

from pipeline.kafka.errors import KafkaProblem, Unreachable
from pipeline.kafka.group import Evicted, Group
from pipeline.kafka.offsets import committed
from pipeline.kafka.settings import KafkaSettings
from pipeline.kafka.wire import PASSING, Wire

LOG = logging.getLogger(__name__)

TRUSTED_PART: Final = 0.75
"""Of the session: so long after our last word to the broker we still take ourselves for a member."""

JOINING_PART: Final = 0.4
"""Of the session: so long all have to join again when one comes or goes. Together with the time between two
heartbeats it must be less than what is trusted, or else a newcomer would stop everybody."""

LEAVE_SECONDS: Final = 2.0

Wanted: TypeAlias = Callable[[], frozenset[int]]


class Membership:
    """One member of a group over one topic; joins again by itself whenever it must.

    A partition that stays with us through a change of the group is not taken away in between. But without a
    word from the broker for three quarters of the session `assigned` becomes empty, so that we have stopped
    before another one can begin.
    """

    def __init__(
        self,
        wire: Wire,
        group: Group,
        topic: str,
        *,
        trusted: float,
        rhythm: float,
        wanted: Wanted = frozenset,
    ) -> None:
        self._wire = wire
        self._group = group
        self._topic = topic
        self._trusted = trusted
        self._rhythm = rhythm
        self._wanted = wanted
        self._claimed: frozenset[int] = frozenset()
        self._loop = asyncio.get_running_loop()
        self._held: frozenset[int] = frozenset()
        self._told: frozenset[int] = frozenset()
        self._evicted = False
        self._problem: KafkaProblem | None = None
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @classmethod
    async def open(
        cls,
        settings: KafkaSettings,
        group: str,
        topic: str,
        *,
        session_timeout_ms: int = 6000,
        heartbeat_ms: int = 1000,
        wanted: Wanted = frozenset,
    ) -> Self:
        """Join and wait for the first assignment, which may be empty.

        Args:
            settings: where the cluster is.
            group: its name.
            topic: the full name of the topic whose partitions are shared out.
            session_timeout_ms: after which the broker gives a silent member's partitions to others.
            heartbeat_ms: how often we say that we are alive.
            wanted: asked for the partitions on which there is work; by default all are alike. When the answer
                changes, the group shares out anew, and who holds no more than a fair share keeps it.

        Raises:
            Unreachable: Kafka does not answer, or the group does not settle.
            Refused: there is no such topic, or we may not join.
        """
        async with AsyncExitStack() as undo:
            wire = Wire(settings)
            undo.push_async_callback(wire.close)
            until = wire.deadline()
            await wire.persist(f"tell of {topic}", partial(wire.partitions, topic), until)
            joining_ms = int(session_timeout_ms * JOINING_PART)
            member = Group(wire, group, topic, session_ms=session_timeout_ms, joining_ms=joining_ms)
            trusted = session_timeout_ms * TRUSTED_PART / 1000
            self = cls(wire, member, topic, trusted=trusted, rhythm=heartbeat_ms / 1000, wanted=wanted)
            await self._join(until)
            self._told = self._held
            self._task = asyncio.create_task(self._serve(), name=f"member of {group}")
            undo.pop_all()
            return self

    @property
    def assigned(self) -> frozenset[int]:
        """The partitions that are ours now."""
        return frozenset() if self.silence() else self._held

    def silence(self) -> str | None:
        """Why we may not take ourselves for a member now: the broker was not heard for too long."""
        silent = self._loop.time() - self._group.contact
        return None if silent < self._trusted else f"no word from Kafka for {silent:.0f} s"

    async def changed(self) -> frozenset[int]:
        """Wait until `assigned` is not what this last told, or what `open` found.

        A loss is told first, as an empty set; so is an eviction after which everything is ours again.

        Raises:
            KafkaProblem: the broker refuses us for good; join anew once that is mended.
        """
        while True:
            if self._problem is not None:
                raise self._problem
            assigned = self.assigned
            lost = self._told and (self._evicted or assigned != self._told)
            self._evicted = False
            if lost or assigned != self._told:
                self._told = frozenset() if lost else assigned
                return self._told
            self._news.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout_at(self._group.contact + self._trusted if self._told else None):
                    await self._news.wait()

    async def committed(self, partition: int) -> int | None:
        """Give the offset that the group committed for a partition: the next one to read.

        A transaction that holds such an offset and has not ended is waited for: open the producer first, so
        that none is left open.

        Raises:
            Unreachable: Kafka does not answer, or such a transaction does not end.
            Refused: we may not know.
        """
        slot, until = (self._topic, partition), self._wire.deadline()
        return (await committed(self._wire, self._group.name, [slot], until, stable=True)).get(slot)

    async def close(self) -> None:
        """Leave the group, if the broker listens; never raises, and ends within seconds."""
        try:
            if self._task is not None:
                self._task.cancel()
                await asyncio.wait([self._task])
            with suppress(KafkaProblem, Evicted, *PASSING):
                async with asyncio.timeout(LEAVE_SECONDS):
                    await self._group.leave(LEAVE_SECONDS)
        finally:
            self._group.forget()
            await self._wire.close()

    async def _serve(self) -> None:
        try:
            while True:
                try:
                    await self._stay()
                    await self._join(self._wire.deadline())
                except Unreachable as problem:
                    LOG.warning("group %s: %s; trying on", self._group.name, problem)
        except KafkaProblem as problem:
            self._problem = problem
        except Exception as problem:  # noqa: BLE001 # whatever it is, the one who waits must hear of it
            self._problem = KafkaProblem(f"the membership of group {self._group.name} broke: {problem!r}")
        finally:
            self._held = frozenset()
            self._news.set()

    async def _stay(self) -> None:
        beat = partial(self._group.beat, 2 * self._rhythm)
        settled = True
        while settled and self._wanted() == self._claimed:
            await asyncio.sleep(self._rhythm)
            try:
                settled = await self._wire.persist("hear our heartbeat", beat, self._wire.deadline())
            except Evicted:
                self._lose()
                return
            if self.assigned != self._told:
                self._news.set()  # in touch again after all

    async def _join(self, until: float) -> None:
        while True:
            self._claimed = self._wanted()
            join = partial(self._group.join, self._held, self._claimed)
            try:
                self._held = await self._wire.persist("let us join the group", join, until)
            except Evicted:
                self._lose()
            else:
                self._news.set()
                return

    def _lose(self) -> None:
        LOG.warning("group %s went on without us: we were silent for too long", self._group.name)
        self._group.forget()
        self._held = frozenset()
        self._evicted = True
        self._news.set()
