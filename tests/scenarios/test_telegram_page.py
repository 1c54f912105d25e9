"""A channel's page through the real ingest, killed with -9 again and again: every post, edit, deletion."""

import asyncio
from pathlib import Path

import pytest

from tests.connectors.telegram.web.site import Site
from tests.scenarios.desk import Desk
from tests.telegram.process import States, come, ingest, items, looked, written

pytestmark = pytest.mark.kafka


async def test_kill_9_loses_doubles_and_invents_nothing(desk: Desk, tmp_path: Path) -> None:
    site, config = Site(), written(tmp_path, desk, {"name": "wire", "channel": "bricsnews"})
    first, expected = [site.post(f"Before {n}.") for n in range(25)], States()

    def name(post: int) -> str:
        return f"telegram/{site.channel}/{post}"

    for n, post in enumerate(first):
        expected[name(post)] = [(1, "usable", f"Before {n}.")]
    async with site.serve() as pages:
        with ingest(config, pages):
            await come(desk, expected)
            await looked(desk)
        assert all(item.backlog for item in await items(desk))
        for round_ in range(2):
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
                await come(desk, expected)
    fresh = [item for item in await items(desk) if item.text.startswith("Round")]
    assert not any(item.backlog for item in fresh)
    gone = [item for item in await items(desk) if item.status == "withdrawn"]
    assert all(item.absent and item.absent < item.observed for item in gone)
    assert all(item.url == f"https://t.me/BricsNews/{item.native_id}" for item in await items(desk))
