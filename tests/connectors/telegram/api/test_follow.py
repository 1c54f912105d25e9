"""Following through the API, against a small Telegram: first contact, albums, names, refusals, holes."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs
from telethon.tl import types

from pipeline.compliance import Desk
from tests.connectors.telegram.following import Following, until
from tests.telegram.account import Account
from tests.telegram.server import Room, Server

NEVER = 1000.0
NOON = datetime(2026, 7, 4, 12, tzinfo=UTC)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with Server() as server:
        yield server


@pytest.fixture
async def account(server: Server) -> AsyncIterator[Account]:
    async with Account(server, deadline=0.5) as account:
        yield account


@pytest.fixture
def room(server: Server) -> Room:
    room = server.room("Wire")
    for number in range(1, 6):
        room.now = (NOON + timedelta(hours=number)).timestamp
        room.publish(f"post {number}")
    return room


@pytest.mark.parametrize(
    ("settings", "first"),
    [
        ({"backfill_posts": 0}, 6),
        ({"backfill_posts": 2}, 4),
        ({"backfill_posts": 100}, 1),
        ({"backfill_since": NOON + timedelta(hours=2)}, 2),
        ({"backfill_since": NOON + timedelta(hours=2, minutes=1)}, 3),
        ({"backfill_since": NOON - timedelta(days=1)}, 1),
        ({"backfill_since": NOON + timedelta(days=1)}, 6),
    ],
)
async def test_first_contact_brings_in_so_much_marked_as_backlog(
    account: Account, room: Room, settings: dict[str, Any], first: int
) -> None:
    async with Following(account, room, **settings) as run:
        await run.looked()
        room.publish("new")
        await until(lambda: "new" in run.texts())
        await run.looked(2)
    assert run.texts() == [*(f"post {number}" for number in range(first, 6)), "new"]
    assert [item.backlog for item in run.desk.items] == [*[True] * (6 - first), False]


@pytest.mark.parametrize("page", [100, 7])
async def test_a_long_backlog_begins_where_it_should_and_cuts_no_album(
    server: Server, account: Account, room: Room, page: int
) -> None:
    server.mute = True
    for number in range(100):
        room.publish(f"old {number}")
    room.album("caption", "", "", "")
    for number in range(298):
        room.publish(f"late {number}")
    room.page = page
    async with Following(account, room, backfill_posts=300, poll_seconds=NEVER, reread_seconds=NEVER) as run:
        await run.looked()
    # Where a server shows too few to find the place, it is walked to; then an album counts as one post.
    walked = [] if page == 100 else ["old 99"]
    assert run.texts() == [*walked, "caption", *(f"late {number}" for number in range(298))]
    assert all(item.backlog for item in run.desk.items)
    assert (server.asked.count("GetHistory") < 10) == (page == 100)


async def test_an_album_that_is_pushed_is_one_post(account: Account, room: Room) -> None:
    async with Following(account, room, poll_seconds=NEVER, reread_seconds=NEVER) as run:
        await run.looked()
        ids = room.album("caption", "", "")
        await until(lambda: "caption" in run.texts())
    (item,) = [item for item in run.desk.items if item.text == "caption"]
    assert (item.native_id, item.delivery) == (str(ids[0]), "pushed")
    assert [one.item_id for one in item.relations] == [f"telegram/{room.number}/{one}" for one in ids[1:]]


async def test_albums_are_not_cut_by_pages(server: Server, account: Account, room: Room) -> None:
    room.page = 4
    for number in range(4):
        room.album(f"caption {number}", "", "", "", "")
    async with Following(account, room) as run:
        await run.looked()
        server.mute = True
        room.album("unheard", "", "", "", "", "")
        await until(lambda: "unheard" in run.texts())
    assert [item.revision for item in run.desk.items] == [1] * 10, "no half album was ever told"


async def test_an_album_loses_a_part_and_then_its_first(server: Server, account: Account, room: Room) -> None:
    first, second, third = room.album("caption", "", "third")
    async with Following(account, room) as run:
        await run.looked()
        server.mute = True
        room.delete(second)
        await until(lambda: len(run.newest()[str(first)].relations) == 1)
        room.delete(first)
        await until(lambda: run.newest()[str(first)].status == "withdrawn")
        await until(lambda: str(third) in run.newest())
    assert run.newest()[str(third)].text == "third"


async def test_a_name_that_leads_elsewhere_is_never_followed(server: Server, room: Room) -> None:
    desk = Desk()
    async with Account(server) as account, Following(account, room, desk) as run:
        await run.looked()
    room.rename("WireOld")
    other = server.room("Wire")
    other.publish("another channel's")
    cursor = {key: value for key, value in (desk.cursor or {}).items() if key != "access"}
    desk.cursor = cursor
    async with Account(server) as account, Following(account, other, desk) as run:
        await until(lambda: bool(run.failures))
    assert f"is now another channel (id {other.number}, was {room.number})" in run.failures[0]
    assert "another channel's" not in run.texts()


async def test_a_channel_that_is_renamed_is_followed_by_its_number(server: Server, room: Room) -> None:
    async with Account(server) as account, Following(account, room) as run:
        await run.looked()
        room.rename("Wireless")
        room.publish("under another name")
        await until(lambda: "under another name" in run.texts())
    assert run.desk.items[-1].source == "Wireless"
    assert run.desk.items[-1].url == f"https://t.me/Wireless/{room.top}"


@pytest.mark.parametrize("taken", [(), ("Wire",)], ids=["the old name is nobody's", "is another channel's"])
async def test_a_login_of_its_own_finds_a_channel_that_was_renamed(
    server: Server, room: Room, taken: tuple[str, ...]
) -> None:
    async with Account(server) as account, Following(account, room) as run:
        await run.looked()
        room.rename("Wireless")
        await until(lambda: (run.desk.cursor or {})["name"] == "Wireless")
    for name in taken:
        server.room(name).publish("another channel's")
    desk = run.desk
    desk.cursor = {key: value for key, value in (desk.cursor or {}).items() if key != "access"}
    async with Account(server) as account, Following(account, room, desk, channel="Wire") as run:
        room.publish("under another name")
        await until(lambda: "under another name" in run.texts())
        assert not run.failures
    assert "another channel's" not in run.texts()


async def test_a_rename_is_told_once(server: Server, room: Room) -> None:
    async with Account(server) as account, Following(account, room) as run:
        await run.looked()
        with capture_logs() as log:
            room.rename("Wireless")
            await run.looked(3)
    assert [(entry["log_level"], entry["channel"], entry["renamed_to"]) for entry in log] == [
        ("warning", "Wire", "Wireless")
    ]


async def test_a_difference_that_is_refused_for_days_is_not_asked_for_again_and_again(
    server: Server, account: Account, room: Room
) -> None:
    async with Following(account, room, reread_seconds=NEVER) as run:
        await run.looked()
        server.mute = True
        server.refuse("GetChannelDifference", "PERSISTENT_TIMESTAMP_OUTDATED", times=1000)
        for number in range(4):
            room.publish(f"unheard {number}")
            await until(lambda number=number: f"unheard {number}" in run.texts())  # type: ignore[misc]
            await run.looked(3)
        asked = server.asked.count("GetChannelDifference")
    assert asked < server.asked.count("GetHistory") / 2


async def test_a_flood_wait_of_one_kind_does_not_stop_the_others(
    server: Server, account: Account, room: Room
) -> None:
    async with Following(account, room, reread_seconds=NEVER) as run:
        await run.looked()
        server.refuse("GetHistory", "FLOOD_WAIT_1000", times=1000)
        room.publish("pushed")
        await until(lambda: "pushed" in run.texts())
        server.mute = True
        room.publish("told by a difference")
        await until(lambda: "told by a difference" in run.texts())
        await until(lambda: bool(run.waits))
    assert (run.desk.cursor or {})["last"] == 5, "no page proved what is above"
    assert "1000" in run.waits[0], "operators see why nothing is looked at"
    assert not run.failures


async def test_what_came_and_went_while_a_channel_was_private_is_a_hole(account: Account, room: Room) -> None:
    async with Following(account, room, reread_seconds=NEVER) as run:
        await run.looked()
        before = (run.desk.cursor or {})["looked"]
        room.barred = "CHANNEL_PRIVATE"
        await until(lambda: bool(run.failures))
        lost = room.publish("came and went")
        room.publish("came and stayed")
        room.delete(lost)
        room.barred = None
        await until(lambda: "came and stayed" in run.texts())
        await until(lambda: bool(run.missed))
    (missed,) = run.missed
    assert missed.since is not None
    assert missed.since.isoformat() >= before
    assert str(lost) in missed.reason


async def test_a_deletion_is_bracketed_by_the_last_look_that_had_it(
    server: Server, account: Account, room: Room
) -> None:
    async with Following(account, room) as run:
        await run.looked(3)
        server.mute, known = True, list(room.log)
        gone_after = datetime.now(UTC)
        room.delete(5)
        room.log = known
        await until(lambda: run.newest()["5"].status == "withdrawn")
    item = run.newest()["5"]
    assert item.absent is not None
    assert item.absent < item.observed
    assert item.absent <= gone_after + timedelta(seconds=1)


async def test_forwards_services_and_what_is_withheld(account: Account, room: Room) -> None:
    header = types.MessageFwdHeader(NOON, from_id=types.PeerChannel(room.number), channel_post=1)
    room.publish("forwarded", fwd_from=header)
    room.publish("", action=types.MessageActionPinMessage())
    reasons = [types.RestrictionReason("all", "terms", "No.")]
    room.publish("hidden", restriction_reason=reasons)
    async with Following(account, room) as run:
        await run.looked()
    newest = run.newest()
    assert [(one.kind, one.item_id, one.source) for one in newest["6"].relations] == [
        ("forward_of", f"telegram/{room.number}/1", "Wire")
    ]
    assert newest["7"].kind == "service"
    assert newest["8"].status == "withheld"
