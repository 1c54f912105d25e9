"""The suite that every connector's tests inherit, also those of connectors that live elsewhere.

    class TestFeed(Compliance):
        def world(self, tmp_path: Path) -> World:
            return FeedWorld(tmp_path)

The world is a real wire in small: a file, a local HTTP server, a local MTProto server. The suite runs the
connector against it through ingest's own books, as the daemon does, with Kafka left out: what would be
committed is the batch, and stopping means to go on from the cursor of the last batch that was.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol, cast

import structlog
from prometheus_client import CollectorRegistry

from connectors.seam import Connector, Cursor, Looked, Observation, Remembering, Sight
from pipeline.ingest.batch import Batch
from pipeline.ingest.books import Books
from pipeline.ingest.follow import Failed, Queue, Sighted, Source, follow
from pipeline.observe.metrics import IngestMetrics
from schemas.item import Draft, Item
from schemas.topics import ITEMS

TEXTS = (
    "The ferry is late.",
    "Паром опаздывает на час.",
    "The bridge at Kotka is closed.",
    "Polls are open.",
)
IN_TIME_SECONDS = 2.0


class World(Protocol):
    """A wire in small that the test can change."""

    def connector(self, *, name: str = "wire", unit: str = "main") -> Connector:
        """Give a new connector to this wire, configured under this name and unit."""
        ...

    def publish(self, text: str) -> None:
        """Let a new post appear."""
        ...

    def edit(self, number: int, text: str) -> None:
        """Edit post `number` (0 is the first) as the wire's users would."""
        ...

    def show_old(self, number: int) -> None:
        """Show the first state of post `number` again, as a cache or a late page does."""
        ...

    def fail(self) -> None:
        """Make looking fail from now on."""
        ...

    def mend(self) -> None:
        """Make looking work again."""
        ...


class Desk:
    """Ingest without Kafka: its books, and the revisions that came out."""

    def __init__(self) -> None:
        self.books = Books({}, {})
        self.items: list[Item] = []
        self.cursor: Cursor | None = None

    def take(self, source: Source, sight: Sight) -> None:
        """Enter one sight and commit it."""
        batch = Batch(self.books, lambda: datetime.now(UTC), "")
        batch.add(Sighted(source, sight))
        for packed in batch.records():
            if packed.output.topic is ITEMS and isinstance(packed.output.value, Item):
                self.items.append(packed.output.value)
        batch.settle()
        known = self.books.checkpoint_of(source)
        self.cursor = known.cursor if known else None


async def look(connector: Connector, desk: Desk, *, sights: int | None = None) -> list[Item]:
    """Run a connector from the desk's cursor through one look, or so many sights; give the revisions."""
    source = Source(connector.config, connector)
    before, taken = len(desk.items), 0
    stored = None if desk.cursor is None else json.loads(json.dumps(desk.cursor))
    async with asyncio.timeout(30), aclosing(connector.observe(stored)) as seen:
        async for sight in seen:
            if sights is not None and taken == sights:
                break
            desk.take(source, sight)
            taken += 1
            if isinstance(sight, Looked) and (sight.done or not connector.recorded):
                break
    return desk.items[before:]


class Compliance:
    """What every connector has to do; inherit it and give `world`."""

    def world(self, tmp_path: Path) -> World:
        """Give a wire that shows nothing yet."""
        raise NotImplementedError

    def filled(self, tmp_path: Path) -> World:
        """Give a wire that shows `TEXTS`."""
        world = self.world(tmp_path)
        for text in TEXTS:
            world.publish(text)
        return world

    async def test_every_post_comes_once_and_in_order(self, tmp_path: Path) -> None:
        """First contact brings in what the wire shows."""
        found = await look(self.filled(tmp_path).connector(), Desk())
        assert [item.text for item in found] == list(TEXTS)
        assert len({item.item_id for item in found}) == len(TEXTS)

    async def test_resumes_from_a_checkpoint(self, tmp_path: Path) -> None:
        """A second run brings only what is new."""
        world, desk = self.filled(tmp_path), Desk()
        await look(world.connector(), desk)
        world.publish("One more.")
        assert [item.text for item in await look(world.connector(), desk)] == ["One more."]

    async def test_nothing_is_lost_or_doubled_when_stopped_anywhere(self, tmp_path: Path) -> None:
        """Stop behind every single sight and go on from the cursor that was committed with it."""
        for stop in range(len(TEXTS) + 1):
            folder = tmp_path / str(stop)
            folder.mkdir()
            world, desk = self.filled(folder), Desk()
            await look(world.connector(), desk, sights=stop)
            await look(world.connector(), desk)
            assert [item.text for item in desk.items] == list(TEXTS), f"stopped behind {stop} sights"

    async def test_unchanged_content_gives_no_revision(self, tmp_path: Path) -> None:
        """Looking again without a cursor, as after its loss, changes nothing."""
        world, desk = self.filled(tmp_path), Desk()
        await look(world.connector(), desk)
        desk.cursor = None
        assert await look(world.connector(), desk) == []

    async def test_edited_content_gives_a_revision(self, tmp_path: Path) -> None:
        """The same item, one number higher."""
        world, desk = self.filled(tmp_path), Desk()
        first = await look(world.connector(), desk)
        world.edit(1, "Паром прибыл.")
        (edited,) = await look(world.connector(), desk)
        assert (edited.item_id, edited.revision, edited.text) == (first[1].item_id, 2, "Паром прибыл.")

    async def test_an_old_state_that_comes_back_is_no_edit(self, tmp_path: Path) -> None:
        """A cache that serves yesterday's page makes no revision."""
        world, desk = self.filled(tmp_path), Desk()
        await look(world.connector(), desk)
        world.edit(2, "The bridge at Kotka is open.")
        await look(world.connector(), desk)
        world.show_old(2)
        assert await look(world.connector(), desk) == []

    async def test_renamed_or_moved_it_goes_on_where_it_was(self, tmp_path: Path) -> None:
        """Identity and cursor depend on the wire, not on the configured name or unit."""
        world, desk = self.filled(tmp_path), Desk()
        first = await look(world.connector(name="old", unit="main"), desk)
        again = await look(world.connector(name="new", unit="north"), Desk())
        assert [item.item_id for item in again] == [item.item_id for item in first]
        assert await look(world.connector(name="new", unit="north"), desk) == []

    async def test_normalise_is_pure(self, tmp_path: Path) -> None:
        """The same bytes give the same draft, whoever configured the source."""
        world = self.filled(tmp_path)
        one, other = world.connector(), world.connector(name="other")
        async with aclosing(one.observe(None)) as sights:
            seen = [sight async for sight in _until_looked(sights) if isinstance(sight, Observation)]
        assert seen
        for sight in seen:
            assert one.normalise(sight).dump() == one.normalise(sight).dump() == other.normalise(sight).dump()

    async def test_a_changed_reading_is_no_edit(self, tmp_path: Path) -> None:
        """A connector that remembers former readings: what one of them took in is not taken in again."""
        world = self.filled(tmp_path)
        connector = world.connector()
        if not isinstance(connector, Remembering):
            return
        desk = Desk()
        former = cast("Connector", _Former(connector, connector.normaliser - 1))
        assert len(await look(former, desk)) == len(TEXTS), "the version before must not be forgotten"
        desk.cursor = None
        assert await look(connector, desk) == []
        world.edit(1, "Паром прибыл.")
        assert [item.revision for item in await look(world.connector(), desk)] == [2]

    async def test_cancellation_ends_in_time(self, tmp_path: Path) -> None:
        """A cancelled connector lets go at once."""
        world = self.filled(tmp_path)
        queue: Queue = asyncio.Queue(1)  # nobody empties it: the connector is held back
        task = asyncio.create_task(_follow(world.connector(), queue))
        await asyncio.wait_for(queue.get(), IN_TIME_SECONDS)
        task.cancel()
        await asyncio.wait({task}, timeout=IN_TIME_SECONDS)
        assert task.done()

    async def test_an_error_is_put_off_and_not_the_end(self, tmp_path: Path) -> None:
        """Looking fails, is tried again after a back-off, and brings everything once it works."""
        world = self.filled(tmp_path)
        world.fail()
        queue: Queue = asyncio.Queue()
        task = asyncio.create_task(_follow(world.connector(), queue))
        try:
            failed = await asyncio.wait_for(queue.get(), IN_TIME_SECONDS)
            assert failed is not None
            assert isinstance(failed.sight, Failed)
            assert failed.sight.reason
            world.mend()
            texts: list[str] = []
            while len(texts) < len(TEXTS):
                sighted = await asyncio.wait_for(queue.get(), 10)
                if sighted is not None and isinstance(sighted.sight, Observation):
                    texts.append(sighted.source.connector.normalise(sighted.sight).text)
            assert texts == list(TEXTS)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


class _Former:
    """A connector as it was when its normaliser had another number."""

    def __init__(self, connector: Connector, version: int) -> None:
        self.config, self.kind, self.recorded = connector.config, connector.kind, connector.recorded
        self.observe = connector.observe
        self.normaliser = version
        self._connector = connector

    def normalise(self, observation: Observation) -> Draft:
        assert isinstance(self._connector, Remembering)
        return self._connector.normalise_as(self.normaliser, observation)


async def _until_looked(sights: AsyncIterator[Sight]) -> AsyncIterator[Sight]:
    async for sight in sights:
        yield sight
        if isinstance(sight, Looked):
            return


async def _follow(connector: Connector, queue: Queue) -> None:
    metrics = IngestMetrics(CollectorRegistry())
    log = structlog.get_logger()
    await follow(
        Source(connector.config, connector), queue, metrics, log, now=lambda: 0.0, delay=lambda *_, **__: 0.05
    )
