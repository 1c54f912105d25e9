"""Membership of a consumer group, for one thing only: which partitions are ours."""

import asyncio
import logging
from collections.abc import Collection
from contextlib import suppress
from functools import partial
from typing import Any, Final, Self

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener
from aiokafka.errors import KafkaError
from aiokafka.structs import TopicPartition

from pipeline.kafka_next.assignor import Keeping
from pipeline.kafka_next.client import (
    committed,
    deadline,
    end,
    options,
    partitions_of,
    persist,
    refused,
    started,
    unreachable,
)
from pipeline.kafka_next.errors import KafkaProblem
from pipeline.kafka_next.settings import KafkaSettings

LOG = logging.getLogger(__name__)

TRUSTED_PART: Final = 0.75
"""Of the session: so long after our last word to the broker we still take ourselves for a member."""

JOINING_PART: Final = 0.4
"""Of the session: so long all have to join again when one comes or goes. Together with the time between two
heartbeats it must be less than what is trusted, or else a newcomer would stop everybody."""

COURTESY_MS: Final = 5000
"""Beyond the time for joining: a broker may hold back a new group's first assignment, by default for 3 s."""

NEVER_MS: Final = 10**12
"""aiokafka leaves the group of those who do not fetch for so long; we never do."""

LEAVE_SECONDS: Final = 2.0
NEW_MEMBER: Final = ""


class Membership:
    """One member of a group over one topic; joins again by itself whenever it must.

    A partition that stays with us through a change of the group is not taken away in between. But without a
    word from the broker for three quarters of the session `assigned` becomes empty, so that we have stopped
    before another one can begin.
    """

    def __init__(self, settings: KafkaSettings, group: str, topic: str, trusted: float) -> None:
        self._settings = settings
        self._group = group
        self._topic = topic
        self._trusted = trusted
        self._loop = asyncio.get_running_loop()
        self._contact = float("-inf")
        self._consumer: Any = None
        self._member = NEW_MEMBER
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
    ) -> Self:
        """Join and wait for the first assignment, which may be empty.

        Args:
            settings: where the cluster is.
            group: its name.
            topic: the full name of the topic whose partitions are shared out.
            session_timeout_ms: after which the broker gives a silent member's partitions to others.
            heartbeat_ms: how often we say that we are alive.

        Raises:
            Unreachable: Kafka does not answer, or the group does not settle.
            Refused: there is no such topic, or we may not join.
        """
        until = deadline(settings)
        self = cls(settings, group, topic, session_timeout_ms * TRUSTED_PART / 1000)
        joining_ms = int(session_timeout_ms * JOINING_PART)
        make = partial(
            AIOKafkaConsumer,
            **options(settings) | {"request_timeout_ms": joining_ms + COURTESY_MS},
            group_id=group,
            session_timeout_ms=session_timeout_ms,
            heartbeat_interval_ms=heartbeat_ms,
            rebalance_timeout_ms=joining_ms,
            max_poll_interval_ms=NEVER_MS,
            partition_assignment_strategy=(Keeping(topic, lambda: self._held),),
            auto_offset_reset="earliest",
            enable_auto_commit=False,
        )
        self._consumer = await started(settings, make, "let us join the group", until)
        try:
            await self._join(heartbeat_ms / 1000, until)
        except BaseException:
            await self.close()
            raise
        return self

    @property
    def assigned(self) -> frozenset[int]:
        """The partitions that are ours now."""
        return self._held if self._loop.time() < self._contact + self._trusted else frozenset()

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
                async with asyncio.timeout_at(self._contact + self._trusted if self._told else None):
                    await self._news.wait()

    async def committed(self, partition: int) -> int | None:
        """Give the offset that the group committed for a partition: the next one to read.

        An offset in a transaction that has not ended is passed over: open the producer first.

        Raises:
            Unreachable: Kafka does not answer.
            Refused: we may not know.
        """
        slot = (self._topic, partition)
        ask = partial(committed, self._consumer._client, self._group, [slot])  # noqa: SLF001 # see there
        return (await persist(self._settings, f"tell the offsets of group {self._group}", ask)).get(slot)

    async def close(self) -> None:
        """Leave the group, if the broker listens; never raises, and ends within seconds."""
        if self._task is not None:
            self._task.cancel()
        await end(self._consumer, self._consumer.stop(), LEAVE_SECONDS)

    async def _join(self, rhythm: float, until: float) -> None:
        look = partial(partitions_of, self._consumer._client, self._topic)  # noqa: SLF001 # the public way is a cache
        await persist(self._settings, f"tell of {self._topic}", look, until)
        self._listen_to_the_heart()
        self._consumer.subscribe([self._topic], listener=_Listener(self))
        self._task = asyncio.create_task(self._watch(rhythm), name=f"member of {self._group}")
        try:
            async with asyncio.timeout_at(until):
                await self._news.wait()
        except TimeoutError:
            raise unreachable(self._settings, "let us join the group") from None
        if self._problem is not None:
            raise self._problem
        self._told = self._held

    def _listen_to_the_heart(self) -> None:
        """Learn when the broker last took us for a member; aiokafka knows, and tells nobody."""
        coordinator = self._consumer._coordinator  # noqa: SLF001
        beat = coordinator._do_heartbeat  # noqa: SLF001

        async def heard() -> bool:
            said = self._loop.time()
            taken: bool = await beat()
            if taken:
                self._contact = said
                self._news.set()
            return taken

        coordinator._do_heartbeat = heard  # noqa: SLF001

    async def _watch(self, rhythm: float) -> None:
        """Look for what aiokafka would tell to those who fetch; it stands still until somebody does."""
        while self._problem is None:
            await asyncio.sleep(rhythm)
            try:
                self._consumer._coordinator.check_errors()  # noqa: SLF001
            except KafkaError as problem:
                self._problem = refused(f"keep us in group {self._group}", problem)
                self._held = frozenset()
                self._news.set()

    def revoked(self) -> None:
        """Hear that the group shares out anew; what we hold is kept, unless the group does not know us."""
        if self._member_id() == NEW_MEMBER and self._held:
            LOG.warning("group %s went on without us: we were silent for too long", self._group)
            self._held = frozenset()
            self._evicted = True
            self._news.set()

    def given(self, partitions: Collection[TopicPartition]) -> None:
        """Hear what is ours from now on."""
        self._consumer.pause(*partitions)  # we want to own them, not to read them here
        self._evicted = self._evicted or bool(self._held and self._member_id() != self._member)
        self._member = self._member_id()
        self._held = frozenset(slot.partition for slot in partitions)
        self._contact = self._loop.time()
        self._news.set()

    def _member_id(self) -> str:
        return str(self._consumer._coordinator.member_id)  # noqa: SLF001


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc] # aiokafka has no types
    def __init__(self, membership: Membership) -> None:
        self._membership = membership

    def on_partitions_revoked(self, _revoked: Collection[TopicPartition]) -> None:
        self._membership.revoked()

    def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        self._membership.given(assigned)
