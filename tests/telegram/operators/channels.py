"""What happens to a channel, and what the operator must see of it."""

from tests.connectors.telegram.web.site import Site
from tests.telegram.operators.stage import FAILURES, GAPS, NAME, NEXT, Stage, failed, none, some
from tests.telegram.process import States, come, items, looked, published

RENAMED = "telegram channel was renamed; correct `channel`"


async def taken_over(stage: Stage) -> None:
    """Somebody else has the handle: nothing of the other channel is taken in, by neither way."""
    await taken_over_api(stage)
    site, expected, desk = Site(name="wire"), States(), stage.elsewhere("page")
    machine = stage.machine("page", {"name": "wire", "channel": "wire"}, desk=desk)
    for text in ("One.", "Two."):
        expected[f"telegram/{site.channel}/{site.post(text)}"] = [(1, "usable", text)]
    async with site.serve() as pages:
        with machine.running(pages):
            await come(desk, expected)
            await looked(desk)
            was, site.channel = site.channel, 77
            site.post("Of somebody else.")
            await failed(stage, machine, f"@wire is now another channel (number 77, was {was})")
    await come(desk, expected)


async def taken_over_api(stage: Stage) -> None:
    """Who has followed the channel goes on by its number; a login that never saw it cannot find it."""
    async with stage.followed() as (room, machine, expected):
        room.rename()
        other = stage.server.room("wire")
        other.publish("Of somebody else.")
        published(room, expected, "Without a name.")
        await come(stage.desk, expected)
        await machine.alarm(RENAMED)
    standby = stage.machine("standby", user=778)
    with standby.running():
        await failed(stage, standby, f"@wire is now another channel (id {other.number}, was {room.number})")
    await stage.counts(expected)


async def gone_private(stage: Stage) -> None:
    """The channel is private for a while: what came and went meanwhile is a gap, the rest is fetched."""
    async with stage.followed() as (room, machine, expected):
        room.barred = "CHANNEL_PRIVATE"
        await failed(stage, machine, "CHANNEL_PRIVATE (the channel is private")
        lost = room.publish("Came and went.")
        published(room, expected, "Came and stayed.")
        room.delete(lost)
        room.barred = None
        await come(stage.desk, expected)
        await machine.looks("wire", "ok")
        await stage.measures(machine, {GAPS: some, NEXT: none})
    await stage.counts(expected)


async def renamed(stage: Stage) -> None:
    """The channel has another name: it is followed by its number, also by a login that never saw it."""
    async with stage.followed() as (room, machine, expected):
        room.rename("wireless")
        published(room, expected, "Under the new name.")
        await come(stage.desk, expected)
        await machine.alarm(RENAMED, "wireless")
        await stage.measures(machine, {NAME: some, FAILURES: none})
        await stage.prints(machine, "runs")
        assert (await items(stage.desk))[-1].source == "wireless"
    stage.server.room("wire").publish("Of somebody who took the old name.")
    with stage.machine("standby", user=778).running():
        published(room, expected, "Seen by another login.")
        await come(stage.desk, expected)
    await stage.counts(expected)
