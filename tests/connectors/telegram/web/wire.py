"""What the tests of the page way share: a connector to a small t.me, and what comes out of it."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar

from connectors.common.http import Http
from connectors.seam import Cursor, Looked, Missed, Observation, Sight
from connectors.telegram import web
from connectors.telegram.config import TelegramConfig
from connectors.telegram.gone import GONE_TYPE, gone_of
from connectors.telegram.post import draft_of
from connectors.telegram.web import Follow
from schemas.item import Draft
from tests.connectors.telegram.naming import names
from tests.connectors.telegram.web.site import Site

EARLY = {"backfill_posts": 1000, "reread_seconds": 600, "poll_seconds": 30}


def filled(posts: int, **more: int) -> Site:
    """Give a channel with so many posts."""
    site = Site()
    for number in range(posts):
        site.post(f"Post {number}.", **more)
    return site


def quick_http(**more: Any) -> Http:
    """Give a client that does not wait between two requests."""
    return Http(**{"spacing_seconds": 0.0, "at_once": 8, **more})


class Page:
    """The page way as a connector of its own."""

    kind: ClassVar[str] = "telegram"
    normaliser: ClassVar[int] = 1
    recorded: ClassVar[bool] = False

    def __init__(self, config: TelegramConfig, http: Http, base: str, **more: Any) -> None:
        self.config = config
        self._follow = Follow(config, http, base, names=names(), **more)

    def observe(self, cursor: Cursor | None) -> AsyncGenerator[Sight]:
        return self._follow.observe(cursor)

    def normalise(self, observation: Observation) -> Draft:
        return normalise(observation)


def normalise(observation: Observation) -> Draft:
    if observation.content_type == GONE_TYPE:
        return draft_of(gone_of(observation.data, observation.place))
    return web.normalise(observation.data, observation.place)


@dataclass
class Seen:
    """What one look gave."""

    drafts: list[Draft] = field(default_factory=list)
    observations: list[Observation] = field(default_factory=list)
    missed: list[Missed] = field(default_factory=list)
    cursor: Cursor | None = None

    @property
    def ids(self) -> list[int]:
        return [int(draft.native_id) for draft in self.drafts]

    @property
    def states(self) -> list[tuple[int, str]]:
        return [(int(draft.native_id), draft.status) for draft in self.drafts]


class Clock:
    """A clock that the test moves; waiting moves it, too."""

    def __init__(self) -> None:
        self.at = datetime(2026, 7, 14, 12, tzinfo=UTC).timestamp()

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.at, UTC)

    def seconds(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.at += seconds


class Watch:
    """One running connector, look by look."""

    def __init__(self, site: Site, base: str, http: Http, **settings: Any) -> None:
        self.site = site
        self.clock = Clock()
        config = TelegramConfig.model_validate({"name": "wire", "channel": site.name, **settings})
        follow = Follow(
            config,
            http,
            base,
            names=names(),
            now=self.clock.now,
            clock=self.clock.seconds,
            sleep=self.clock.sleep,
        )
        self._start: Callable[[Cursor | None], AsyncGenerator[Sight]] = follow.observe
        self._sights: AsyncGenerator[Sight] | None = None

    async def look(self, cursor: Cursor | None = None) -> Seen:
        """Look once; the first time from this cursor."""
        self._sights = self._sights or self._start(cursor)
        seen = Seen()
        async for sight in self._sights:
            if isinstance(sight, Observation):
                seen.observations.append(sight)
                seen.drafts.append(normalise(sight))
                seen.cursor = sight.cursor or seen.cursor
            elif isinstance(sight, Missed):
                seen.missed.append(sight)
            elif isinstance(sight, Looked):
                seen.cursor = sight.cursor
                return seen
        raise AssertionError("it ended")

    async def again(self) -> None:
        """Stop it; the next look starts it anew."""
        if self._sights is not None:
            await self._sights.aclose()
        self._sights = None


@asynccontextmanager
async def watching(site: Site, **settings: Any) -> AsyncIterator[Watch]:
    """Serve a site and follow it."""
    async with site.serve() as base, quick_http() as http:
        watch = Watch(site, base, http, **settings)
        try:
            yield watch
        finally:
            await watch.again()


async def first_sights(site: Site, count: int, cursor: Cursor | None = None, **settings: Any) -> list[Sight]:
    """Give the first sights, then stop."""
    async with site.serve() as base, quick_http() as http:
        config = TelegramConfig.model_validate({"name": "wire", "channel": site.name, **settings})
        found: list[Sight] = []
        async with aclosing(Follow(config, http, base, names=names()).observe(cursor)) as sights:
            async for sight in sights:
                found.append(sight)
                if len(found) == count:
                    break
        return found
