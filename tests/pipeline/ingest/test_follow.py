"""After a failure a source goes on behind what it showed, also if that still waits to be written."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any, ClassVar

import structlog
from prometheus_client import CollectorRegistry

from connectors.seam import Cursor, Looked, Observation, Sight, SourceConfig, SourceFailed
from pipeline.ingest.follow import Failed, Queue, Source, follow
from pipeline.observe.metrics import IngestMetrics
from schemas.item import Draft


class Stumbling:
    """Fails behind every second number."""

    kind: ClassVar[str] = "stumbling"
    normaliser: ClassVar[int] = 1
    recorded: ClassVar[bool] = False
    config = SourceConfig(kind="stumbling", name="s")

    async def observe(self, cursor: Cursor | None) -> AsyncGenerator[Sight]:
        first = int(cursor["number"]) + 1 if cursor else 1
        for number in (first, first + 1):
            yield Observation(b"", "text/plain", str(number), {"number": number})
        if first > 4:
            yield Looked({"number": number}, done=True)
        raise SourceFailed("stumbled")

    def normalise(self, observation: Observation) -> Draft:
        raise NotImplementedError


async def test_nothing_is_shown_again_while_it_waits_to_be_written() -> None:
    queue: Queue = asyncio.Queue()
    metrics, log = IngestMetrics(CollectorRegistry()), structlog.get_logger()

    def no_delay(*_: Any, **__: Any) -> float:
        return 0.0

    await follow(Source(Stumbling.config, Stumbling()), queue, metrics, log, now=lambda: 0.0, delay=no_delay)
    sights = [one.sight for one in (queue.get_nowait() for _ in range(queue.qsize())) if one]
    assert [one.place for one in sights if isinstance(one, Observation)] == ["1", "2", "3", "4", "5", "6"]
    assert sum(isinstance(one, Failed) for one in sights) == 2
