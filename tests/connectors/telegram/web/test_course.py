"""Long courses of a channel, by chance: what ingest has in the end is what the channel shows."""

import json
import random

import pytest

from connectors.seam import Looked, Observation
from connectors.telegram.config import TelegramConfig
from pipeline.compliance import Desk
from pipeline.ingest.follow import Source
from schemas.item import Item
from tests.connectors.telegram.web.site import Site
from tests.connectors.telegram.web.wire import Clock, Page, quick_http

WINDOW = 60


class Course:
    """A channel, a connector that is stopped and started, and ingest's books."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.site, self.desk, self.clock = Site(), Desk(), Clock()
        self.ever: set[int] = set()

    def change(self) -> None:
        """Let the channel do something."""
        alive = sorted(self.site.posts)[-WINDOW // 2 :]
        what = self.chance.choice(["post"] * 5 + ["album", "edit", "delete", "burst"])
        if what == "edit" and alive:
            self.site.edit(self.chance.choice(alive), f"Edited {self.chance.random()}.")
        elif what == "delete" and len(alive) > 5:
            self.site.delete(self.chance.choice(alive))
        else:
            for _ in range(self.chance.randint(20, 50) if what == "burst" else 1):
                parts = self.chance.randint(2, 10) if what == "album" else 1
                media = self.chance.choice(["", "", "photo"])
                text = f"Post {self.chance.random()}."
                self.site.post(text, parts=parts, skip=self.chance.randint(0, 2), media=media)

    async def look(self, connector: Page, *, sights: int | None) -> None:
        """Look from the committed cursor, through one look or so many sights."""
        source = Source(connector.config, connector)
        stored = None if self.desk.cursor is None else json.loads(json.dumps(self.desk.cursor))
        seen = connector.observe(stored)
        taken = 0
        async for sight in seen:
            if sights is not None and taken == sights:
                break
            self.desk.take(source, sight)
            taken += isinstance(sight, Observation)
            if isinstance(sight, Looked) and self.chance.random() < 0.5:
                break
            if isinstance(sight, Looked):
                self.clock.at += self.chance.choice([0, 700])
                self.change()
        await seen.aclose()

    def newest(self) -> dict[int, Item]:
        """Give the newest revision of each post."""
        return {int(item.native_id): item for item in self.desk.items if not item.late}


@pytest.mark.parametrize("seed", range(6))
async def test_in_the_end_ingest_has_what_the_channel_shows(seed: int) -> None:
    course = Course(seed)
    async with course.site.serve() as base, quick_http() as http:
        config = TelegramConfig(
            name="wire",
            channel=course.site.name,
            backfill_posts=10_000,
            reread_posts=WINDOW,
            reread_seconds=600,
        )

        def connector() -> Page:
            clock = course.clock
            return Page(config, http, base, now=clock.now, clock=clock.seconds, sleep=clock.sleep)

        for _ in range(15):
            for _ in range(course.chance.randint(0, 4)):
                course.change()
            sights = course.chance.choice([None, None, 0, 1, 7])
            await course.look(connector(), sights=sights)
        course.site.post("The last one: all before it is bracketed.")
        course.chance.random = lambda: 0.0  # type: ignore[method-assign]  # one look
        await course.look(connector(), sights=None)
    known = course.newest()
    shown = course.site.posts
    assert {one for one, item in known.items() if item.status == "usable"} >= set(shown)
    for first in sorted(shown)[-WINDOW:]:
        item = known[first]
        assert item.text == shown[first].text
        assert item.alt_ids.get("message", str(first)) == ",".join(map(str, shown[first].ids))
    window = sorted(one for one in known if one >= sorted(shown)[-WINDOW:][0])
    assert [one for one in window if known[one].status == "withdrawn"] == [
        one for one in window if one not in shown
    ]
    firsts = [int(item.native_id) for item in course.desk.items if item.revision == 1]
    assert len(firsts) == len(set(firsts))
    assert not course.desk.books.letters
    revisions = {(item.item_id, item.revision) for item in course.desk.items}
    assert len(revisions) == len(course.desk.items)
