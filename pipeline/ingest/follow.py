"""Follow one source for ever: look, hand over what is seen, back off when looking fails."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import NamedTuple

from structlog.typing import FilteringBoundLogger

from connectors.seam import Connector, Cursor, Looked, Observation, Sight, SourceConfig, SourceFailed
from pipeline.burial import CAUSE_LIMIT, fit
from pipeline.ingest.again import Again
from pipeline.observe.metrics import IngestMetrics
from pipeline.waiting import delay_seconds


@dataclass(slots=True)
class Source:
    """A configured source while it runs.

    Attributes:
        config: its settings.
        connector: what speaks to it.
        cursor: where it stands: behind what it showed last, written or waiting to be.
    """

    config: SourceConfig
    connector: Connector
    cursor: Cursor | None = field(default=None)

    @property
    def name(self) -> str:
        """The configured name."""
        return self.config.name


@dataclass(frozen=True, slots=True)
class Failed:
    """Looking at a source failed."""

    reason: str


@dataclass(frozen=True, slots=True)
class Paused:
    """A source rests, as an operator wished."""


PAUSED = Paused()


@dataclass(frozen=True, slots=True)
class Released:
    """A source comes out of quarantine; what it showed before this and was left out is shown again."""


RELEASED = Released()


class Sighted(NamedTuple):
    """What waits to be written: one sight of one source."""

    source: Source
    sight: Sight | Failed | Paused | Released | Again


Queue = asyncio.Queue[Sighted | None]


async def follow(
    source: Source,
    queue: Queue,
    metrics: IngestMetrics,
    log: FilteringBoundLogger,
    *,
    now: Callable[[], float],
    delay: Callable[..., float] = delay_seconds,
) -> None:
    """Put everything that the source shows on the queue, until it has ended or we are cancelled.

    A failed look never ends it: the next try comes after a back-off, from where the source stands.
    """
    failures = 0
    while True:
        try:
            async with aclosing(source.connector.observe(source.cursor)) as sights:
                async for sight in sights:
                    if isinstance(sight, (Observation, Looked)):
                        failures = 0
                        metrics.next_attempt.labels(source.name).set(0)
                    await queue.put(Sighted(source, sight))
                    source.cursor = getattr(sight, "cursor", None) or source.cursor
                    if isinstance(sight, Looked) and sight.done:
                        log.info("source ended", source=source.name)
                        return
            raise SourceFailed("the connector stopped without an end of its source")  # noqa: TRY301  # one path
        except Exception as problem:  # noqa: BLE001  # whatever a connector raises: one source must not stop the others
            failures += 1
            wait = delay(failures, at_least=getattr(problem, "retry_after", None))
            reason = fit(f"{type(problem).__name__}: {problem}", CAUSE_LIMIT)
            metrics.failures.labels(source.name).inc()
            metrics.next_attempt.labels(source.name).set(now() + wait)
            log.warning(
                "source failed",
                source=source.name,
                reason=reason,
                failures=failures,
                next_seconds=round(wait, 1),
            )
            await queue.put(Sighted(source, Failed(reason)))
            await asyncio.sleep(wait)
