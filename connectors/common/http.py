"""Polite HTTP for all sources of a process: one host is asked slowly, whoever asks.

Each host has its own queue, so a slow one holds nobody else up. A host that says 429 or 503 with a time to
wait is left alone for so long by everybody.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib.metadata import version
from types import TracebackType
from typing import Self

import aiohttp
from yarl import URL

from connectors.seam import SourceFailed

LONGEST_WAIT_SECONDS = 86_400.0
"""No host may silence us for longer by what it says once."""
HOPS = 5
"""Redirects that are followed before it counts as a circle."""

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_FOR_GOOD = frozenset({301, 308})
_LATER = frozenset({429, 503})
_GOOD = range(200, 300)
_UNCHANGED = 304


def agent(address: str | None = None) -> str:
    """Give an honest User-Agent: who asks, and where to find whoever runs it.

    Args:
        address: of the operator, such as a web page or mailto:; none: the name alone.
    """
    return f"Dateline/{version('dateline')}" + (f" (+{address})" if address else "")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a host answered.

    Attributes:
        url: where it came from in the end.
        status: 200 to 299, or 304.
        body: unpacked; empty with 304.
        content_type: as the host says, with its charset.
        etag: to be given back with the next request.
        modified: Last-Modified, to be given back likewise.
        date: HTTP Date, as the host spells it.
        hops: the addresses that led here, the first one first; empty if there was no redirect.
        moved: the new address, where every hop said that it is for good.
    """

    url: str
    status: int
    body: bytes
    content_type: str = ""
    etag: str | None = None
    modified: str | None = None
    date: str | None = None
    hops: tuple[str, ...] = ()
    moved: str | None = None

    @property
    def unchanged(self) -> bool:
        """The host says that it is what we have: the body is empty."""
        return self.status == _UNCHANGED


class Disconnected(SourceFailed):
    """The connection broke, or there was none: it may be there at once again."""


@dataclass(slots=True)
class _Host:
    """How one host is to be treated, in seconds of the clock."""

    turn: asyncio.Semaphore
    free: float = 0.0
    barred: float = 0.0
    reason: str = ""


@dataclass(slots=True)
class Http:
    """A client for all sources of a process; an async context manager, or `close` it.

    Attributes:
        user_agent: how it introduces itself.
        spacing_seconds: at least so long between the beginnings of two requests to a host.
        jitter: up to this share of the spacing is added by chance.
        at_once: so many requests to a host at a time.
        tries: of a request whose connection breaks: it happens, and mostly once.
        deadline_seconds: from asking to the last byte, for each redirect anew; without waiting for its turn.
        limit_bytes: a longer answer is refused, counted unpacked.
        clock: seconds that never run backwards.
        now: UTC, to read Retry-After where it is a date.
        chance: a number from 0 to 1.
        sleep: waits.
    """

    user_agent: str = field(default_factory=agent)
    spacing_seconds: float = 1.0
    jitter: float = 0.25
    at_once: int = 2
    tries: int = 2
    deadline_seconds: float = 30.0
    limit_bytes: int = 8_000_000
    clock: Callable[[], float] = time.monotonic
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    chance: Callable[[], float] = random.random
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    _hosts: dict[str, _Host] = field(default_factory=dict, init=False)
    _session: aiohttp.ClientSession | None = field(default=None, init=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Let go of all connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def get(self, url: str, *, etag: str | None = None, modified: str | None = None) -> Answer:
        """Fetch an address in its turn.

        Args:
            url: the address.
            etag: of what we have; the answer may then be `unchanged`.
            modified: Last-Modified of what we have, likewise.

        Raises:
            SourceFailed: no connection, too slow, too long, a circle of redirects, or a status that says no;
                with `retry_after` where the host said it. The message names the address.
        """
        headers = {"User-Agent": self.user_agent}
        headers |= {"If-None-Match": etag} if etag else {}
        headers |= {"If-Modified-Since": modified} if modified else {}
        hops: list[str] = []
        for_good = True
        here = _parsed(url)
        for _ in range(HOPS + 1):
            found = await self._insist(here, headers)
            if isinstance(found, Answer):
                moved = found.url if hops and for_good else None
                return replace(found, hops=tuple(hops), moved=moved)
            status, target = found
            hops.append(str(here))
            for_good = for_good and status in _FOR_GOOD
            here = here.join(target)
            if here.scheme not in ("http", "https"):
                raise SourceFailed(f"{url}: redirects to {here}, which is no web address")
        raise SourceFailed(f"{url}: more than {HOPS} redirects, the last to {here}; correct the address")

    async def _insist(self, url: URL, headers: Mapping[str, str]) -> Answer | tuple[int, URL]:
        """Ask, and again where the connection breaks."""
        for _ in range(self.tries - 1):
            with suppress(Disconnected):
                return await self._ask(url, headers)
        return await self._ask(url, headers)

    async def _ask(self, url: URL, headers: Mapping[str, str]) -> Answer | tuple[int, URL]:
        """Ask once; give the answer, or status and target of a redirect."""
        async with self._turn(url):
            try:
                async with (
                    asyncio.timeout(self.deadline_seconds),
                    self._open().get(url, headers=headers, allow_redirects=False) as response,
                ):
                    return await self._read(url, response)
            except TimeoutError:
                raise SourceFailed(f"{url}: no whole answer within {self.deadline_seconds:g} s") from None
            except (aiohttp.ClientError, OSError, ValueError) as problem:
                said = str(problem) or "nothing"
                raise Disconnected(f"{url}: {type(problem).__name__}: {said:.300}") from problem

    async def _read(self, url: URL, response: aiohttp.ClientResponse) -> Answer | tuple[int, URL]:
        status, said = response.status, response.headers
        if status in _REDIRECTS and "Location" in said:
            return status, URL(said["Location"])
        if status in _LATER:
            wait = retry_after(said.get("Retry-After"), self.now())
            raise self._barred(url, status, said.get("Retry-After"), wait)
        if status != _UNCHANGED and status not in _GOOD:
            raise SourceFailed(f"{url}: HTTP {status} {response.reason or ''}".rstrip())
        body = bytearray()
        async for chunk in response.content.iter_chunked(65_536):
            body += chunk
            if len(body) > self.limit_bytes:
                raise SourceFailed(f"{url}: the answer is longer than {self.limit_bytes} bytes")
        return Answer(
            url=str(url),
            status=status,
            body=bytes(body),
            content_type=said.get("Content-Type", ""),
            etag=said.get("ETag"),
            modified=said.get("Last-Modified"),
            date=said.get("Date"),
        )

    def _barred(self, url: URL, status: int, said: str | None, wait: float | None) -> SourceFailed:
        reason = f"HTTP {status}: asked too often, or overloaded; Retry-After: {said or 'not said'}"
        if wait is not None:
            host = self._host(url)
            host.barred, host.reason = max(host.barred, self.clock() + wait), reason
        return SourceFailed(f"{url}: {reason}", retry_after=wait)

    def _host(self, url: URL) -> _Host:
        return self._hosts.setdefault(f"{url.host}:{url.port}", _Host(asyncio.Semaphore(self.at_once)))

    @asynccontextmanager
    async def _turn(self, url: URL) -> AsyncIterator[None]:
        """Wait until it is this request's turn at its host.

        Raises:
            SourceFailed: the host wants to be left alone for now.
        """
        host = self._host(url)
        async with host.turn:
            begin = max(self.clock(), host.free)
            host.free = begin + self.spacing_seconds * (1 + self.jitter * self.chance())
            await self.sleep(max(0.0, begin - self.clock()))
            if (left := host.barred - self.clock()) > 0:
                raise SourceFailed(
                    f"{url}: left alone for {left:.0f} s more: {host.reason}", retry_after=left
                )
            yield

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=None),  # ours covers the redirects, too
                cookie_jar=aiohttp.DummyCookieJar(),  # no source is to know the others by us
            )
        return self._session


def _parsed(url: str) -> URL:
    try:
        here = URL(url)
    except ValueError as problem:
        raise SourceFailed(f"{url}: is no web address: {problem}") from None
    if here.scheme not in ("http", "https") or not here.host:
        raise SourceFailed(f"{url}: is no web address; it begins with https:// and the name of a host")
    return here


def retry_after(said: str | None, now: datetime) -> float | None:
    """Give the seconds to wait that a Retry-After means; none if it says nothing that can be read.

    Args:
        said: seconds, or an HTTP date.
        now: UTC.
    """
    if said is None:
        return None
    said = said.strip()
    if said.isascii() and said.isdecimal():
        return min(float(said[:9]), LONGEST_WAIT_SECONDS)
    try:
        due = parsedate_to_datetime(said)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    due = due if due.tzinfo else due.replace(tzinfo=UTC)  # HTTP dates are UTC, also where they say -0000
    return min(max((due - now).total_seconds(), 0.0), LONGEST_WAIT_SECONDS)
