"""Membership of a consumer group, for one thing only: which partitions are ours.

aiokafka's consumer is not used for this, because it leaves the group after five minutes without fetching,
stops its healthy members whenever another one comes or goes, does not say that it lost contact with the
broker, and cannot be closed while the broker is silent.
"""

import asyncio
import logging
from contextlib import AsyncExitStack
from functools import partial
from typing import Final, Self

from pipeline.kafka.errors import KafkaProblem, Unreachable
from pipeline.kafka.group import Evicted, Group
from pipeline.kafka.offsets import committed
from pipeline.kafka.settings import KafkaSettings
from pipeline.kafka.wire import PASSING, Wire

LOG = logging.getLogger(__name__)

TRUSTED_PART: Final = 2 / 3
"""Of the session: so long after the last word from the broker we still believe that we are a member."""

REJOIN_PART: Final = 1 / 2
"""Of the session: so long the broker waits for the others when one comes or goes."""

LEAVE_SECONDS: Final = 2.0
REJOIN_PAUSE: Final = 0.2


class Membership:
    """One member of a group over one topic; joins again by itself whenever it has to.

    What we hold is ours until `assigned` says otherwise: a partition that stays with us through a change of the
    group is never taken away in between. Without a word from the broker for two thirds of the session,
    `assigned` is empty, so that we have stopped before another one can begin.
    """

    def __init__(self, wire: Wire, group: Group, topic: str, *, trusted: float, beat: float) -> None:
        self._wire = wire
        self._group = group
        self._topic = topic
        self._trusted = trusted
        self._beat = beat
        self._loop = asyncio.get_running_loop()
        self._held: frozenset[int] | None = None
        self._told: frozenset[int] = frozenset()
        self._interrupted = False
        self._problem: KafkaProblem | None = None
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @classmethod
    async def open(
        cls, settings: KafkaSettings, group: str, topic: str, *, session_timeout_ms: int = 6000,
        heartbeat_ms: int = 1000,
    ) -> Self:
        """Join and wait for the first assignment, which may be empty.

        Args:
            settings: where the cluster is.
            group: its name.
            topic: the full name of the topic whose partitions are shared out.
            session_timeout_ms: after which the broker gives a silent member's partitions to others.
            heartbeat_ms: how often we speak.

        Raises:
            Unreachable: Kafka does not answer, or the group did not settle.
            Refused: there is no such topic, or we may not join.
        """
        ...
