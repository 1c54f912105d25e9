"""The eleven ways in which telethon loses posts in silence; each without our cure, to show that it is one.

What is lost, and where: docs of the connector. In each test the server does it, and everything comes all the
same. With the cure taken out it does not: `cured` is false, and the same wait ends in vain.
"""

import struct
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import pytest

from connectors.telegram.api import follow, wire
from connectors.telegram.api.asks import Answer, Changes
from connectors.telegram.api.standing import Standing
from pipeline.compliance import Desk
from tests.connectors.telegram.following import Following, until
from tests.telegram.account import Account
from tests.telegram.server import Room, Server

NEVER = 1000.0
IN_VAIN_SECONDS = 0.7
both = pytest.mark.parametrize("cured", [True, False])


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with Server() as server:
        yield server


@pytest.fixture
async def account(server: Server) -> AsyncIterator[Account]:
    async with Account(server) as account:
        yield account


@pytest.fixture
def room(server: Server) -> Room:
    room = server.room("wire")
    room.publish("one")
    room.publish("two")
    return room


async def expect(condition: Callable[[], bool], *, cured: bool) -> None:
    if cured:
        await until(condition)
        return
    with pytest.raises(TimeoutError):
        await until(condition, IN_VAIN_SECONDS)


def answers(monkeypatch: pytest.MonkeyPatch, change: Callable[[Changes], Changes]) -> None:
    def changed(ask: Any, result: Any) -> Answer:
        answer = wire.answer_of(ask, result)
        return change(answer) if isinstance(answer, Changes) else answer

    monkeypatch.setattr(follow, "answer_of", changed)


def deaf(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Standing, "shaken", lambda *_: None)


@both
async def test_1_a_difference_that_is_too_long_tells_nothing(
    server: Server, account: Account, room: Room, monkeypatch: pytest.MonkeyPatch, *, cured: bool
) -> None:
    if not cured:
        answers(monkeypatch, lambda changes: replace(changes, too_long=False))
    async with Following(account, room, reread_seconds=NEVER) as run:
        await run.looked()
        server.mute, room.too_long = True, 5
        for number in range(250):
            room.publish(f"lost {number}")
        await expect(lambda: len(run.texts()) == 252, cured=cured)


@both
async def test_2_edits_and_deletions_in_a_difference_are_dropped(
    server: Server, account: Account, room: Room, monkeypatch: pytest.MonkeyPatch, *, cured: bool
) -> None:
    if not cured:
        answers(monkeypatch, lambda changes: replace(changes, updates=()))
    async with Following(account, room, reread_seconds=NEVER) as run:
        await run.looked()
        server.mute = True
        room.edit(1, "one, edited")
        room.delete(2)
        await expect(lambda: run.texts() == ["one, edited"], cured=cured)


@both
async def test_3_a_new_connection_does_not_catch_up(
    server: Server, account: Account, room: Room, monkeypatch: pytest.MonkeyPatch, *, cured: bool
) -> None:
    if not cured:
        deaf(monkeypatch)
    async with Following(account, room, poll_seconds=NEVER, reread_seconds=NEVER) as run:
        await run.looked()
        server.mute = True
        server.drop()
        room.publish("during the outage")
        await expect(lambda: "during the outage" in run.texts(), cured=cured)


@both
async def test_4_the_state_of_all_channels_is_wiped_where_the_account_has_none(
    server: Server, room: Room, *, cured: bool
) -> None:
    server.login_pts, desk = 0, Desk()
    async with Account(server) as account, Following(account, room, desk) as run:
        await run.looked()
    room.publish("while nobody looked")
    desk.cursor = desk.cursor if cured else None  # telethon's state is then all there is
    settings: dict[str, Any] = {"backfill_posts": 0, "poll_seconds": NEVER, "reread_seconds": NEVER}
    async with Account(server) as account, Following(account, room, desk, **settings) as run:
        await account.client.catch_up()
        await expect(lambda: "while nobody looked" in run.texts(), cured=cured)


@both
async def test_5_what_a_handler_fails_on_is_never_tried_again(
    account: Account, room: Room, monkeypatch: pytest.MonkeyPatch, *, cured: bool
) -> None:
    async def failing(_: object) -> None:
        raise RuntimeError("a handler's bug")

    poll = 0.05 if cured else NEVER
    async with Following(account, room, poll_seconds=poll, reread_seconds=NEVER) as run:
        await run.looked()
        account.client.remove_event_handler(account._push)
        account.client.add_event_handler(failing)
        room.publish("pushed into a bug")
        await expect(lambda: "pushed into a bug" in run.texts(), cured=cured)


@both
async def test_6_telethon_saves_its_state_once_a_minute_and_not_in_a_crash(
    server: Server, room: Room, *, cured: bool
) -> None:
    desk = Desk()
    async with Account(server) as account, Following(account, room, desk, poll_seconds=NEVER) as run:
        await run.looked()
        room.publish("pushed before the crash")
        await until(lambda: "pushed before the crash" in run.texts())
        desk.items.pop()  # it was not committed, and neither was what follows
        desk.books.seen.pop(f"telegram/{room.number}/3")
        kept = dict(desk.cursor or {}, last=2, window="1-2", pts=3)
    desk.cursor = kept if cured else None
    settings: dict[str, Any] = {"backfill_posts": 0, "poll_seconds": NEVER, "reread_seconds": NEVER}
    async with Account(server) as account, Following(account, room, desk, **settings) as run:
        await expect(lambda: "pushed before the crash" in run.texts(), cured=cured)


@both
async def test_7_catching_up_leaves_out_channels_that_the_session_does_not_know(
    server: Server, room: Room, *, cured: bool
) -> None:
    desk = Desk()
    async with Account(server) as account, Following(account, room, desk) as run:
        await run.looked()
    for number in range(120):
        room.publish(f"missed {number}")
    server.asked.clear()
    desk.cursor = desk.cursor if cured else None
    settings: dict[str, Any] = {"backfill_posts": 0, "poll_seconds": NEVER, "reread_seconds": NEVER}
    async with Account(server) as account, Following(account, room, desk, **settings) as run:
        await account.client.catch_up()
        await expect(lambda: len(run.texts()) == 122, cured=cured)
        assert ("ResolveUsername" not in server.asked) == cured, "the cursor knows the channel"


@both
async def test_8_a_channel_that_was_not_joined_is_never_pushed(
    server: Server, account: Account, room: Room, *, cured: bool
) -> None:
    server.mute = True
    poll = 0.05 if cured else NEVER
    async with Following(account, room, poll_seconds=poll, reread_seconds=NEVER) as run:
        await run.looked()
        room.publish("not pushed")
        room.edit(1, "one, edited")
        await expect(lambda: run.texts() == ["one, edited", "two", "not pushed"], cured=cured)


@both
async def test_9_an_update_of_an_unknown_type_is_dropped(
    server: Server, account: Account, room: Room, monkeypatch: pytest.MonkeyPatch, *, cured: bool
) -> None:
    if not cured:
        deaf(monkeypatch)
    async with Following(account, room, poll_seconds=NEVER, reread_seconds=NEVER) as run:
        await run.looked()
        server.mute = True
        room.publish("in words of another layer")
        server.push_raw(struct.pack("<II", 0x020B1422, 7))
        await expect(lambda: "in words of another layer" in run.texts(), cured=cured)


@both
async def test_10_a_gap_while_all_seems_well(
    server: Server, account: Account, room: Room, *, cured: bool
) -> None:
    reread = 0.1 if cured else NEVER
    async with Following(account, room, reread_seconds=reread) as run:
        await run.looked()
        server.mute = True
        counted = list(room.log)
        room.publish("neither pushed nor counted")
        room.edit(1, "edited in silence")
        room.delete(2)
        room.log = counted
        await expect(lambda: run.texts() == ["edited in silence", "neither pushed nor counted"], cured=cured)


@both
async def test_11_one_channel_that_is_not_answered_blocks_all_others(server: Server, *, cured: bool) -> None:
    one, other = server.room("stuck"), server.room("wire")
    one.publish("a")
    other.publish("b")
    poll = 0.05 if cured else NEVER
    async with Account(server, deadline=0.2) as account:
        settings: dict[str, Any] = {"poll_seconds": poll, "reread_seconds": NEVER}
        async with Following(account, one, **settings) as stuck, Following(account, other, **settings) as run:
            await until(lambda: min(stuck.looks, run.looks) > 0)
            one.publish("telethon counts from here")
            other.publish("and here")
            await until(lambda: len(stuck.texts()) == len(run.texts()) == 2)
            server.silence("GetChannelDifference", times=1000, room=one)
            asked = server.asked.count("GetChannelDifference")
            server.mute = True
            one.publish("lost push")
            server.mute = False
            one.publish("push behind a gap")  # telethon asks for the difference, in its only loop
            await until(lambda: server.asked.count("GetChannelDifference") > asked or cured)
            other.publish("pushed to a blocked loop")
            await expect(lambda: "pushed to a blocked loop" in run.texts(), cured=cured)
            await expect(lambda: len(stuck.texts()) == 4, cured=cured)
