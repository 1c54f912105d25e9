"""Following a public channel through its page, without an account.

Every look asks for the newest page. Where it does not reach down to what is proved, the pages between are
asked for, forwards; each has to overlap with what is proved before anything of it is taken in. From time to
time a look goes down as far as posts are read again: what changed there is an edit, and what is missing
between two posts that are shown is gone. A page that is older than one seen
before comes from a cache and is no look.

What a page cannot tell: when a post was edited, what is shown only in the app, and that the newest post is
gone until there is another one behind it. Posts below those that are read again are not looked at.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime

from connectors.common.http import Http
from connectors.seam import Cursor, Looked, Missed, Observation, Sight, SourceFailed
from connectors.telegram.config import TelegramConfig
from connectors.telegram.gone import GONE_TYPE, gone_bytes
from connectors.telegram.names import Names
from connectors.telegram.web.block import PAGE_TYPE
from connectors.telegram.web.page import Block
from connectors.telegram.web.pages import Pages
from connectors.telegram.web.standing import Shown, Standing, events
from schemas.stamp import Stamp

BASE = "https://t.me"


def utc_now() -> datetime:
    """Give the time."""
    return datetime.now(UTC)


class Follow:
    """Follows one channel through its page.

    Args:
        config: of the channel.
        http: shared by all sources of the process.
        base: where t.me is.
        names: of the channels of the process.
        now: UTC.
        clock: seconds that never run backwards.
        sleep: waits.
    """

    def __init__(
        self,
        config: TelegramConfig,
        http: Http,
        base: str = BASE,
        *,
        names: Names,
        now: Callable[[], datetime] = utc_now,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._config = config
        self._http = http
        self._base = base.rstrip("/")
        self._names = names
        self._now = now
        self._clock = clock
        self._sleep = sleep
        self._told: set[str] = set()

    async def observe(self, cursor: Cursor | None) -> AsyncGenerator[Sight]:
        """Follow the channel from the cursor on, for ever.

        Raises:
            SourceFailed: a look failed: no answer, no such page, another channel under this name.
        """
        config = self._config
        standing = Standing.of(cursor, config.channel, reread_posts=config.reread_posts)
        pages = Pages(
            self._http,
            config.channel,
            self._base,
            standing,
            pause_seconds=config.poll_seconds,
            now=self._now,
            sleep=self._sleep,
        )
        due = self._clock()
        while True:
            began, started = self._now(), self._clock()
            deep = started >= due
            async for sight in self._look(standing, pages, began, deep=deep):
                yield sight
            yield Looked(cursor=standing.cursor())
            due = started + config.reread_seconds if deep else due
            await self._sleep(config.poll_seconds)

    async def _look(
        self, standing: Standing, pages: Pages, began: datetime, *, deep: bool
    ) -> AsyncGenerator[Sight]:
        """Look once: everything the channel shows has been yielded when this ends."""
        shown = await pages.newest()
        self._names.tell(self._config, standing.name)
        if shown.lowest is None and standing.known:
            raise SourceFailed(
                f"@{standing.name}: shows no posts, and had {len(standing.known)} before; that is no look"
            )
        if standing.last is None:
            standing.last = await self._start(pages, shown)
            standing.backlog = shown.highest
        if not shown.reaches(standing.last):
            async for sight in self._catch_up(standing, pages, began):
                yield sight
            shown = await pages.newest()
        last = standing.last
        shown = await pages.down_to(shown, lambda it: it.reaches(last))
        for sight in self._sights(standing, shown, began):
            yield sight
        if deep and standing.known:
            lowest = min(standing.known)
            shown = await pages.down_to(shown, lambda it: (it.lowest or 0) <= lowest)
            for sight in self._sights(standing, shown, began):
                yield sight
        standing.end(shown.prints, began)

    async def _start(self, pages: Pages, shown: Shown) -> int:
        """Give the message id behind which first contact begins."""
        posts, since = self._config.backfill_posts, self._config.backfill_since
        count = 0
        while shown.lowest is not None:
            for first in sorted(shown.blocks, reverse=True):
                block = shown.blocks[first]
                if _before(block, since) if since else count == posts:
                    return block.messages[-1]
                count += 1
            lowest = shown.lowest
            shown = await pages.before(lowest)
            if shown.lowest is None:
                return lowest - 1
        return 0

    async def _catch_up(self, standing: Standing, pages: Pages, began: datetime) -> AsyncGenerator[Sight]:
        """Go forwards from what is proved, page by page, until the newest."""
        again = max(standing.known, default=0)  # the last post is shown once more: that is the overlap
        while True:
            last = standing.last or 0
            shown = await pages.behind(again - 1 if again > 1 else last)
            shown = await pages.down_to(shown, lambda it, last=last: it.reaches(last))  # type: ignore[misc]
            for sight in self._sights(standing, shown, began):
                yield sight
            standing.settle(shown.prints, began)
            moved = (standing.last or 0) > last
            if not (moved or again):
                return
            again = max(standing.known, default=0) if moved else 0

    def _sights(self, standing: Standing, shown: Shown, began: datetime) -> Iterator[Sight]:
        """Give what a run of blocks changes, ascending."""
        if (missed := _missed(standing, shown, began)) is not None:
            standing.last = (shown.lowest or 0) - 1
            yield replace(missed, cursor=standing.cursor())
        yield from self._lost(standing, shown)
        for post, there in events(standing, shown):
            if there:
                yield self._shown(standing, shown.blocks[post])
            else:
                yield self._gone(standing, post, began)

    def _shown(self, standing: Standing, block: Block) -> Observation:
        post, fresh = block.first, block.first not in standing.known
        absent = standing.complete if fresh else standing.had.get(post)
        backlog = fresh and post <= standing.backlog
        standing.learn(post, block.messages[-1], block.print)
        return Observation(
            data=block.data,
            content_type=PAGE_TYPE,
            place=f"{self._base}/s/{standing.name}/{post}",
            cursor=standing.cursor(),
            absent=None if backlog else absent,
            backlog=backlog,
        )

    def _gone(self, standing: Standing, post: int, began: datetime) -> Observation:
        absent = standing.forget(post)
        return Observation(
            data=gone_bytes([post], standing.channel or 0, standing.name, began),
            content_type=GONE_TYPE,
            place=f"{self._base}/s/{standing.name}/{post}",
            cursor=standing.cursor(),
            absent=absent,
        )

    def _lost(self, standing: Standing, shown: Shown) -> Iterator[Observation]:
        """Give the blocks whose ids cannot be read: each becomes a dead letter, once."""
        for block in shown.lost:
            place = f"{self._base}/s/{standing.name}/{block.behind}, the block behind it"
            if place not in self._told:
                self._told.add(place)
                yield Observation(data=block.data, content_type=PAGE_TYPE, place=place)


def _before(block: Block, since: datetime) -> bool:
    """Say whether a post was published before this; not, where its time cannot be read."""
    published = Stamp.parse(block.post.date).hi if block.post and block.post.date else None
    return published is not None and published < since


def _missed(standing: Standing, shown: Shown, began: datetime) -> Missed | None:
    """Say what cannot be reached any more: the channel's history begins behind what was proved."""
    last, lowest = standing.last, shown.lowest
    if not last or lowest is None or lowest <= last + 1:
        return None
    return Missed(
        since=standing.complete,
        until=began,
        reason=f"@{standing.name}: posts {last + 1} to {lowest - 1}, if there were any, cannot be reached: "
        f"the page shows nothing before {lowest} any more",
    )
