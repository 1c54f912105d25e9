"""Fetching the pages of one channel, and proving by overlap that nothing lies between them."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from urllib.parse import urlsplit

from connectors.common.http import Http
from connectors.seam import SourceFailed
from connectors.telegram.web.page import Page, read
from connectors.telegram.web.standing import Shown, Standing, shown_by

PAGE_MESSAGES = 20
"""A page shows no more messages; each part of an album counts."""
LONGEST_WALK = 500
"""Pages that are gone through at once, backwards: far more than any window has."""
STALE_TRIES = 3
"""Looks past a cache before the look counts as failed."""


class Pages:
    """The pages of one channel.

    Args:
        http: fetches them, politely.
        asked: the channel's public name, as configured.
        base: where t.me is.
        standing: of the channel; every page is checked against it.
        pause_seconds: before a page from a cache is asked for again.
        now: UTC.
        sleep: waits.
    """

    def __init__(
        self,
        http: Http,
        asked: str,
        base: str,
        standing: Standing,
        *,
        pause_seconds: float,
        now: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._http = http
        self._address = f"{base}/s/{asked}"
        self._asked = asked
        self._standing = standing
        self._pause_seconds = pause_seconds
        self._now = now
        self._sleep = sleep

    async def newest(self) -> Shown:
        """Give what the newest page shows."""
        return shown_by(await self._page(""), whole_head=False, whole_tail=True)

    async def before(self, post: int) -> Shown:
        """Give the page of what is directly before a post."""
        return shown_by(await self._page(f"?before={post}"), whole_head=False, whole_tail=True)

    async def behind(self, message: int) -> Shown:
        """Give the page of what is directly behind a message, the last one of its post; 0: the first page."""
        if message > 0:
            return shown_by(await self._page(f"?after={message}"), whole_head=True, whole_tail=False)
        first = await self._page(f"?before={PAGE_MESSAGES + 1}")  # ?after=0 might mean anything
        if first.blocks or first.lost:
            return shown_by(first, whole_head=True, whole_tail=False)
        return await self.behind(PAGE_MESSAGES)

    async def down_to(self, shown: Shown, enough: Callable[[Shown], bool]) -> Shown:
        """Go on downwards from what is shown until it is enough or the channel's beginning.

        Each page is asked for with what is directly before the lowest post, so nothing lies between.

        Raises:
            SourceFailed: paging leads nowhere.
        """
        for _ in range(LONGEST_WALK):
            if shown.beginning or shown.lowest is None or enough(shown):
                return shown
            below = await self.before(shown.lowest)
            if below.lowest is None:
                return Shown(shown.blocks, shown.lost, beginning=True)
            if below.lowest >= shown.lowest:
                break
            shown = shown.joined(below)
        raise SourceFailed(
            f"{self._address}?before={shown.lowest}: paging backwards leads nowhere; "
            f"the page has changed, follow the channel with `via: api`"
        )

    async def _page(self, query: str) -> Page:
        """Fetch a page; one from a cache is asked for again, some times.

        Raises:
            SourceFailed: no page of this channel, or only an old one.
        """
        standing = self._standing
        url = f"{self._address}{query}"
        for tried in range(STALE_TRIES):
            if tried:
                await self._sleep(self._pause_seconds)
            answer = await self._http.get(url)
            if "/s/" not in urlsplit(answer.url).path:
                raise SourceFailed(
                    f"{url}: leads to {answer.url}: there is no such channel, or its preview is disabled; "
                    f"correct `channel`, or follow it with `via: api`"
                )
            page = read(answer.body, self._asked, url)
            standing.meet(page, self._asked, url)
            if not standing.stale(page):
                standing.date(page, self._now())
                return page
        older = standing.rendered - (page.rendered or 0)
        raise SourceFailed(
            f"{url}: only a page from a cache, {older} s older than one that was seen before; nothing is "
            f"taken from it, the next look may find a fresh one"
        )
