"""Which sources of a desk are followed, and which rest."""

import asyncio
from pathlib import Path

from connectors.recording import Recording, RecordingConfig
from pipeline.ingest.follow import PAUSED, Queue, Source
from pipeline.ingest.watch import Watch


def source(name: str) -> Source:
    config = RecordingConfig(name=name, path=Path("x"))
    return Source(config, Recording(config))


async def test_a_paused_source_rests_and_says_so_behind_what_it_showed() -> None:
    queue: Queue = asyncio.Queue()
    running: set[str] = set()

    async def follow(source: Source) -> None:
        running.add(source.name)
        try:
            await asyncio.Event().wait()
        finally:
            running.remove(source.name)

    watch = Watch([source("a"), source("b")], queue, follow)
    for paused, left, says in (
        ({"a"}, {"b"}, 1),
        ({"a"}, {"b"}, 0),
        (set(), {"a", "b"}, 0),
        ({"a", "b"}, set(), 2),
    ):
        await watch.obey(frozenset(paused))
        await asyncio.sleep(0)
        assert running == left
        assert [queue.get_nowait().sight for _ in range(queue.qsize())] == [PAUSED] * says  # type: ignore[union-attr]
    await watch.obey(frozenset())
    await asyncio.sleep(0)
    assert running == {"a", "b"}
    await watch.end()
    assert running == set()


async def test_a_source_that_ended_is_not_followed_again() -> None:
    begun: list[str] = []

    async def follow(source: Source) -> None:
        begun.append(source.name)

    watch = Watch([source("a")], asyncio.Queue(), follow)
    for _ in range(3):
        await watch.obey(frozenset())
        await asyncio.sleep(0)
    assert begun == ["a"]
