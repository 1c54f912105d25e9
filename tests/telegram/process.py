"""The real ingest process following channels of a t.me and a Telegram in small, and what it wrote."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from connectors.telegram.api.session import login_of, write_login
from pipeline.daemon.replay import kafka_section
from pipeline.kafka import Admin, KafkaProblem
from schemas.cloudevents import decode
from schemas.item import Item
from schemas.records import Checkpoint
from schemas.topics import CHECKPOINTS, ITEMS
from tests.scenarios.desk import Desk
from tests.scenarios.numbers import eventually
from tests.takeover.daemons import ROOT
from tests.telegram.child import PAGES
from tests.telegram.server import Room, Server

NOBODY = "http://127.0.0.1:9"
"""A t.me that nobody serves."""
HASH = "TELEGRAM_HASH"
SESSION_SECONDS = 6.5
"""A member of the group that was killed counts until then."""
QUICK = {"poll_seconds": 0.2, "reread_seconds": 0.5, "reread_posts": 200}
States = dict[str, list[tuple[int, str, str]]]
"""Of each post its revisions in order: number, status and text."""


def written(folder: Path, desk: Desk, *sources: Mapping[str, Any], **sections: Any) -> Path:
    """Write the config of a machine that follows channels."""
    folder.mkdir(exist_ok=True)
    told = {
        "kafka": kafka_section(folder, desk.settings),
        "topics": {"prefix": desk.prefix},
        "log": {"format": "json"},
        "sources": [{"kind": "telegram", **QUICK, **source} for source in sources],
        **sections,
    }
    path = folder / "dateline.yaml"
    path.write_text(yaml.safe_dump(told))
    return path


def telegram(*sessions: str) -> dict[str, Any]:
    """Give a machine's own section; sessions lie beside its config."""
    return {"api_id": 1, "api_hash": f"${{ENV:{HASH}}}", "sessions": list(sessions), "spacing_seconds": 0.01}


def logged_in(server: Server, folder: Path, user: int = 777) -> str:
    """Log a machine in; give its session's file."""
    account = server.accounts[0] if user == server.accounts[0].user else server.account(user)
    folder.mkdir(exist_ok=True)
    write_login(folder / "desk.session", login_of(server.session(account), user))
    return "desk.session"


@contextmanager
def ingest(config: Path, pages: str = NOBODY, port: int = 0) -> Iterator["subprocess.Popen[bytes]"]:
    """Run the process until the block is left, then kill it."""
    command = [sys.executable, "-m", "tests.telegram.child", "run", "-c", str(config), "--only", "ingest"]
    with (config.parent / "log.jsonl").open("ab") as log:
        process = subprocess.Popen(
            [*command, "--port", str(port)],
            cwd=ROOT,
            env={**os.environ, PAGES: pages, HASH: "hash"},
            stdout=log,
            stderr=log,
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def name(room: Room, post: int) -> str:
    """Give the item id of a post."""
    return f"telegram/{room.number}/{post}"


def published(room: Room, expected: States, *texts: str) -> list[int]:
    """Publish posts, which are to become items."""
    posts = [room.publish(text) for text in texts]
    expected |= {name(room, post): [(1, "usable", text)] for post, text in zip(posts, texts, strict=True)}
    return posts


async def items(desk: Desk) -> list[Item]:
    """Give all items."""
    events = [decode(one.headers, one.value, ITEMS.types).data for one in await desk.records(ITEMS)]
    return [event for event in events if isinstance(event, Item)]


async def states(desk: Desk) -> States:
    """Give what each post was, revision by revision."""
    found: States = {}
    for item in await items(desk):
        found.setdefault(item.item_id, []).append((item.revision, item.status, item.text))
    return found


async def looked(desk: Desk) -> None:
    """Wait until a whole look at the last posts is written down."""

    async def once() -> bool:
        events = [
            decode(one.headers, one.value, CHECKPOINTS.types).data for one in await desk.records(CHECKPOINTS)
        ]
        cursors = [event.cursor for event in events if isinstance(event, Checkpoint)]
        return any(cursor is not None and cursor.get("looked") for cursor in cursors)

    await eventually(once, 30)


async def both(desk: Desk, *, settled: float = SESSION_SECONDS) -> None:
    """Wait until two processes are members of ingest's group; a dead one counts until its session ends."""

    async def two() -> bool:
        async with Admin(desk.settings) as admin:
            return len(await admin.members(f"{desk.prefix}ingest")) == len(("owner", "standby"))

    await asyncio.sleep(settled)
    await eventually(two)


async def come(desk: Desk, expected: States, seconds: float = 30) -> None:
    """Wait until all is there, and nothing else."""
    found: States = {}

    async def all_there() -> bool:
        nonlocal found
        try:
            found = await states(desk)
        except KafkaProblem:
            return False  # the topics are not there yet
        return found == expected

    try:
        await eventually(all_there, seconds)
    except TimeoutError:
        wrong = {key: (expected.get(key), found.get(key)) for key in {**expected, **found}}
        raise AssertionError({key: pair for key, pair in wrong.items() if pair[0] != pair[1]}) from None
