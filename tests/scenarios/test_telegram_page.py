"""A channel's page through the real ingest, killed with -9 again and again: every post, edit, deletion."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from pipeline.daemon.replay import kafka_section
from schemas.cloudevents import decode
from schemas.item import Item
from schemas.topics import ITEMS
from tests.connectors.telegram.web.site import Site
from tests.scenarios.desk import Desk
from tests.scenarios.numbers import eventually
from tests.takeover.daemons import ROOT
from tests.telegram.child import PAGES

pytestmark = pytest.mark.kafka
States = dict[str, list[tuple[int, str, str]]]
"""Of each post its revisions in order: number, status and text."""


@contextmanager
def ingest(config: Path, pages: str) -> Iterator[None]:
    """Run the process until the block is left, then kill it."""
    command = [sys.executable, "-m", "tests.telegram.child", "run", "-c", str(config), "--only", "ingest"]
    with (config.parent / "log.jsonl").open("ab") as log:
        process = subprocess.Popen(
            [*command, "--port", "0"], cwd=ROOT, env={**os.environ, PAGES: pages}, stdout=log, stderr=log
        )
    try:
        yield
    finally:
        process.kill()
        process.wait()


def written(folder: Path, desk: Desk) -> Path:
    """Write the config of a daemon that follows the channel."""
    source = {"kind": "telegram", "name": "wire", "channel": "bricsnews"}
    pace = {"poll_seconds": 0.2, "reread_seconds": 0.5, "reread_posts": 200}
    told = {
        "kafka": kafka_section(folder, desk.settings),
        "topics": {"prefix": desk.prefix},
        "sources": [source | pace],
    }
    path = folder / "dateline.yaml"
    path.write_text(yaml.safe_dump(told))
    return path


async def items(desk: Desk) -> list[Item]:
    events = [decode(one.headers, one.value, ITEMS.types).data for one in await desk.records(ITEMS)]
    return [event for event in events if isinstance(event, Item)]


async def states(desk: Desk) -> States:
    found: States = {}
    for item in await items(desk):
        found.setdefault(item.item_id, []).append((item.revision, item.status, item.text))
    return found


async def test_kill_9_loses_doubles_and_invents_nothing(desk: Desk, tmp_path: Path) -> None:
    site, config = Site(), written(tmp_path, desk)
    first, expected = [site.post(f"Before {n}.") for n in range(25)], States()

    def name(post: int) -> str:
        return f"telegram/{site.channel}/{post}"

    for n, post in enumerate(first):
        expected[name(post)] = [(1, "usable", f"Before {n}.")]

    async def come() -> None:
        async def all_there() -> bool:
            try:
                return await states(desk) == expected
            except Exception:  # noqa: BLE001  # the topics are not there yet
                return False

        await eventually(all_there, 30)

    async with site.serve() as pages:
        with ingest(config, pages):
            await come()
        assert all(item.backlog for item in await items(desk))
        for round_ in range(3):
            for n in range(30):  # more than a page: there is something to catch up with
                text = f"Round {round_}, post {n}."
                expected[name(site.post(text))] = [(1, "usable", text)]
            edited, deleted = first[2 * round_], first[2 * round_ + 1]
            site.edit(edited, f"Edited in round {round_}.")
            site.delete(deleted)
            with ingest(config, pages):
                await asyncio.sleep(0.4 * round_ + 1.2)  # killed before, while or after it writes
            expected[name(edited)].append((2, "usable", f"Edited in round {round_}."))
            expected[name(deleted)].append((2, "withdrawn", ""))
            with ingest(config, pages):
                await come()
    fresh = [item for item in await items(desk) if item.text.startswith("Round")]
    assert not any(item.backlog for item in fresh)
    gone = [item for item in await items(desk) if item.status == "withdrawn"]
    assert all(item.absent and item.absent < item.observed for item in gone)
    assert all(item.url == f"https://t.me/BricsNews/{item.native_id}" for item in await items(desk))
