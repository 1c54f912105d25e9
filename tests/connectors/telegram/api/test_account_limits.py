"""What an account must not do: hang in its own line, give a good connection up, or be as deaf as telethon."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from connectors.telegram.api.lending import Flooded, Pushed, Unanswered
from tests.connectors.telegram.api.test_account import heard, history, shaken, until
from tests.telegram.desk import QUICK, Household, desk, session


@pytest.fixture
async def server() -> AsyncIterator[Household]:
    async with Household() as made:
        yield made


@pytest.fixture
def file(tmp_path: Path, server: Household) -> Path:
    return session(tmp_path / "desk.session", server)


async def test_who_is_in_line_when_the_hour_is_used_up_does_not_hang(server: Household, file: Path) -> None:
    rooms = [server.room(f"wire{number}") for number in range(6)]
    async with desk(file, requests_per_hour=4, spacing_seconds=0.01) as my:
        account = await my.accounts.of("wire")
        calls = [account.call(history(room), source=room.name) for room in rooms]
        async with asyncio.timeout(5):
            results = await asyncio.gather(*calls, return_exceptions=True)
        waiting = [result for result in results if isinstance(result, Flooded)]
        assert len(waiting) == 5  # a quarter of what there may be in an hour was made at once
        assert all(1190 < one.seconds <= 1200 for one in waiting)
        name = rooms[-1].name
        until_when = my.metric("wait_until_timestamp_seconds", source=name, method="GetHistoryRequest")
        assert until_when == pytest.approx(time.time() + 1200, abs=10)


@pytest.mark.parametrize("error", ["FLOOD_WAIT_3600", "INTERNAL"])
async def test_a_clock_that_is_not_told_holds_no_channel(server: Household, file: Path, error: str) -> None:
    room = server.room("wire")
    async with desk(file, pace=replace(QUICK, clock=0.05)) as my:
        account = await my.accounts.of("wire")
        with account.listen(room.number):
            await account.call(history(room), source="s")
            server.refuse("GetConfig", error)
            await until(lambda: "telegram does not tell its time" in my.events("warning"))
            asked = server.asked.count("GetConfig")
            await asyncio.sleep(0.2)
            await account.call(history(room), source="s")
        assert my.metric("connections_total", account="desk") == 1
        assert (server.asked.count("GetConfig") > asked) is (error == "INTERNAL")  # a flood is heeded


async def test_errors_of_the_servers_are_no_silence(server: Household, file: Path) -> None:
    room = server.room("wire")
    async with desk(file, blind_seconds=0.2) as my:
        account = await my.accounts.of("wire")
        with account.listen(room.number):
            server.refuse("GetHistory", "CHANNEL_MONOFORUM_UNSUPPORTED", times=100)
            for _ in range(10):
                with pytest.raises(Unanswered):
                    await account.call(history(room), source="s")
                await asyncio.sleep(0.05)
        assert my.metric("connections_total", account="desk") == 1


async def test_what_is_pushed_while_telethon_asks_for_a_difference_is_heard(
    server: Household, file: Path
) -> None:
    room = server.room("wire")
    async with desk(file) as my:
        account = await my.accounts.of("wire")
        with account.listen(room.number) as ears:
            await account.call(history(room), source="s")
            await shaken(ears)
            room.publish("telethon learns the count")
            assert isinstance(await heard(ears), Pushed)
            server.mute = True
            room.publish("nobody is told, so that there is a gap in the count")
            server.mute = False
            server.silence("GetChannelDifference", times=100)
            room.delete(room.publish("came"))
            room.publish("and went")
            told = [await heard(ears) for _ in range(3)]
    kinds = [type(one.update).__name__ for one in told if isinstance(one, Pushed)]
    assert kinds == ["UpdateNewChannelMessage", "UpdateDeleteChannelMessages", "UpdateNewChannelMessage"]
