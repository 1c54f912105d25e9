"""An account against a small Telegram: what happens to requests, and to what is pushed."""

import asyncio
import struct
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from telethon.tl import functions, types

from connectors.telegram.api.account import LoggedIn
from connectors.telegram.api.ears import BoundedEars
from connectors.telegram.api.lending import AccountLost, Barred, Flooded, Pushed, Shaken, Unanswered
from connectors.telegram.api.session import held
from tests.telegram.desk import Desk, Household, desk, session
from tests.telegram.server import Room


@pytest.fixture
async def server() -> AsyncIterator[Household]:
    async with Household() as made:
        yield made


@pytest.fixture
def file(tmp_path: Path, server: Household) -> Path:
    return session(tmp_path / "desk.session", server)


@pytest.fixture
async def my(file: Path) -> AsyncIterator[Desk]:
    async with desk(file) as made:
        yield made


@pytest.fixture
async def account(my: Desk) -> LoggedIn:
    return await my.accounts.of("wire")


def history(room: Room) -> Any:
    return functions.messages.GetHistoryRequest(
        types.InputPeerChannel(room.number, room.hash), 0, None, 0, 100, 0, 0, 0
    )


async def heard(ears: BoundedEars) -> Pushed | Shaken:
    return await asyncio.wait_for(ears.get(), 5)


async def shaken(ears: BoundedEars) -> str:
    """Give why everything is to be looked at again; what is pushed before it does not count."""
    while not isinstance(one := await heard(ears), Shaken):
        pass
    return one.reason


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not true():  # noqa: ASYNC110  # the server has no event for it
            await asyncio.sleep(0.01)


async def test_what_is_pushed_goes_to_who_listens_to_the_channel(
    server: Household, account: LoggedIn
) -> None:
    room, other = server.room("wire"), server.room("other")
    with account.listen(room.number) as ears, account.listen(other.number) as others:
        await account.call(history(room), source="s")
        assert await shaken(ears) == await shaken(others) == "the connection is new"
        room.publish("one")
        room.edit(1, "two")
        room.delete(1)
        kinds = []
        for _ in range(3):
            one = await heard(ears)
            assert isinstance(one, Pushed)
            assert one.chats[room.number].title == "Title of wire"
            kinds.append(type(one.update).__name__)
        assert kinds == [
            "UpdateNewChannelMessage",
            "UpdateEditChannelMessage",
            "UpdateDeleteChannelMessages",
        ]
        other.publish("another")
        assert isinstance(await heard(others), Pushed)


async def test_one_channel_that_must_wait_holds_no_other(
    server: Household, account: LoggedIn, my: Desk
) -> None:
    room, other = server.room("wire"), server.room("other")
    server.refuse("GetHistory", "FLOOD_WAIT_7200", room=room)
    began = time.monotonic()
    with pytest.raises(Flooded) as caught:
        await account.call(history(room), source="s")
    assert (caught.value.seconds, caught.value.retry_after) == (7200, 7200)
    assert (await account.call(history(other), source="t")).messages == []
    asked = server.asked.count("GetHistory")
    with pytest.raises(Flooded, match="must wait for 7200 s"):
        await account.call(history(room), source="s")
    assert server.asked.count("GetHistory") == asked  # the server is not asked again
    assert time.monotonic() - began < 2
    until_when = my.metric("wait_until_timestamp_seconds", source="s", method="GetHistoryRequest")
    assert until_when == pytest.approx(time.time() + 7200, abs=10)
    assert my.metric("wait_until_timestamp_seconds", source="t", method="GetHistoryRequest") == 0
    assert my.metric("wait_seconds_total", source="s", reason="telegram") == pytest.approx(14_400, abs=10)


async def test_a_request_that_is_never_answered_holds_nobody(server: Household, file: Path) -> None:
    room, other = server.room("wire"), server.room("other")
    async with desk(file, deadline_seconds=0.5) as my:
        account = await my.accounts.of("wire")
        server.silence("GetHistory", room=room)
        stuck = asyncio.create_task(account.call(history(room), source="s"))
        await until(lambda: "GetHistory" in server.asked)
        await account.call(history(other), source="t")
        assert not stuck.done()
        with pytest.raises(Unanswered, match="GetHistoryRequest: no answer in time"):
            await stuck
        labels = {"account": "desk", "method": "GetHistoryRequest"}
        assert my.metric("requests_total", **labels, outcome="unanswered") == 1
        assert my.metric("requests_total", **labels, outcome="answered") == 1


async def test_an_error_of_the_servers_is_an_answer_that_is_missing(
    server: Household, account: LoggedIn
) -> None:
    room = server.room("wire")
    server.refuse("GetHistory", "HISTORY_GET_FAILED", room=room)
    with pytest.raises(Unanswered, match="HISTORY_GET_FAILED") as caught:
        await account.call(history(room), source="s")
    assert type(caught.value.__cause__).__name__ == "HistoryGetFailedError"
    await account.call(history(room), source="s")


async def test_a_channel_that_is_not_shown_to_us(server: Household, account: LoggedIn) -> None:
    room = server.room("wire")
    room.barred = "CHANNEL_PRIVATE"
    with pytest.raises(Barred, match=r"CHANNEL_PRIVATE \(the channel is private"):
        await account.call(history(room), source="s")
    await account.call(history(server.room("other")), source="s")


async def test_a_name_is_asked_for_once(server: Household, account: LoggedIn) -> None:
    room = server.room("Wire")
    found = await account.resolve("wire", source="s")
    assert (found.id, found.access_hash, found.name) == (room.number, room.hash, "Wire")
    assert await account.resolve("WIRE", source="t") == found
    for _ in range(2):
        with pytest.raises(Barred, match=r"USERNAME_NOT_OCCUPIED.*correct `channel`"):
            await account.resolve("nobody", source="s")
    assert server.asked.count("ResolveUsername") == 2


async def test_a_cut_line_is_made_anew_and_everybody_is_told(server: Household, account: LoggedIn) -> None:
    room = server.room("wire")
    with account.listen(room.number) as ears:
        await account.call(history(room), source="s")
        await shaken(ears)
        server.mute = True
        server.drop()
        room.publish("while we were away")
        server.mute = False
        assert await shaken(ears) == "the connection is new"
        assert (await account.call(history(room), source="s")).messages[0].message == "while we were away"
        room.publish("and now")
        assert isinstance(await heard(ears), Pushed)


async def test_a_cut_line_ends_what_waits_for_an_answer(server: Household, account: LoggedIn) -> None:
    room = server.room("wire")
    server.silence("GetHistory")
    call = asyncio.create_task(account.call(history(room), source="s"))
    await until(lambda: "GetHistory" in server.asked)
    server.drop()
    with pytest.raises(Unanswered):
        await call
    await account.call(history(room), source="s")


async def test_an_update_of_an_unknown_kind(server: Household, account: LoggedIn, my: Desk) -> None:
    room = server.room("wire")
    with account.listen(room.number) as ears:
        await account.call(history(room), source="s")
        await shaken(ears)
        server.push_raw(struct.pack("<I", 0x12345678) + b"what a channel says")
        assert await shaken(ears) == "Type %08x not found, remaining data %r"
    assert my.metric("shaken_total", account="desk", reason="unknown type") == 1
    assert my.metric("connections_total", account="desk") == 1


@pytest.mark.parametrize(("skew", "told"), [(7200, "very new message"), (-7200, "very old message")])
async def test_a_clock_that_steps(
    server: Household, account: LoggedIn, my: Desk, skew: float, told: str
) -> None:
    room = server.room("wire")
    with account.listen(room.number) as ears:
        await account.call(history(room), source="s")
        await shaken(ears)
        for link in server._links:
            link.skew, link._last = skew, 0
        room.publish("thrown away by telethon")
        assert told in await shaken(ears)
        assert await shaken(ears) == "the connection is new"
        assert (await account.call(history(room), source="s")).messages[0].id == 1
    assert my.metric("shaken_total", account="desk", reason="clock") == 1
    assert my.metric("connections_total", account="desk") == 2


async def test_a_connection_that_sees_nothing_while_asking_shows_posts(server: Household, file: Path) -> None:
    room = server.room("wire")
    async with desk(file, blind_seconds=0.2) as my:
        account = await my.accounts.of("wire")
        with account.listen(room.number) as ears:
            await account.call(history(room), source="s")
            await shaken(ears)
            room.publish("heard")
            assert isinstance(await heard(ears), Pushed)
            server.mute = True
            room.publish("not heard")
            await account.call(history(room), source="s")
            assert await shaken(ears) == "the connection is new"
        assert any("none was pushed" in str(entry) for entry in [my.log()])
        assert my.metric("connections_total", account="desk") == 2


async def test_an_unused_account_lets_go_of_its_session(
    server: Household, account: LoggedIn, my: Desk, file: Path
) -> None:
    room = server.room("wire")
    with account.listen(room.number):
        await account.call(history(room), source="s")
        with pytest.raises(Exception, match="another process"), held(file):
            pass
    await until(lambda: not server._links)
    with held(file):
        pass
    assert my.metric("account_connected", account="desk") == 0
    await account.call(history(room), source="s")  # and comes back when it is needed


async def test_a_session_that_another_process_has(
    server: Household, account: LoggedIn, my: Desk, file: Path
) -> None:
    room = server.room("wire")
    with held(file):
        for _ in range(3):
            with pytest.raises(Unanswered, match="another process on this machine uses this session"):
                await account.call(history(room), source="s")
        assert my.events("error") == ["telegram session cannot be used"]  # once
        assert my.metric("account_usable", account="desk") == 0
    assert server.asked == []
    await account.call(history(room), source="s")
    assert my.metric("account_usable", account="desk") == 1


@pytest.mark.parametrize("error", ["AUTH_KEY_UNREGISTERED", "AUTH_KEY_DUPLICATED", "USER_DEACTIVATED_BAN"])
async def test_a_dead_session_is_told_once_and_never_tried_again(
    server: Household, file: Path, my: Desk, account: LoggedIn, error: str
) -> None:
    room = server.room("wire")
    await account.call(history(room), source="s")
    server.refuse("GetHistory", error)
    with pytest.raises(AccountLost, match=error):
        await account.call(history(room), source="s")
    await until(lambda: not server._links)
    asked = len(server.asked)
    for _ in range(3):
        with pytest.raises(AccountLost, match=error):
            await account.call(history(room), source="s")
        with pytest.raises(AccountLost, match=rf"{error}.*dateline login telegram") as caught:
            await my.accounts.of("wire")
        assert caught.value.retry_after
    await asyncio.sleep(0.1)
    assert len(server.asked) == asked
    assert my.events("error") == ["telegram account lost"]
    assert my.metric("account_usable", account="desk") == 0
    session(file, server)  # logged in anew
    again = await my.accounts.of("wire")
    await again.call(history(room), source="s")
    assert my.metric("account_usable", account="desk") == 1


async def test_a_session_that_is_dead_at_the_beginning(
    server: Household, my: Desk, account: LoggedIn
) -> None:
    server.refuse("GetUsers", "SESSION_REVOKED", times=9)
    with pytest.raises(AccountLost, match=r"SESSION_REVOKED \(the login was ended from another device\)"):
        await account.call(history(server.room("wire")), source="s")
    assert my.events("error") == ["telegram account lost"]


async def test_a_session_of_another_account(server: Household, my: Desk, account: LoggedIn) -> None:
    server.user = 778
    with pytest.raises(AccountLost, match="the file says account 777, Telegram says 778"):
        await account.call(history(server.room("wire")), source="s")


async def test_a_key_that_the_server_forgets_for_a_moment(
    server: Household, my: Desk, account: LoggedIn
) -> None:
    room = server.room("wire")
    server.accounts[0].forgotten = True
    with pytest.raises(Unanswered, match="does not know the session's key"):
        await account.call(history(room), source="s")
    server.accounts[0].forgotten = False
    await account.call(history(room), source="s")
    assert my.events("error") == []


async def test_a_key_that_the_server_has_forgotten_for_good(
    server: Household, my: Desk, account: LoggedIn
) -> None:
    room = server.room("wire")
    with account.listen(room.number):
        await account.call(history(room), source="s")
        server.accounts[0].forgotten = True
        server.drop()
        await until(lambda: account.lost is not None)
    with pytest.raises(AccountLost, match=r"does not know the session's key; log in anew"):
        await account.call(history(room), source="s")
    assert my.events("error") == ["telegram account lost"]


async def test_a_connection_that_answers_nothing_any_more(server: Household, file: Path) -> None:
    room = server.room("wire")
    async with desk(file, blind_seconds=0.5, deadline_seconds=1) as my:
        account = await my.accounts.of("wire")
        with account.listen(room.number) as ears:
            await account.call(history(room), source="s")
            await shaken(ears)
            server.half_dead = True  # it still answers pings, so telethon thinks that all is well
            with pytest.raises(Unanswered):
                await account.call(history(room), source="s")
            server.half_dead = False
            assert await shaken(ears) == "the connection is new"
        assert "no answer to anything" in my.log()


async def test_floods_of_the_transport(server: Household, my: Desk, account: LoggedIn) -> None:
    room = server.room("wire")
    with account.listen(room.number) as ears:
        await account.call(history(room), source="s")
        await shaken(ears)
        server.trouble = -429
        with pytest.raises(Unanswered):
            await account.call(history(room), source="s")
        server.trouble = None
        assert await shaken(ears) == "the connection is new"


async def test_no_server(server: Household, my: Desk, account: LoggedIn) -> None:
    room = server.room("wire")
    await server.__aexit__()
    with pytest.raises(Unanswered, match="no connection to Telegram"):
        await account.call(history(room), source="s")
    await server.__aenter__()
    await account.call(history(room), source="s")


async def test_how_far_off_our_clock_is(server: Household, my: Desk, account: LoggedIn) -> None:
    await account.call(history(server.room("wire")), source="s")
    offset = my.metric("clock_offset_seconds", account="desk")
    assert offset is not None
    assert abs(offset) < 5


async def test_nothing_secret_is_logged(server: Household, my: Desk, account: LoggedIn) -> None:
    room = server.room("wire")
    with account.listen(room.number) as ears:
        await account.call(history(room), source="s")
        server.drop()
        await shaken(ears)
        server.push_raw(struct.pack("<I", 0x12345678) + b"hush")
        await shaken(ears)
    key = server._key.key
    assert "telegram connection lost" in my.log()
    for secret in (str(key)[2:20], key.hex()[:20], "hush"):
        assert secret not in my.log()


async def test_ears_that_nobody_asks_keep_what_they_can_and_one_look_for_the_rest() -> None:
    ears = BoundedEars(limit=3)
    for number in range(6):
        ears.tell(Pushed(types.UpdateChannel(number)))
    ears.tell(Shaken("one look serves for both"))
    kept = [await heard(ears) for _ in range(2)]
    ears.tell(Pushed(types.UpdateChannel(6)))
    kept += [await heard(ears) for _ in range(3)]
    told = [one.update.channel_id if isinstance(one, Pushed) else one.reason for one in kept]
    assert told == [0, 1, 2, "more than 3 updates waited to be taken in", 6]
    assert ears.overflows == 1
    ears.tell(Shaken("a"))
    ears.tell(Shaken("b"))
    ears.tell(Pushed(types.UpdateChannel(9)))
    assert isinstance(await heard(ears), Shaken)
    assert isinstance(await heard(ears), Pushed)
