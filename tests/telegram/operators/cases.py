"""What happens, and what the operator must see of it. Each case insists on that, and keeps what was seen."""

import time
from collections.abc import Awaitable, Callable

from tests.connectors.telegram.web.site import Site
from tests.telegram.operators.stage import Machine, Stage
from tests.telegram.process import States, come, looked, published

Case = Callable[[Stage], Awaitable[None]]
FAILURES = "source_failures_total"
NEXT = "source_next_attempt_timestamp_seconds"
USABLE = "telegram_account_usable"
GAPS = "gaps_total"


def some(value: float) -> bool:
    """Say whether a counter has moved."""
    return value > 0


def none(value: float) -> bool:
    """Say whether it has not, or a state is not so."""
    return value == 0


def ahead(value: float) -> bool:
    """Say whether a moment is still to come."""
    return value > time.time()


async def failed(stage: Stage, machine: Machine, words: str, source: str = "wire") -> None:
    """Insist that a source failed where an operator looks for it: log, looks, metrics, `dateline sources`."""
    await machine.alarm("source failed", words)
    await stage.looks(source, "failed", words)
    await stage.measures(machine, **{FAILURES: some})
    await stage.prints(machine, "failed", words)


async def taken_over(stage: Stage) -> None:
    """Somebody else has the handle: nothing of the other channel is taken in."""
    site, machine, expected = (
        Site(name="wire"),
        stage.machine("desk", {"name": "wire", "channel": "wire"}),
        States(),
    )
    for text in ("One.", "Two."):
        expected[f"telegram/{site.channel}/{site.post(text)}"] = [(1, "usable", text)]
    async with site.serve() as pages:
        with machine.running(pages):
            await come(stage.desk, expected)
            await looked(stage.desk)
            was, site.channel = site.channel, 77
            site.post("Of somebody else.")
            await failed(stage, machine, f"@wire is now another channel (number 77, was {was})")
    await stage.counts(expected)


async def gone_private(stage: Stage) -> None:
    """The channel is private for a while: what came and went meanwhile is a gap, the rest is fetched."""
    room, machine, expected = stage.server.room("wire"), stage.machine("desk"), States()
    published(room, expected, "Before.")
    with machine.running():
        await come(stage.desk, expected)
        await looked(stage.desk)
        room.barred = "CHANNEL_PRIVATE"
        await failed(stage, machine, "CHANNEL_PRIVATE (the channel is private")
        lost = room.publish("Came and went.")
        published(room, expected, "Came and stayed.")
        room.delete(lost)
        room.barred = None
        await come(stage.desk, expected)
        await stage.looks("wire", "ok")
        await stage.measures(machine, **{GAPS: some, NEXT: none})
    await stage.counts(expected)


async def dead_session(stage: Stage) -> None:
    """The login was ended: the source waits for a new one, and goes on where it stood."""
    room, machine, expected = stage.server.room("wire"), stage.machine("desk"), States()
    published(room, expected, "Before.")
    with machine.running():
        await come(stage.desk, expected)
        await looked(stage.desk)
        stage.server.accounts[0].dead = "AUTH_KEY_UNREGISTERED"
        published(room, expected, "While nobody is logged in.")
        await machine.alarm("telegram account lost", "log in anew with: dateline login telegram")
        await failed(stage, machine, "AUTH_KEY_UNREGISTERED (Telegram does not know the session")
        await stage.measures(machine, **{USABLE: none, NEXT: ahead})
    again = stage.machine("desk", user=778)  # another login, in the same file
    with again.running():
        await come(stage.desk, expected)
    await stage.counts(expected)


CASES: dict[str, Case] = {
    "a handle taken over": taken_over,
    "gone private": gone_private,
    "a dead session": dead_session,
}
