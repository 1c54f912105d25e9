"""Pushed posts through the real ingest process: from the channel to a subscriber of items.v1.

The small Telegram pushes to two accounts at once: to that of the process, and to a bare telethon client
beside it, which is the baseline. Where each channel stands is written down before, as if it had been followed
for long: nobody resolves two hundred names in an hour.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from secrets import token_hex

from telethon import TelegramClient, events

from connectors.telegram.api.session import login_of, write_login
from pipeline.ingest import compose
from pipeline.ingest.plan import partition_of
from pipeline.kafka import Producer, Reader
from schemas.cloudevents import decode
from schemas.item import Item
from schemas.records import Checkpoint
from schemas.topics import CHECKPOINTS, ITEMS
from tests.bench.figures import Baseline, Figure
from tests.bench.latency import QUANTILES, quantile
from tests.bench.place import Broker, Place, place_on
from tests.bench.telegram import cursor_of
from tests.scenarios.desk import Desk
from tests.telegram.process import ingest, telegram, written
from tests.telegram.server import Room, Server

PART = "telegram"
BARE = "bare telethon"
PER_SECOND = 50
WARM_UP = 2 * PER_SECOND
"""Posts that are not counted."""
LIMIT_SECONDS = 300.0
AT_REST_SECONDS = 2.0
UNIT = "main"


async def measure(broker: Broker, *, channels: int, seconds: float, runs: int) -> list[Figure]:
    """Push posts for some seconds, several times."""
    ours, bare = [], []
    for _ in range(runs):
        async with place_on(broker) as place, Server() as server, asyncio.timeout(LIMIT_SECONDS):
            mine, theirs = await _run(place, server, channels, round(seconds * PER_SECOND) + WARM_UP)
            ours.append(mine)
            bare.append(theirs)
    return [
        Figure(
            PART,
            f"push to items.v1, {channels} channels, {PER_SECOND}/s, {name}",
            "ms",
            [quantile(run, share) for run in ours],
            Baseline(f"{BARE}, {name}", [quantile(run, share) for run in bare]),
        )
        for name, share in QUANTILES.items()
    ]


async def _run(place: Place, server: Server, channels: int, posts: int) -> tuple[list[float], list[float]]:
    """Give the milliseconds of each post to a subscriber, and to a bare client."""
    folder = place.broker.folder / token_hex(4)
    names = [f"pushed{number}" for number in range(channels)]
    cursors = [cursor_of(server, name) for name in names]
    await _write_checkpoints(place, dict(zip(names, cursors, strict=True)))
    usual = {"via": "api", "poll_seconds": 30, "reread_seconds": 600}
    sources = [{"name": name, "channel": name, **usual} for name in names]
    desk = Desk(place.broker.settings, place.prefix)
    config = written(folder, desk, *sources, telegram=telegram("desk.session"))
    write_login(folder / "desk.session", login_of(server.session(), server.accounts[0].user))
    sent: dict[str, float] = {}
    with ingest(config):
        await _all_looked(desk, names)
        async with _told(server) as bare, _read(place, posts) as read:
            await _publish(list(server.rooms.values()), posts, sent)
            while len(read) < posts or len(bare) < posts:  # noqa: ASYNC110  # two dictionaries that fill
                await asyncio.sleep(0.1)
    counted = list(sent)[WARM_UP:]
    mine, theirs = ([1000 * (seen[text] - sent[text]) for text in counted] for seen in (read, bare))
    return mine, theirs


async def _write_checkpoints(place: Place, cursors: dict[str, object]) -> None:
    producer = await Producer.open(place.broker.settings, f"{place.prefix}checkpoints")
    now = datetime.now(UTC)
    try:
        await producer.begin()
        for name, cursor in cursors.items():
            value = Checkpoint(
                source=name, unit=UNIT, connector="telegram/1", cursor=cursor, looked=now, changed=now
            )
            packed = compose.pack(compose.checkpoint(value), name, place.prefix)
            producer.send(
                CHECKPOINTS.full(place.prefix),
                key=packed.output.key.encode(),
                value=packed.data,
                headers=packed.headers,
                partition=partition_of(UNIT),
            )
        await producer.commit()
    finally:
        await producer.close()


async def _all_looked(desk: Desk, names: Sequence[str]) -> None:
    """Wait until each channel was looked at by the process."""
    started, looked = datetime.now(UTC), set[str]()
    while len(looked) < len(names):
        await asyncio.sleep(0.5)
        for record in await desk.records(CHECKPOINTS):
            told = decode(record.headers, record.value, CHECKPOINTS.types).data
            if isinstance(told, Checkpoint) and told.looked is not None and told.looked > started:
                looked.add(told.source)
    await asyncio.sleep(AT_REST_SECONDS)


async def _publish(rooms: Sequence[Room], posts: int, sent: dict[str, float]) -> None:
    """Let posts appear at a steady pace, each in some channel."""
    dice, began = random.Random(posts), time.monotonic()
    for number in range(posts):
        await asyncio.sleep(max(0.0, began + number / PER_SECOND - time.monotonic()))
        text = f"Pushed {number}: the ferry left harbour {number}, says the harbour master"
        sent[text] = time.time()
        dice.choice(rooms).publish(text)


@asynccontextmanager
async def _told(server: Server) -> AsyncIterator[dict[str, float]]:
    """Note when a bare client is told of each post."""
    told: dict[str, float] = {}
    client = TelegramClient(server.session(server.account(778)), 1, "hash")

    async def note(event: events.NewMessage.Event) -> None:
        told[event.raw_text] = time.time()

    client.add_event_handler(note, events.NewMessage())
    await client.connect()
    await client.get_me()
    try:
        yield told
    finally:
        await client.disconnect()


@asynccontextmanager
async def _read(place: Place, posts: int) -> AsyncIterator[dict[str, float]]:
    """Note when each post can be read on items.v1."""
    seen: dict[str, float] = {}
    reader = await Reader.open(place.broker.settings, ITEMS.full(place.prefix), [0])

    async def follow() -> None:
        while len(seen) < posts:
            for record in await reader.fetch(max_records=1000, wait_seconds=1.0):
                now, value = time.time(), decode(record.headers, record.value, ITEMS.types).data
                if isinstance(value, Item) and value.text.startswith("Pushed"):
                    seen.setdefault(value.text, now)

    task = asyncio.create_task(follow())
    try:
        yield seen
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await reader.close()
