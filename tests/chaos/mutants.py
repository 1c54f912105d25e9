"""Dateline with one of its protections removed: a campaign that stays green on these proves nothing.

Where a second line stands behind a protection (docs/delivery.md) it is removed too: one of the two is enough.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from unittest.mock import patch

from pipeline import takeover
from pipeline.core import Boundary
from pipeline.engine import WINDOW, Engine, Written
from pipeline.ingest.desk import Desk
from pipeline.kafka import KafkaRecord, KafkaSettings, Producer, Reader, offsets, reader
from pipeline.kafka.batches import Slot
from pipeline.kafka.requests import StableOffsetFetch
from schemas.base import Record
from schemas.cloudevents import Event
from schemas.topics import SEEN, Topic

READ_UNCOMMITTED = 0
EVICT_EVERY = 50


@dataclass(frozen=True, slots=True)
class Mutant:
    """One protection less.

    Attributes:
        sentence: what is done instead.
        apply: takes it out of this process.
        pure: it is in the cores' shell, so the undisturbed run is to have it too: only faults may show it.
    """

    sentence: str
    apply: Callable[[], None]
    pure: bool = False


class LateProducer:
    """Opens the real one with the first transaction."""

    def __init__(self, settings: KafkaSettings, transactional_id: str, more: Mapping[str, Any]) -> None:
        self._open = partial(OPEN, settings, transactional_id, **more)
        self._real: Producer | None = None

    async def begin(self) -> None:
        if self._real is None:
            self._real = await self._open()
        await self._real.begin()

    async def close(self) -> None:
        if self._real is not None:
            await self._real.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


OPEN = Producer.open


def read_before_fence() -> None:
    async def late(settings: KafkaSettings, transactional_id: str, **more: Any) -> LateProducer:
        return LateProducer(settings, transactional_id, more)

    patch.object(Producer, "open", late).start()
    wait_for_nothing()


def wait_for_nothing() -> None:
    """Pass over transactions that have not ended."""
    read, ask = Reader.read_to_end, StableOffsetFetch

    def unsettled(self: Reader, *, settled: bool = False, **more: Any) -> AsyncIterator[list[KafkaRecord]]:
        return read(self, **more)

    def unstable(*what: Any, stable: bool) -> StableOffsetFetch:
        return ask(*what, stable=False)

    patch.object(Reader, "read_to_end", unsettled).start()
    patch.object(offsets, "StableOffsetFetch", unstable).start()


def offsets_behind() -> None:
    commit = Producer.commit

    async def twice(
        self: Producer, *, group: str | None = None, offsets: Mapping[Slot, int] | None = None
    ) -> None:
        await commit(self)
        if offsets:
            await self.begin()
            await commit(self, group=group, offsets=offsets)

    patch.object(Producer, "commit", twice).start()
    patch.object(takeover, "header", lambda *_: None).start()  # nor does the own output tell where it ends


def unseen() -> None:
    table = Desk._table

    async def forgetful(self: Desk, topic: Topic, partitions: Sequence[int]) -> list[Any]:
        found: list[Any] = await table(self, topic, partitions)
        return [] if topic is SEEN else found

    patch.object(Desk, "_table", forgetful).start()


def read_uncommitted() -> None:
    for module in (reader, offsets):
        patch.object(module, "READ_COMMITTED", READ_UNCOMMITTED).start()


def evict_at_any_time() -> None:
    step = Engine.step
    steps: dict[int, int] = {}

    def evicting(self: Engine[Any], event: Event[Record]) -> list[Written]:
        written = step(self, event)
        steps[id(self)] = steps.get(id(self), 0) + 1
        if steps[id(self)] % EVICT_EVERY == 0:
            self.core.evict(Boundary(self.at, self.at - WINDOW), self.state)
        return written

    patch.object(Engine, "step", evicting).start()


MUTANTS: Mapping[str, Mutant] = {
    "fence": Mutant(
        "the producer is opened after everything was read, and no transaction is waited for",
        read_before_fence,
    ),
    "offsets": Mutant(
        "offsets are committed in a transaction of their own, behind, and are all that is asked for",
        offsets_behind,
    ),
    "seen": Mutant("ingest does not read what it has seen", unseen),
    "committed": Mutant("readers see what no transaction committed", read_uncommitted),
    "eviction": Mutant(f"the window is evicted every {EVICT_EVERY} records", evict_at_any_time, pure=True),
}
