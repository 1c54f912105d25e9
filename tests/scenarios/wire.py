"""A live wire that a test writes, and ingest that follows it, in this process."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import structlog
from prometheus_client import CollectorRegistry

from connectors.seam import Cursor, Looked, Observation, Sight, SourceConfig, Unreadable
from pipeline.daemon.compose import ensure_topics
from pipeline.ingest.clock import Clock
from pipeline.ingest.follow import Source
from pipeline.ingest.ingest import Ingest
from pipeline.kafka import Reader
from pipeline.observe.health import Health
from pipeline.observe.metrics import IngestMetrics
from schemas.base import Record
from schemas.cloudevents import decode
from schemas.item import Draft
from schemas.topics import Topic
from tests.scenarios.desk import Desk

POLL_SECONDS = 0.05
WAIT_SECONDS = 60


class WireConfig(SourceConfig):
    """A list of posts."""

    kind: Literal["wire"] = "wire"


def as_text(post: bytes) -> Mapping[str, Any]:
    return {"text": post.decode()}


def unreadable(_: bytes) -> Mapping[str, Any]:
    raise Unreadable("no post of any kind that we know")


@dataclass
class Wire:
    """Posts that are appended, and how they are read.

    Attributes:
        posts: all there ever were; a look shows those behind the cursor.
        read: gives a draft's fields; what it raises makes the post unreadable.
    """

    posts: list[bytes] = field(default_factory=list)
    read: Callable[[bytes], Mapping[str, Any]] = as_text


class Follower:
    """Follows a wire; the cursor counts the posts behind us."""

    kind: ClassVar[str] = "wire"
    recorded: ClassVar[bool] = False
    normaliser: int = 1

    def __init__(self, config: SourceConfig, wire: Wire, version: int) -> None:
        self.config = config
        self.normaliser = version
        self._wire = wire

    async def observe(self, cursor: Cursor | None) -> AsyncGenerator[Sight]:
        behind = int(cursor["behind"]) if cursor else 0
        while True:
            for number, post in list(enumerate(self._wire.posts))[behind:]:
                behind = number + 1
                yield Observation(post, "text/plain", f"wire/{number}", {"behind": behind})
            yield Looked({"behind": behind})
            await asyncio.sleep(POLL_SECONDS)

    def normalise(self, observation: Observation) -> Draft:
        number = observation.place.rpartition("/")[2]
        fields = self._wire.read(observation.data)
        return Draft(item_id=f"wire/{number}", source="wire", native_id=number, **fields)


@asynccontextmanager
async def followed(desk: Desk, wire: Wire, *, version: int = 1) -> AsyncIterator[Health]:
    """Run ingest on a wire, named as `wire`, until the block is left; give what it says of its health."""
    await ensure_topics(desk.settings, desk.prefix, desk.log)
    config, health, stop = WireConfig(name="wire"), Health("ingest"), asyncio.Event()
    follower: Any = Follower(config, wire, version)
    ingest = Ingest(
        lambda _: [config],
        lambda one: Source(one, follower),
        settings=desk.settings,
        prefix=desk.prefix,
        metrics=IngestMetrics(CollectorRegistry()),
        health=health,
        log=structlog.get_logger(),
        clock=Clock(),
    )
    task = asyncio.create_task(ingest.run(stop))
    try:
        yield health
        assert not task.done(), task.exception()
    finally:
        stop.set()
        await task


async def values(desk: Desk, topic: Topic) -> list[Record | None]:
    """Give the messages of a topic, in order within a partition."""
    reader = await Reader.open(desk.settings, topic.full(desk.prefix))
    try:
        records = [record async for some in reader.read_to_end() for record in some]
    finally:
        await reader.close()
    return [decode(one.headers, one.value, topic.types).data for one in records]


async def until(desk: Desk, topic: Topic, true: Callable[[list[Any]], bool]) -> list[Any]:
    """Wait until a topic's messages are as they should be, and give them."""
    async with asyncio.timeout(WAIT_SECONDS):
        while True:
            found = await values(desk, topic)
            if true(found):
                return found
            await asyncio.sleep(POLL_SECONDS)
