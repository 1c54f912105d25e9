"""Follows the sources of a desk, but for those that are paused."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from pipeline.ingest.follow import PAUSED, Queue, Sighted, Source


class Watch:
    """The tasks that follow a desk's sources.

    Args:
        sources: of the desk.
        queue: of what waits to be written.
        follow: follows one source, until cancelled or its end.
    """

    def __init__(
        self, sources: Sequence[Source], queue: Queue, follow: Callable[[Source], Awaitable[None]]
    ) -> None:
        self._sources = sources
        self._queue = queue
        self._follow = follow
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._resting: set[str] = set()

    async def obey(self, paused: frozenset[str]) -> None:
        """Let sources rest, and others go on from where they stood.

        Behind what a source showed before its rest the queue says that it rests.
        """
        for source in self._sources:
            name = source.name
            if name in paused and name not in self._resting:
                await self._end([name])
                self._resting.add(name)
                await self._queue.put(Sighted(source, PAUSED))
            elif name not in paused and name not in self._tasks:
                self._resting.discard(name)
                self._tasks[name] = asyncio.create_task(self._watch(source), name=f"source {name}")

    async def end(self) -> None:
        """End all tasks, and wait for them."""
        await self._end(list(self._tasks))

    async def _watch(self, source: Source) -> None:
        await self._follow(source)

    async def _end(self, names: Sequence[str]) -> None:
        tasks = [self._tasks.pop(name) for name in names if name in self._tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
