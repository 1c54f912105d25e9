"""Following Telegram through the API: how fast a channel is brought in, and what a thousand quiet ones cost.

The small Telegram (tests/telegram/server) runs in this process, what is measured in one of its own. The
baseline is telethon's own `iter_messages` over the same channel, with no pause between pages.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import structlog
from prometheus_client import CollectorRegistry
from pydantic import SecretStr
from telethon import TelegramClient

from connectors.seam import Lent, Looked, Observation
from connectors.telegram import Telegram, TelegramConfig, TelegramShared
from connectors.telegram.api.session import login_of, read_login, write_login
from connectors.telegram.host import TelegramHost
from tests.bench.figures import Baseline, Figure
from tests.bench.processes import apart
from tests.telegram.server import Server

PART = "telegram"
BARE = "bare iter_messages"
FAR_SECONDS = 0.05
"""That an answer of Telegram's is on its way; some of its data centres are farther."""
LIMIT = "requests_per_hour"
TEXT = "Post {number} of the wire: the ferry left harbour {number} at {number} knots, says the harbour master"
ASKED_AT_ONCE = 1_000_000
HOUR = 3600.0


async def measure(folder: Path, *, posts: int, channels: int, seconds: float, runs: int) -> list[Figure]:
    """Bring a channel of so many posts in, then follow so many channels in which nothing happens."""
    session = folder / "desk.session"
    bare, ours, usual, quiet, hourly, memory = [], [], [], [], [], []
    bare_far, ours_far = [], []
    async with Server() as server:
        write_login(session, login_of(server.session(), server.accounts[0].user))
        wire = server.room("wire")
        for number in range(posts):
            wire.publish(TEXT.format(number=number))
        cursors = [cursor_of(server, f"quiet{number}") for number in range(channels)]
        for _ in range(runs):
            bare.append(posts / (await apart(iterated, session, posts)).result)
            ours.append(posts / (await apart(brought_in, session, posts, 0.001)).result)
            server.far = FAR_SECONDS
            bare_far.append(posts / (await apart(iterated, session, posts)).result)
            ours_far.append(posts / (await apart(brought_in, session, posts, 0.001)).result)
            server.far = 0.0
            usual.append(posts / (await apart(brought_in, session, posts, 0.2)).result)
            before = len(server.served)
            outcome = await apart(followed, session, cursors, seconds)
            hourly.append(busiest_hour([one.at for one in server.served[before:]]))
            quiet.append(outcome.cpu_seconds / seconds * 100)
            memory.append(outcome.peak_mb)
    rate, far = Baseline(BARE, bare), Baseline(BARE, bare_far)
    return [
        Figure(PART, f"posts brought in, {FAR_SECONDS * 1000:.0f} ms away", "/s", ours_far, far, "0.8 of it"),
        Figure(PART, "posts brought in, no way at all", "/s", ours, rate),
        Figure(PART, "posts brought in, at the usual spacing", "/s", usual, rate),
        Figure(PART, f"most requests in an hour, {channels:,} quiet channels", "", hourly, limit(hourly)),
        Figure(PART, f"processor, {channels:,} quiet channels", "%", quiet, Baseline("one core", [100.0])),
        Figure(PART, f"peak memory, {channels:,} quiet channels", "MB", memory, Baseline("128 MB", [128.0])),
    ]


def busiest_hour(times: Sequence[float]) -> float:
    """Give how many requests there were in the hour with the most; all, in a shorter run."""
    first, most = 0, 0
    for last, moment in enumerate(times):
        while times[first] < moment - HOUR:
            first += 1
        most = max(most, last + 1 - first)
    return float(most)


def limit(values: Sequence[float]) -> Baseline:
    """Give what the scheduler may ask at most."""
    return Baseline(LIMIT, [float(TelegramHost().requests_per_hour)] * len(values))


def cursor_of(server: Server, name: str) -> Mapping[str, Any]:
    """Make a quiet channel; give the cursor of one that was looked at before."""
    room = server.room(name)
    for number in range(3):
        room.publish(TEXT.format(number=number))
    user = str(server.accounts[0].user)
    return {
        "channel": room.number,
        "name": name,
        "asked": name,
        "last": room.top,
        "window": f"1-{room.top}",
        "pts": room.pts,
        "access": {user: str(room.hash)},
    }


async def iterated(session: Path, posts: int) -> float:
    """Read a channel with telethon alone, from connecting on as ours does; give the seconds."""
    client = TelegramClient(read_login(session).session(), 1, "hash", receive_updates=False)
    began = time.perf_counter()
    await client.connect()
    channel = await client.get_input_entity("wire")
    count = 0
    async for _ in client.iter_messages(channel, reverse=True, wait_time=0):
        count += 1
    spent = time.perf_counter() - began
    await client.disconnect()
    assert count == posts, f"{count} of {posts}"
    return spent


async def brought_in(session: Path, posts: int, spacing: float) -> float:
    """Follow a channel from first contact to the end of its first look, and make items; give the seconds."""
    async with shared_by(session, spacing, ASKED_AT_ONCE) as shared:
        config = TelegramConfig(name="wire", channel="wire", via="api", backfill_posts=posts)
        connector = Telegram(config, shared)
        began = time.perf_counter()
        count = 0
        async with aclosing(connector.observe(None)) as sights:
            async for sight in sights:
                if isinstance(sight, Observation):
                    connector.normalise(sight)
                    count += 1
                elif isinstance(sight, Looked):
                    break
        spent = time.perf_counter() - began
    assert count == posts, f"{count} of {posts}"
    return spent


async def followed(session: Path, cursors: Sequence[Mapping[str, Any]], seconds: float) -> None:
    """Follow channels with the usual settings, for so long."""
    usual = TelegramHost()
    async with shared_by(session, usual.spacing_seconds, usual.requests_per_hour) as shared:

        async def follow(cursor: Mapping[str, Any]) -> None:
            name = str(cursor["name"])
            connector = Telegram(TelegramConfig(name=name, channel=name, via="api"), shared)
            async with aclosing(connector.observe(cursor)) as sights:
                async for _ in sights:
                    pass

        tasks = [asyncio.create_task(follow(cursor)) for cursor in cursors]
        done, _ = await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_EXCEPTION)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for task in done:
            task.result()


@asynccontextmanager
async def shared_by(session: Path, spacing: float, hourly: int) -> AsyncIterator[TelegramShared]:
    """Have what a process shares, with one account."""
    host = TelegramHost(
        api_id=1,
        api_hash=SecretStr("hash"),
        sessions=(session,),
        spacing_seconds=spacing,
        requests_per_hour=hourly,
    )
    shared = TelegramShared(Lent(CollectorRegistry(), structlog.get_logger(), host))
    try:
        yield shared
    finally:
        await shared.close()
