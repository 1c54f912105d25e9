"""A live wire that counts, and several machines whose ingest follows it, all in one process."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar

import structlog
from prometheus_client import CollectorRegistry

from connectors.seam import Cursor, Looked, Observation, Sight, SourceConfig
from pipeline.control.changes import Hand, applied, paused
from pipeline.control.orders import Orders, sources_in
from pipeline.control.topic import change
from pipeline.daemon.compose import ensure_topics
from pipeline.ingest.clock import Clock
from pipeline.ingest.follow import Source
from pipeline.ingest.ingest import Ingest
from pipeline.kafka import KafkaSettings, Reader
from pipeline.observe.health import Health
from pipeline.observe.metrics import IngestMetrics
from schemas.cloudevents import decode
from schemas.item import Draft, Item, Look
from schemas.topics import ITEMS

EVERY_SECONDS = 0.01


async def eventually(is_so: Callable[[], Awaitable[bool]], seconds: float = 20) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(seconds):
        while not await is_so():  # noqa: ASYNC110  # what others write on Kafka sets no event here
            await asyncio.sleep(0.1)


@dataclass
class Wire:
    """What is looked at: it counts on, whoever looks.

    Attributes:
        spoken: when something was last looked at, by source and machine, on the loop's clock.
    """

    spoken: dict[tuple[str, str], float] = field(default_factory=dict)


class Numbers:
    """Yields 1, 2, 3, ... from where it stood; a look is complete with every tenth."""

    kind: ClassVar[str] = "numbers"
    normaliser: ClassVar[int] = 1
    recorded: ClassVar[bool] = False

    def __init__(self, config: SourceConfig, machine: str, wire: Wire) -> None:
        self.config = config
        self._machine = machine
        self._wire = wire

    async def observe(self, cursor: Cursor | None) -> AsyncGenerator[Sight]:
        number = int(cursor["number"]) if cursor else 0
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            number += 1
            self._wire.spoken[self.config.name, self._machine] = asyncio.get_running_loop().time()
            at = {"number": number}
            yield Observation(str(number).encode(), "text/plain", f"number {number}", at)
            if number % 10 == 0:
                yield Looked(at)

    def normalise(self, observation: Observation) -> Draft:
        number, wire = observation.data.decode(), self.config.renamed_from or self.config.name
        return Draft(item_id=f"{wire}/{number}", source=wire, native_id=number, text=f"It is {number}")


@dataclass
class Site:
    """Machines on one prefix of a real Kafka."""

    settings: KafkaSettings
    prefix: str
    wire: Wire = field(default_factory=Wire)
    healths: dict[str, Health] = field(default_factory=dict)

    @contextlib.asynccontextmanager
    async def machine(self, name: str) -> AsyncIterator[Ingest]:
        """Run a machine's ingest while the block runs."""
        await ensure_topics(self.settings, self.prefix, structlog.get_logger())
        stop, health = asyncio.Event(), self.healths.setdefault(name, Health())
        ingest = Ingest(
            lambda orders: [SourceConfig(**row) for row in sources_in(orders.shared).values()],
            lambda config: Source(config, Numbers(config, name, self.wire)),
            settings=self.settings,
            prefix=self.prefix,
            metrics=IngestMetrics(CollectorRegistry()),
            health=health,
            log=structlog.get_logger(),
            clock=Clock(),
        )
        task = asyncio.create_task(ingest.run(stop))
        try:
            yield ingest
        finally:
            stop.set()
            await task

    async def apply(self, *sources: Mapping[str, Any], at: datetime | None = None) -> None:
        """Put a config in force."""
        await ensure_topics(self.settings, self.prefix, structlog.get_logger())
        rows = [{"kind": "numbers", "unit": "main", "renamed_from": None, **row} for row in sources]
        hand = Hand("test", at or datetime.now(UTC))
        await change(self.settings, self.prefix, lambda orders: applied(orders, {"sources": rows}, hand))

    async def rest(self, name: str, *, rest: bool) -> None:
        """Pause a source, or let it go on."""
        hand = Hand("test", datetime.now(UTC))

        def decide(orders: Orders) -> Sequence[Any]:
            return paused(orders, name, hand, rest=rest)

        await change(self.settings, self.prefix, decide)

    async def said(self) -> list[Item | Look]:
        """Read all items and looks."""
        reader = await Reader.open(self.settings, ITEMS.full(self.prefix), [0])
        try:
            records = [record async for batch in reader.read_to_end() for record in batch]
        finally:
            await reader.close()
        events = [decode(record.headers, record.value, ITEMS.types).data for record in records]
        return [data for data in events if isinstance(data, Item | Look)]

    async def numbers(self, via: str | None = None) -> list[int]:
        """Give the numbers of the items in order; of those that one source brought, if it is named."""
        items = [said for said in await self.said() if isinstance(said, Item)]
        return [int(item.native_id) for item in items if via in (None, item.via)]

    async def until(self, via: str, more: int = 30) -> None:
        """Wait until a source has brought so many more numbers."""
        before = len(await self.numbers(via))

        async def brought() -> bool:
            return len(await self.numbers(via)) >= before + more

        await eventually(brought)

    async def results(self, name: str) -> list[str]:
        """Give the results of looking at a source, in order, repetitions left out."""
        looks = [said.sources for said in await self.said() if isinstance(said, Look)]
        results = [look[name].result for look in looks if name in look]
        return [result for n, result in enumerate(results) if n == 0 or results[n - 1] != result]
