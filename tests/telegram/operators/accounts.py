"""What happens to an account or a machine, and what the operator must see of it."""

import asyncio
from itertools import pairwise

from pipeline.transaction import header
from schemas.topics import ITEMS
from tests.scenarios.numbers import eventually
from tests.telegram.operators.stage import API, GAPS, NEXT, Machine, Stage, ahead, failed, none, some
from tests.telegram.process import States, both, come, looked, published
from tests.telegram.server import Room

EVERY_SECONDS = 0.1
BEFORE_SECONDS = 2.0
SILENCE_SECONDS = 20.0
"""More than this is no takeover: a session of the group ends after 6 s."""
FLOOD_SECONDS = 10
ACTIVE = "ingest_active"
WAIT_UNTIL = "telegram_wait_until_timestamp_seconds"
USABLE = "telegram_account_usable"
CANNOT = "telegram session cannot be used"


async def dead_session(stage: Stage) -> None:
    """The login was ended: the source waits for a new one, and goes on where it stood."""
    async with stage.followed() as (room, machine, expected):
        stage.server.accounts[0].dead = "AUTH_KEY_UNREGISTERED"
        published(room, expected, "While nobody is logged in.")
        await machine.alarm("telegram account lost", "log in anew with: dateline login telegram")
        await failed(stage, machine, "AUTH_KEY_UNREGISTERED (Telegram does not know the session")
        await stage.measures(machine, {USABLE: none, NEXT: ahead})
    with stage.machine("desk", user=778).running():  # another login, in the same file
        await come(stage.desk, expected)
    await stage.counts(expected)


async def login_used_twice(stage: Stage) -> None:
    """On one machine the second is refused; copied to another one, Telegram ends the login for both."""
    async with stage.followed() as (room, first, expected):
        file = first.config.parent / "desk.session"
        second = stage.machine("second", desk=stage.elsewhere("second"), session=file)
        with second.running():
            await second.alarm(CANNOT, "another process on this machine uses this session")
            await failed(stage, second, "another process on this machine uses this session")
            await stage.measures(second, {USABLE: none})
            await stage.prints(second, "a process on this machine uses this session now", command="check")
        published(room, expected, "The first goes on.")
        await come(stage.desk, expected)
        stage.server.single = True
        with stage.machine("copy", desk=stage.elsewhere("copy")).running():
            words = "AUTH_KEY_DUPLICATED (two processes used the session at once"
            for machine in (first, stage.machines[-1]):
                await machine.alarm("telegram account lost", words)
                await failed(stage, machine, words)
                await stage.measures(machine, {USABLE: none})
        published(room, expected, "While nobody is logged in.")
    with stage.machine("desk", user=778).running():
        await come(stage.desk, expected)
    await stage.counts(expected)


async def standby_takes_over(stage: Stage) -> None:
    """The machine that follows the channel is killed while posts go on; the other has a login of its own."""
    room, expected = stage.server.room("wire"), States()
    one, two = stage.machine("one"), stage.machine("two", user=778)
    published(room, expected, "Before.")
    with one.running() as process:
        await come(stage.desk, expected)
        with two.running():
            await both(stage.desk, settled=0)
            await stage.measures(one, {ACTIVE: some})
            publishing = asyncio.create_task(publish(room, expected))
            await asyncio.sleep(BEFORE_SECONDS)
            process.kill()
            await until_active(two)
            await asyncio.sleep(BEFORE_SECONDS)
            publishing.cancel()
            await come(stage.desk, expected)
            await looked(stage.desk)
            await stage.measures(two, {ACTIVE: some, "telegram_account_connected": some, GAPS: none})
            await stage.prints(two, "runs")
    await stage.counts(expected)
    silence = await longest_silence(stage)
    stage.seen.items += f"; silence {silence:.1f} s"
    assert silence < SILENCE_SECONDS, stage.seen.items


async def publish(room: Room, expected: States) -> None:
    """Publish at a steady pace, for ever."""
    while True:
        published(room, expected, f"Post {len(expected)} of a steady wire.")
        await asyncio.sleep(EVERY_SECONDS)


async def until_active(machine: Machine) -> None:
    """Wait until a machine has taken over."""

    async def active() -> bool:
        return any((await machine.metrics(ACTIVE)).values())

    await eventually(active, SILENCE_SECONDS)


async def longest_silence(stage: Stage) -> float:
    """Give the longest time between two new items, in seconds, by the broker's clock."""
    records = await stage.desk.records(ITEMS)
    moments = [one.timestamp_ms for one in records if header(one.headers, "ce_type") == "dateline.item"]
    return max(after - before for before, after in pairwise(sorted(moments))) / 1000


async def flood_wait(stage: Stage) -> None:
    """Telegram makes one channel wait: what is pushed of it still comes, and the other channel goes on."""
    names, expected = ("wire", "other"), States()
    wire, other = (stage.server.room(name) for name in names)
    machine = stage.machine("desk", *({**API, "name": name, "channel": name} for name in names))
    for room in (wire, other):
        published(room, expected, "Before.")
    with machine.running():
        await come(stage.desk, expected)
        await looked(stage.desk)
        stage.server.refuse("GetHistory", f"FLOOD_WAIT_{FLOOD_SECONDS}", room=wire)
        words = f"Telegram wants us to wait {FLOOD_SECONDS} s"
        await machine.looks("wire", "failed", words)
        for room in (wire, other):
            published(room, expected, "Meanwhile.")
        await come(stage.desk, expected)
        await stage.measures(machine, {WAIT_UNTIL: ahead, "telegram_wait_seconds_total": some})
        await stage.prints(machine, "failed", f"wire: GetHistoryRequest: {words}", "runs")
        await machine.looks("wire", "ok")
        await machine.looks("other", "ok")
    await stage.counts(expected)
    assert not machine.alarms(), "a wait is no fault of anybody's, and is no alarm"
