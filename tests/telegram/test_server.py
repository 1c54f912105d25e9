"""What the small Telegram can do, shown by a plain telethon."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from telethon import errors
from telethon.errors import RPCError
from telethon.network.connection import ConnectionTcpAbridged
from telethon.tl import functions, types

from tests.telegram.plain import Client, until
from tests.telegram.server import Room, Server
from tests.telegram.server.link import Link


async def peer(client: Client, room: Room) -> types.InputPeerChannel:
    found = await client.plain.get_input_entity(room.name)
    assert isinstance(found, types.InputPeerChannel)
    return found


async def history(client: Client, room: Room, **fields: Any) -> Any:
    asked = dict.fromkeys(("offset_id", "add_offset", "max_id", "min_id", "hash"), 0)
    asked |= {"offset_date": None, "limit": 100} | fields
    return await client(functions.messages.GetHistoryRequest(await peer(client, room), **asked))


async def difference(client: Client, room: Room, pts: int, limit: int = 100) -> Any:
    where = types.InputChannel(room.number, (await peer(client, room)).access_hash)
    every = types.ChannelMessagesFilterEmpty()
    return await client(functions.updates.GetChannelDifferenceRequest(where, every, pts, limit))


async def test_connects_and_is_who_it_is(client: Client) -> None:
    assert (await client.plain.get_me()).id == 777


async def test_both_transports(server: Server, room: Room) -> None:
    async with Client(server, connection=ConnectionTcpAbridged) as client:
        assert len((await history(client, room)).messages) == 100


async def test_pages_of_history_as_telethon_asks_for_them(client: Client, room: Room) -> None:
    room.delete(100, 101)
    backwards = [one.id async for one in client.plain.iter_messages("wire", limit=None, wait_time=0)]
    assert backwards == sorted(room.messages, reverse=True)
    where = await peer(client, room)
    forwards = [
        one.id
        async for one in client.plain.iter_messages(where, min_id=90, reverse=True, limit=None, wait_time=0)
    ]
    assert forwards == [one for one in sorted(room.messages) if one > 90]


async def test_pages_of_history_as_telegram_counts_them(client: Client, room: Room) -> None:
    async def ids(**fields: Any) -> list[int]:
        return [one.id for one in (await history(client, room, **fields)).messages]

    assert await ids(limit=3) == [250, 249, 248]
    assert await ids(offset_id=10, limit=3) == [9, 8, 7]
    assert await ids(offset_id=10, add_offset=-3, limit=3) == [12, 11, 10]
    assert await ids(offset_id=10, add_offset=1, limit=2) == [8, 7]
    assert await ids(offset_id=10, min_id=6) == [9, 8, 7]
    assert await ids(max_id=4) == [3, 2, 1]
    room.holes = {8}
    assert await ids(offset_id=10, limit=3) == [9, 7]


async def test_pages_from_a_date(client: Client, room: Room) -> None:
    later = datetime.now(UTC) + timedelta(days=1)
    room.now = later.timestamp
    room.publish("tomorrow")
    page = await history(client, room, offset_date=later - timedelta(hours=1), limit=1)
    assert [one.id for one in page.messages] == [250]


async def test_messages_by_their_ids(client: Client, room: Room) -> None:
    room.delete(7)
    found = await client.plain.get_messages(await peer(client, room), ids=[6, 7, 8])
    assert [one and one.message for one in found] == ["post 6", None, "post 8"]


async def test_a_name_is_resolved_once(client: Client, server: Server, room: Room) -> None:
    assert (await client.plain.get_entity("WIRE")).username == "wire"
    await peer(client, room)
    assert server.asked.count("ResolveUsername") == 1
    with pytest.raises(ValueError, match="No user has"):
        await client.plain.get_input_entity("nobody_has_this")


async def test_names_change_hands(client: Client, server: Server, room: Room) -> None:
    other = server.room("other")
    room.rename("wire_news", "wire_2")
    other.rename("wire")
    assert (await client.plain.get_entity("wire")).id == other.number
    moved = await client.plain.get_entity("wire_2")
    assert (moved.id, [one.username for one in moved.usernames]) == (room.number, ["wire_news", "wire_2"])


async def test_about_channels(client: Client, room: Room) -> None:
    where = await peer(client, room)
    full = await client(functions.channels.GetFullChannelRequest(where))
    assert full.full_chat.pts == room.pts == 251
    found = await client(functions.channels.GetChannelsRequest([where]))
    assert [one.title for one in found.chats] == ["Title of wire"]
    seen = await client(functions.messages.GetMessagesViewsRequest(where, [1, 2], increment=False))
    assert len(seen.views) == 2


async def test_pushes_only_to_those_who_joined(client: Client, room: Room) -> None:
    room.members = set()
    where = await peer(client, room)
    room.publish("nobody hears")
    joined = await client(functions.channels.JoinChannelRequest(where))
    assert isinstance(joined, types.messages.ChatInviteJoinResultOk)
    room.publish("all hear")
    await until(lambda: client.texts() == ["all hear"])


async def test_changes_are_pushed(client: Client, room: Room) -> None:
    number = room.publish("new")
    room.edit(number, "edited")
    room.edit(number, "edited", hide=True)
    room.delete(number)
    room.album("a", "b")
    await until(lambda: len(client.told) == 6)
    assert client.kinds() == [
        "UpdateNewChannelMessage",
        "UpdateEditChannelMessage",
        "UpdateEditChannelMessage",
        "UpdateDeleteChannelMessages",
        "UpdateNewChannelMessage",
        "UpdateNewChannelMessage",
    ]
    assert [client.told[1].message.edit_hide, client.told[2].message.edit_hide] == [False, True]
    assert client.told[4].message.grouped_id == client.told[5].message.grouped_id is not None
    assert [one.pts - one.pts_count for one in client.told] == list(range(251, 257))


async def test_a_gap_is_filled_by_a_difference(client: Client, server: Server, room: Room) -> None:
    room.publish("counts from here")
    await until(lambda: len(client.texts()) == 1)
    room.mute = True
    room.publish("not pushed")
    room.mute = False
    room.publish("behind the gap")
    await until(lambda: client.texts() == ["counts from here", "not pushed", "behind the gap"])
    assert server.asked.count("GetChannelDifference") == 1


async def test_differences_in_slices(client: Client, room: Room) -> None:
    room.edit(3, "edited")
    room.delete(1, 2)
    first = await difference(client, room, 1)
    assert (len(first.new_messages), first.final, first.pts) == (98, False, 101)
    rest = await difference(client, room, 201)
    assert [one.id for one in rest.new_messages] == list(range(201, 251))
    assert [type(one).__name__ for one in rest.other_updates] == [
        "UpdateEditChannelMessage",
        "UpdateDeleteChannelMessages",
    ]
    assert (rest.pts, rest.final, rest.other_updates[1].pts_count) == (254, True, 2)
    assert isinstance(await difference(client, room, 254), types.updates.ChannelDifferenceEmpty)
    room.too_long = 100
    assert (await difference(client, room, 1)).dialog.pts == 254


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        ("FLOOD_WAIT_7", errors.FloodWaitError),
        ("CHANNEL_PRIVATE", errors.ChannelPrivateError),
        ("AUTH_KEY_UNREGISTERED", errors.AuthKeyUnregisteredError),
        ("SESSION_REVOKED", errors.SessionRevokedError),
        ("USER_DEACTIVATED", errors.UserDeactivatedError),
        ("AUTH_KEY_DUPLICATED", errors.AuthKeyDuplicatedError),
    ],
)
async def test_errors(client: Client, server: Server, room: Room, error: str, raised: type[RPCError]) -> None:
    await peer(client, room)
    server.refuse("messages.getHistory", error, room=room)
    with pytest.raises(raised):
        await history(client, room)
    if not error.startswith("FLOOD"):
        assert (await history(client, room)).messages
    assert next(one.outcome for one in server.served if one.name == "GetHistory") == error


async def test_what_the_server_failed_at_is_asked_again(client: Client, server: Server, room: Room) -> None:
    server.refuse("GetHistory", "HISTORY_GET_FAILED")
    assert (await history(client, room)).messages
    assert [one.outcome for one in server.served][-2:] == ["HISTORY_GET_FAILED", "answered"]


async def test_a_channel_goes_private_and_comes_back(client: Client, room: Room) -> None:
    await peer(client, room)
    room.barred = "CHANNEL_PRIVATE"
    with pytest.raises(errors.ChannelPrivateError):
        await history(client, room)
    room.barred = None
    assert (await history(client, room)).messages


async def test_a_request_that_is_never_answered(client: Client, server: Server, room: Room) -> None:
    server.silence("GetHistory")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(history(client, room), 0.2)
    assert (await history(client, room)).messages


async def test_a_connection_that_ends_in_the_middle_of_a_request(
    client: Client, server: Server, room: Room
) -> None:
    server.cut("GetHistory")
    assert (await history(client, room)).messages
    assert server.asked.count("GetHistory") == 2


async def test_dropped_connections_come_back(client: Client, server: Server, room: Room) -> None:
    server.drop()
    assert (await history(client, room)).messages


async def test_what_is_wrong_until_it_is_lifted(client: Client, server: Server, room: Room) -> None:
    await peer(client, room)
    server.refuse("*", "CHANNEL_INVALID", times=1000, account=server.accounts[0])
    for _ in range(3):
        with pytest.raises(errors.ChannelInvalidError):
            await history(client, room)
    server.calm()
    assert (await history(client, room)).messages


async def test_pages_that_show_less_than_asked(client: Client, room: Room) -> None:
    room.page = 7
    assert len((await history(client, room)).messages) == 7
    room.page, room.skip = 100, 5
    assert len((await history(client, room)).messages) == 80


async def test_what_an_account_missed(client: Client, server: Server, room: Room) -> None:
    missed = functions.updates.GetDifferenceRequest(pts=1, date=datetime.now(UTC), qts=0)
    told = (await client(missed)).other_updates
    assert [(one.channel_id, one.pts) for one in told] == [(room.number, 251)]
    server.account_too_long = True
    assert isinstance(await client(missed), types.updates.DifferenceTooLong)


async def test_catching_up_on_what_was_not_pushed(client: Client, room: Room) -> None:
    room.publish("counts from here")
    await until(lambda: len(client.told) == 1)
    room.mute = True
    room.publish("while nobody listened")
    await client.plain.catch_up()
    await until(lambda: client.texts() == ["counts from here", "while nobody listened"])


async def test_two_accounts_have_hashes_of_their_own(client: Client, server: Server, room: Room) -> None:
    async with Client(server, server.session(server.account(778))) as second:
        assert (await second.plain.get_me()).id == 778
        assert (await peer(second, room)).access_hash != (await peer(client, room)).access_hash
        with pytest.raises(errors.ChannelInvalidError):
            await second(functions.channels.GetFullChannelRequest(await peer(client, room)))


@pytest.mark.parametrize("skew", [7200, -7200])
async def test_a_clock_that_is_wrong_at_connecting(server: Server, room: Room, skew: float) -> None:
    server.skew = skew
    async with Client(server) as client:
        assert (await history(client, room)).messages
        assert abs(client.plain._sender._state.time_offset - skew) <= 1


@pytest.mark.parametrize(("skew", "code"), [(0, 48), (7200, 16), (-7200, 17)])
async def test_what_is_rejected(
    server: Server, room: Room, monkeypatch: pytest.MonkeyPatch, skew: float, code: int
) -> None:
    codes: list[int] = []
    plain = Link._reject

    def reject(link: Link, why: Any) -> None:
        codes.append(why.error_code)
        plain(link, why)

    monkeypatch.setattr(Link, "_reject", reject)
    server.skew = skew
    async with Client(server):
        assert code in codes


async def test_many_requests_in_one_container(client: Client, room: Room) -> None:
    asked = functions.help.GetConfigRequest()
    assert [one.this_dc for one in await client([asked, asked, asked])] == [2, 2, 2]


async def test_a_key_that_two_use_at_once_is_dead(client: Client, server: Server, room: Room) -> None:
    server.single = True
    second = Client(server).plain
    with pytest.raises(errors.AuthKeyDuplicatedError):
        await second.connect()
    await second.disconnect()
    with pytest.raises(errors.AuthKeyDuplicatedError):
        await client(functions.updates.GetStateRequest())


@pytest.mark.parametrize("how", ["silent", "half_dead"])
async def test_a_connection_on_which_nothing_comes(
    client: Client, server: Server, room: Room, how: str
) -> None:
    setattr(server, how, True)
    room.publish("unheard")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(history(client, room), 0.2)
    ping = client(functions.PingRequest(5))
    if how == "silent":
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(ping, 0.2)
    else:
        assert (await ping).ping_id == 5
    assert client.told == []


async def test_a_transport_that_is_flooded(client: Client, server: Server, room: Room) -> None:
    server.trouble = -429
    with pytest.raises((ConnectionError, errors.InvalidBufferError)):
        await history(client, room)
    await until(lambda: not client.plain.is_connected())


async def test_pushes_that_come_late(client: Client, room: Room) -> None:
    room.delay = 0.05
    room.publish("late")
    room.delay = 0
    assert client.told == []
    await until(lambda: client.texts() == ["late"])


async def test_posts_of_all_kinds_come_back_as_they_were(client: Client, room: Room) -> None:
    photo = types.Photo(1, 2, b"f", datetime(2026, 7, 4, tzinfo=UTC), [types.PhotoSize("x", 8, 6, 9)], 2)
    origin = types.MessageFwdHeader(
        datetime(2026, 7, 4, tzinfo=UTC), from_id=types.PeerChannel(5), channel_post=8
    )
    kinds: list[dict[str, Any]] = [
        {"entities": [types.MessageEntityBold(0, 3)]},
        {"media": types.MessageMediaPhoto(photo=photo)},
        {"fwd_from": origin},
        {"reply_to": types.MessageReplyHeader(reply_to_msg_id=3)},
        {"restriction_reason": [types.RestrictionReason("all", "terms", "Not here.")]},
        {"action": types.MessageActionPinMessage()},
        {"media": types.MessageMediaWebPage(types.WebPage(1, "https://a.example", "a.example", 0))},
    ]
    numbers = [room.publish("words", **fields) for fields in kinds]
    found = (await history(client, room, offset_id=numbers[-1] + 1, limit=len(kinds))).messages
    assert [bytes(one) for one in reversed(found)] == [bytes(room.messages[one]) for one in numbers]


async def test_all_changes_are_on_record(client: Client, server: Server, room: Room) -> None:
    server.mute = True
    room.publish("secret")
    at, where, update = server.truth[-1]
    assert where is room
    assert update.message.message == "secret"
    assert at <= time.time()
