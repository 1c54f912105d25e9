"""What a supervisor's children serve, asked for and put together."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import Any, Protocol, Self

from aiohttp import ClientError, ClientSession, ClientTimeout
from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from pipeline.observe.health import Part

CHILD_SECONDS = 2.0
"""How long a child may take to answer before it is left out."""
ACCEPT = {"Accept": "application/openmetrics-text; version=1.0.0"}
OF_EVERY_PROCESS = ("process_", "python_")
SILENCE = (ClientError, TimeoutError, ValueError, KeyError, TypeError)
"""What it looks like when a child, or a stranger in its place, does not answer properly."""


class Child(Protocol):
    """A process that serves its own metrics and health."""

    @property
    def role(self) -> str:
        """What it does."""

    @property
    def port(self) -> int:
        """Where it serves; 0 if nobody knows."""


class Children:
    """Asks the children, all at once."""

    def __init__(self, session: ClientSession, children: Sequence[Child], host: str) -> None:
        self._session = session
        self._children = children
        self._host = f"[{host}]" if ":" in host else host

    @classmethod
    @asynccontextmanager
    async def reached(cls, children: Sequence[Child], host: str) -> AsyncIterator[Self]:
        """Hold connections to the children, which listen on `host`, while the block runs."""
        async with ClientSession(timeout=ClientTimeout(total=CHILD_SECONDS)) as session:
            yield cls(session, children, host)

    async def pages(self) -> dict[str, list[Metric]]:
        """Give the metrics of each that answers, by role."""
        pages = await asyncio.gather(*(self._page(child) for child in self._children))
        return {child.role: page for child, page in zip(self._children, pages, strict=True)}

    async def readiness(self) -> dict[str, dict[str, Any]]:
        """Give what each says of itself, by role; one that does not answer is not ready."""
        answers = await asyncio.gather(*(self._readiness(child) for child in self._children))
        return {child.role: answer for child, answer in zip(self._children, answers, strict=True)}

    async def _page(self, child: Child) -> list[Metric]:
        try:
            async with self._session.get(self._url(child, "metrics"), headers=ACCEPT) as response:
                return parsed(await response.text())
        except SILENCE:
            return []

    async def _readiness(self, child: Child) -> dict[str, Any]:
        try:
            async with self._session.get(self._url(child, "readyz")) as response:
                answer = await response.json()
                return {"ready": answer["ready"] is True, "parts": answer["parts"]}
        except SILENCE:
            silent = Part(ready=False, note=f"does not answer on port {child.port}")
            return {"ready": False, "parts": {child.role: asdict(silent)}}

    def _url(self, child: Child, path: str) -> str:
        return f"http://{self._host}:{child.port}/{path}"


def parsed(page: str) -> list[Metric]:
    """Read a page in the OpenMetrics format.

    Raises:
        ValueError: it is no such page.
    """
    parse: Callable[[str], Iterable[Metric]] = text_string_to_metric_families
    return list(parse(page))


class Merged(Collector):
    """The metrics of several processes as one page, each family once.

    What every process has (`process_*`, `python_*`), and what two of them say with the same labels, gets
    the label `process`: the role of the process that says it.
    """

    def __init__(self, pages: Mapping[str, Iterable[Metric]]) -> None:
        self._pages = pages

    def collect(self) -> Iterator[Metric]:
        """Yield the families, in the order of their first appearance."""
        families: dict[str, list[tuple[str, Metric]]] = {}
        for role, page in self._pages.items():
            for metric in page:
                families.setdefault(metric.name, []).append((role, metric))
        for parts in families.values():
            yield merged(parts)


def merged(parts: Sequence[tuple[str, Metric]]) -> Metric:
    """Make one family of the same family of several roles."""
    first = parts[0][1]
    said = Counter((s.name, *sorted(s.labels.items())) for _, metric in parts for s in metric.samples)
    told_apart = first.name.startswith(OF_EVERY_PROCESS) or any(times > 1 for times in said.values())
    family = Metric(first.name, first.documentation, first.type, first.unit)
    for role, metric in parts:
        extra = {"process": role} if told_apart else {}
        family.samples += [sample._replace(labels={**sample.labels, **extra}) for sample in metric.samples]
    return family
