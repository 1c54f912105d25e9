"""Polite HTTP, against a real server."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web

from connectors.common.http import LONGEST_WAIT_SECONDS, Http, agent, retry_after
from connectors.seam import SourceFailed

NOW = datetime(2026, 7, 4, 12, tzinfo=UTC)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def served(**handlers: Handler) -> AsyncIterator[str]:
    app = web.Application()
    for name, handler in handlers.items():
        app.router.add_get(f"/{name}", handler)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def saying(text: str = "ok", status: int = 200, **headers: str) -> Handler:
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    async def handler(request: web.Request) -> web.StreamResponse:
        return web.Response(status=status, text=text, headers=named)

    return handler


async def test_what_an_answer_tells() -> None:
    told = saying("мир", ETag='"a1"', Last_Modified="Sat, 04 Jul 2026 11:00:00 GMT")
    async with served(page=told) as base, Http() as http:
        answer = await http.get(f"{base}/page")
    assert (answer.status, answer.body.decode(), answer.etag) == (200, "мир", '"a1"')
    assert answer.modified == "Sat, 04 Jul 2026 11:00:00 GMT"
    assert answer.date is not None
    assert answer.content_type.startswith("text/plain")
    assert (answer.url, answer.hops, answer.moved) == (f"{base}/page", (), None)


async def test_it_says_who_it_is_and_gives_back_what_it_knows() -> None:
    seen: list[dict[str, str]] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        seen.append(dict(request.headers))
        return web.Response(status=304, headers={"ETag": '"a1"'})

    async with served(page=handler) as base, Http(user_agent=agent("https://example.org/wire")) as http:
        answer = await http.get(f"{base}/page", etag='"a1"', modified="Sat, 04 Jul 2026 11:00:00 GMT")
    assert answer.unchanged
    assert answer.body == b""
    assert seen[0]["User-Agent"].startswith("Dateline/")
    assert seen[0]["User-Agent"].endswith(" (+https://example.org/wire)")
    assert seen[0]["If-None-Match"] == '"a1"'
    assert seen[0]["If-Modified-Since"] == "Sat, 04 Jul 2026 11:00:00 GMT"
    assert "(" not in agent()


async def test_cookies_are_not_kept() -> None:
    seen: list[str | None] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        seen.append(request.headers.get("Cookie"))
        return web.Response(headers={"Set-Cookie": "a=1"})

    async with served(page=handler) as base, Http(spacing_seconds=0) as http:
        await http.get(f"{base}/page")
        await http.get(f"{base}/page")
    assert seen == [None, None]


@pytest.mark.parametrize(
    ("first", "second", "for_good"), [(301, 308, "moved"), (301, 302, ""), (307, 303, "")]
)
async def test_redirects_are_followed_and_told(first: int, second: int, for_good: str) -> None:
    async with (
        served(
            a=saying(status=first, Location="/b"), b=saying(status=second, Location="c"), c=saying("here")
        ) as base,
        Http(spacing_seconds=0) as http,
    ):
        answer = await http.get(f"{base}/a")
    assert answer.body == b"here"
    assert answer.url == f"{base}/c"
    assert answer.hops == (f"{base}/a", f"{base}/b")
    assert answer.moved == (f"{base}/c" if for_good else None)


async def test_a_circle_of_redirects_ends() -> None:
    async with (
        served(a=saying(status=302, Location="/b"), b=saying(status=302, Location="/a")) as base,
        Http(spacing_seconds=0) as http,
    ):
        with pytest.raises(SourceFailed, match="more than 5 redirects"):
            await http.get(f"{base}/a")


async def test_only_web_addresses_are_followed() -> None:
    async with served(a=saying(status=302, Location="file:///etc/passwd")) as base, Http() as http:
        with pytest.raises(SourceFailed, match="which is no web address"):
            await http.get(f"{base}/a")


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 500, 502])
async def test_a_status_that_says_no_is_told(status: int) -> None:
    async with served(a=saying(status=status)) as base, Http() as http:
        with pytest.raises(SourceFailed, match=f"/a: HTTP {status}") as problem:
            await http.get(f"{base}/a")
    assert problem.value.retry_after is None


@pytest.mark.parametrize("status", [429, 503])
async def test_who_asks_to_wait_is_left_alone_by_everybody_and_nobody_else_is(status: int) -> None:
    calls: list[str] = []
    ticks = [100.0]

    async def busy(request: web.Request) -> web.StreamResponse:
        calls.append(request.path)
        return web.Response(status=status, headers={"Retry-After": "60"})

    async with (
        served(a=busy, b=saying()) as base,
        served(a=saying()) as other,
        Http(spacing_seconds=0, clock=lambda: ticks[0]) as http,
    ):
        with pytest.raises(SourceFailed, match=f"HTTP {status}.*Retry-After: 60") as problem:
            await http.get(f"{base}/a")
        assert problem.value.retry_after == 60
        ticks[0] += 20
        with pytest.raises(SourceFailed, match="left alone for 40 s more") as problem:
            await http.get(f"{base}/b")
        assert problem.value.retry_after == 40
        assert (await http.get(f"{other}/a")).status == 200
        ticks[0] += 41
        assert (await http.get(f"{base}/b")).status == 200
    assert calls == ["/a"]


async def test_requests_to_a_host_keep_their_distance() -> None:
    waits: list[float] = []
    ticks = [0.0]
    real = asyncio.sleep

    async def sleep(seconds: float) -> None:
        waits.append(round(seconds, 3))
        ticks[0] += seconds
        await real(0)

    spaced = Http(spacing_seconds=2, jitter=0.5, chance=lambda: 0.5, clock=lambda: ticks[0], sleep=sleep)
    async with served(a=saying()) as base, served(a=saying()) as other, spaced as http:
        for _ in range(3):
            await http.get(f"{base}/a")
        await http.get(f"{other}/a")
    assert waits == [0, 2.5, 2.5, 0]


async def test_no_more_at_once_than_allowed() -> None:
    running, most = 0, 0
    gate = asyncio.Event()

    async def slow(request: web.Request) -> web.StreamResponse:
        nonlocal running, most
        running += 1
        most = max(most, running)
        if running == 2:
            gate.set()
        await gate.wait()
        running -= 1
        return web.Response()

    async with served(a=slow) as base, Http(spacing_seconds=0, at_once=2) as http:
        await asyncio.gather(*(http.get(f"{base}/a") for _ in range(6)))
    assert most == 2


async def test_who_does_not_answer_in_time_is_told() -> None:
    never = asyncio.Event()

    async def silent(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"half")
        await never.wait()
        return response

    async with served(a=silent) as base, Http(deadline_seconds=0.2) as http:
        with pytest.raises(SourceFailed, match=r"no whole answer within 0\.2 s"):
            await http.get(f"{base}/a")
        never.set()


async def test_an_answer_that_is_too_long_is_refused_also_when_packed() -> None:
    async def bomb(request: web.Request) -> web.StreamResponse:
        return web.Response(body=gzip.compress(b"x" * 200_000), headers={"Content-Encoding": "gzip"})

    async with (
        served(a=saying("x" * 1001), b=bomb) as base,
        Http(spacing_seconds=0, limit_bytes=1000) as http,
    ):
        for path in ("a", "b"):
            with pytest.raises(SourceFailed, match="longer than 1000 bytes"):
                await http.get(f"{base}/{path}")


@pytest.mark.parametrize("breaks", [1, 2])
async def test_a_connection_that_breaks_is_tried_once_more(breaks: int) -> None:
    asked = 0

    async def broken(request: web.Request) -> web.StreamResponse:
        nonlocal asked
        asked += 1
        if asked > breaks:
            return web.Response(text="whole")
        response = web.StreamResponse(headers={"Content-Length": "1000"})
        await response.prepare(request)
        await response.write(b"half")
        assert request.transport is not None
        request.transport.abort()
        return response

    async with served(a=broken) as base, Http(spacing_seconds=0) as http:
        if breaks == 1:
            assert (await http.get(f"{base}/a")).body == b"whole"
        else:
            with pytest.raises(SourceFailed, match=r"ClientPayloadError|ServerDisconnected|ClientOSError"):
                await http.get(f"{base}/a")
    assert asked == 2


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/a", "http://[::1", "nonsense", "http://"])
async def test_no_connection_and_no_address_are_told(url: str) -> None:
    async with Http() as http:
        with pytest.raises(SourceFailed):
            await http.get(url)


async def test_closed_and_used_again() -> None:
    async with served(a=saying()) as base:
        http = Http(spacing_seconds=0)
        await http.get(f"{base}/a")
        await http.close()
        await http.close()
        assert (await http.get(f"{base}/a")).status == 200
        await http.close()


def spelled(at: datetime) -> str:
    return at.strftime("%a, %d %b %Y %H:%M:%S GMT")


@pytest.mark.parametrize(
    ("said", "wait"),
    [
        (None, None),
        ("0", 0.0),
        (" 120 ", 120.0),
        ("99999999999999999999", LONGEST_WAIT_SECONDS),
        ("-5", None),
        ("²", None),
        ("soon", None),
        ("", None),
        (spelled(NOW + timedelta(seconds=90)), 90.0),
        (spelled(NOW - timedelta(seconds=90)), 0.0),
        (spelled(NOW + timedelta(days=90)), LONGEST_WAIT_SECONDS),
        ("Sat, 04 Jul 2026 12:00:30 -0000", 30.0),
    ],
)
def test_how_long_to_wait(said: str | None, wait: float | None) -> None:
    assert retry_after(said, NOW) == wait
