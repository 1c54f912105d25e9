"""A t.me in small on loopback: one channel in memory, served as its real page is."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from aiohttp import web

from tests.telegram.pages import Shown, page

START = datetime(2026, 7, 4, 12, tzinfo=UTC)


@dataclass
class Site:
    """The channel, and how its site behaves.

    Attributes:
        posts: by the id of their first message.
        seconds: what the site's clock says; every change moves it on by a minute.
        asked: the requests so far, as path and query.
        cached: pages that are served from a cache, so many times.
        spoil: makes of a page what is sent.
        refuse: status, and Retry-After, of every answer.
    """

    name: str = "BricsNews"
    channel: int = 1_259_934_336
    title: str = "BRICS News 📮"
    posts: dict[int, Shown] = field(default_factory=dict)
    next_id: int = 1
    seconds: int = int(START.timestamp())
    asked: list[str] = field(default_factory=list)
    cached: dict[str, tuple[str, int]] = field(default_factory=dict)
    spoil: Callable[[str], str] = field(default=lambda html: html)
    refuse: tuple[int, str | None] | None = None
    preview: bool = True

    def now(self) -> str:
        """Spell the site's time."""
        return datetime.fromtimestamp(self.seconds, UTC).isoformat()

    def post(self, text: str = "", *, parts: int = 1, skip: int = 0, **more: object) -> int:
        """Publish a post; give the id of its first message."""
        self.seconds += 60
        first = self.next_id + skip
        ids = tuple(range(first, first + parts))
        self.next_id = first + parts
        self.posts[first] = Shown(ids, self.now(), text, **more)  # type: ignore[arg-type]
        return first

    def edit(self, first: int, text: str) -> None:
        """Edit a post's text."""
        self.seconds += 60
        self.posts[first] = replace(self.posts[first], text=text, entities=[], edited=True)

    def delete(self, first: int) -> None:
        """Delete a post."""
        self.seconds += 60
        del self.posts[first]

    def render(self, *, before: int | None = None, after: int | None = None) -> str:
        """Render a page as it is now."""
        return page(
            self.posts.values(),
            name=self.name,
            channel=self.channel,
            title=self.title,
            rendered=self.seconds,
            before=before,
            after=after,
        )

    def keep(self, query: str = "", *, times: int = 1) -> None:
        """Keep the page of this query in a cache, which serves it so many times."""
        way, _, at = query.removeprefix("?").partition("=")
        self.cached[query] = (self.render(**({way: int(at)} if at else {})), times)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer one request."""
        query = f"?{request.query_string}" if request.query_string else ""
        self.asked.append(f"{request.path}{query}")
        if self.refuse is not None:
            status, wait = self.refuse
            return web.Response(status=status, headers={"Retry-After": wait} if wait else {})
        named = request.match_info["name"]
        if named.casefold() != self.name.casefold() or not self.preview:
            raise web.HTTPFound(f"/{named}")
        html, left = self.cached.get(query, ("", 0))
        if left:
            self.cached[query] = (html, left - 1)
        else:
            before, after = (request.query.get(way) for way in ("before", "after"))
            html = self.render(before=int(before) if before else None, after=int(after) if after else None)
        return web.Response(text=self.spoil(html), content_type="text/html")

    async def contact(self, request: web.Request) -> web.StreamResponse:
        """Answer with what stands at t.me/NAME: who it is, and no posts."""
        body = '<div class="tgme_page_title">A group</div>'
        return web.Response(text=f"<html><body>{body}</body></html>", content_type="text/html")

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[str]:
        """Serve it on loopback; give its address."""
        app = web.Application()
        app.router.add_get("/s/{name}", self.answer)
        app.router.add_get("/{name}", self.contact)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        try:
            where = web.TCPSite(runner, "127.0.0.1", 0)
            await where.start()
            host, port = runner.addresses[0][:2]
            yield f"http://{host}:{port}"
        finally:
            await runner.cleanup()

    def advance(self, passed: timedelta) -> None:
        """Let time pass."""
        self.seconds += int(passed.total_seconds())
