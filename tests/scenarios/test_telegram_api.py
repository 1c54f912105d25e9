"""A channel through the API and the real ingest: kill -9, cut lines, the other way, another machine."""

import asyncio
import json
from contextlib import ExitStack
from pathlib import Path

import pytest

from schemas.topics import GAPS
from tests.connectors.telegram.web.site import Site
from tests.scenarios.desk import Desk
from tests.telegram.process import (
    States,
    both,
    come,
    ingest,
    items,
    logged_in,
    looked,
    name,
    published,
    telegram,
    written,
)
from tests.telegram.server import Room, Server
from tests.telegram.shown import posts_of

pytestmark = pytest.mark.kafka
API = {"name": "wire", "channel": "wire", "via": "api"}
ROUNDS = 2
WEB = {"name": "wire", "channel": "wire", "via": "web"}


def edited(room: Room, expected: States, post: int, text: str, *, hide: bool = False) -> None:
    """Edit a post while nobody looks or all do: it is seen once."""
    room.edit(post, text, hide=hide)
    expected[name(room, post)].append((len(expected[name(room, post)]) + 1, "usable", text))


def deleted(room: Room, expected: States, post: int) -> None:
    """Delete a post, likewise."""
    room.delete(post)
    expected[name(room, post)].append((len(expected[name(room, post)]) + 1, "withdrawn", ""))


async def test_kill_9_and_cut_lines_lose_double_and_invent_nothing(desk: Desk, tmp_path: Path) -> None:
    async with Server() as server:
        room, expected = server.room("wire"), States()
        config = written(tmp_path, desk, API, telegram=telegram(logged_in(server, tmp_path)))
        first = published(room, expected, *(f"Before {n}." for n in range(25)))
        with ingest(config):
            await come(desk, expected)
            await looked(desk)
        assert all(item.backlog for item in await items(desk))
        for round_ in range(ROUNDS):
            published(room, expected, *(f"Round {round_}, post {n}." for n in range(50)))
            parts = room.album(f"Album {round_}.", "", "")
            expected[name(room, parts[0])] = [(1, "usable", f"Album {round_}.")]
            edited(room, expected, first[3 * round_], f"Edited in round {round_}.")
            edited(room, expected, first[3 * round_ + 1], f"Hidden in round {round_}.", hide=True)
            deleted(room, expected, first[3 * round_ + 2])
            with ingest(config):
                await asyncio.sleep(0.3 * round_ + 1.5)  # killed before, while or after it writes
            with ingest(config):
                await asyncio.sleep(1.5)
                server.drop()
                published(room, expected, f"While the line was cut {round_}.")
                await come(desk, expected)
                published(room, expected, f"Pushed {round_}.")
                await come(desk, expected)
        assert await desk.records(GAPS) == []
        hidden = {item.item_id for item in await items(desk) if item.revised_hidden}
        assert hidden == {name(room, first[3 * round_ + 1]) for round_ in range(ROUNDS)}
        gone = [item for item in await items(desk) if item.status == "withdrawn"]
        assert all(item.absent is not None and item.absent < item.observed for item in gone)


async def test_the_other_way_and_back_copies_and_revises_nothing(desk: Desk, tmp_path: Path) -> None:
    async with Server() as server:
        room, expected = server.room("wire"), States()
        accounts, site = telegram(logged_in(server, tmp_path)), Site(name="wire", channel=room.number)

        def render() -> None:
            """Let the page show what the channel is now."""
            messages = (json.loads(message.to_json()) for message in room.messages.values())
            site.posts = {post.ids[0]: post for post in posts_of(messages, name="wire")}
            site.seconds += 60

        first = published(room, expected, "One.", "Two, 🇷🇺🇺🇸 with flags.", "Three.\nIn two lines.")
        async with site.serve() as pages:
            for turn, way in enumerate((WEB, API, WEB)):
                render()
                with ingest(written(tmp_path, desk, way, telegram=accounts), pages):
                    await come(desk, expected)
                published(room, expected, f"After turn {turn}.", f"And another after {turn}.")
            edited(room, expected, first[0], "One, edited.")
            deleted(room, expected, first[1])
            render()
            with ingest(written(tmp_path, desk, WEB, telegram=accounts), pages):
                await come(desk, expected)
            with ingest(written(tmp_path, desk, API, telegram=accounts), pages):
                await asyncio.sleep(3)
                await come(desk, expected)


async def test_a_standby_with_a_login_of_its_own_goes_on(desk: Desk, tmp_path: Path) -> None:
    async with Server() as server:
        room, expected = server.room("wire"), States()
        one, two = (
            written(folder, desk, API, telegram=telegram(logged_in(server, folder, user)))
            for folder, user in ((tmp_path / "one", 777), (tmp_path / "two", 778))
        )
        published(room, expected, *(f"Before {n}." for n in range(10)))
        with ExitStack() as first, ExitStack() as second:
            first.enter_context(ingest(one))
            await come(desk, expected)
            second.enter_context(ingest(two))
            await both(desk)
            published(room, expected, "Both are there.")
            await come(desk, expected)
            assert not server.accounts[1].asked, "who came later stands by"
            first.close()
            published(room, expected, "The owner is gone.")
            await come(desk, expected)
            assert server.accounts[1].asked
            first.enter_context(ingest(one))
            await both(desk)
            second.close()
            published(room, expected, "The other is gone, too.")
            await come(desk, expected)
        assert await desk.records(GAPS) == []
        assert all(account.asked for account in server.accounts)


async def test_a_session_that_another_process_has_is_refused_in_clear_words(
    desk: Desk, tmp_path: Path
) -> None:
    async with Server() as server:
        room, expected = server.room("wire"), States()
        session = logged_in(server, tmp_path)
        config = written(tmp_path, desk, API, telegram=telegram(session))
        published(room, expected, "One.")
        with ingest(config):
            await come(desk, expected)
            other = Desk(desk.settings, f"{desk.prefix}other.")
            again = written(tmp_path / "other", other, API, telegram=telegram(str(tmp_path / session)))
            with ingest(again):
                log = again.parent / "log.jsonl"
                async with asyncio.timeout(20):
                    while "another process" not in log.read_text():  # noqa: ASYNC110  # a file of another process
                        await asyncio.sleep(0.1)
            published(room, expected, "Two.")
            await come(desk, expected)
