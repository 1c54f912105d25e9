"""Runs the week: everybody watches the same server; Dateline is restarted now and then."""

import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial

from tests.connectors.telegram.following import Following, until
from tests.telegram.account import Account
from tests.telegram.server import Server
from tests.telegram.week.script import Size, Week
from tests.telegram.week.verdict import Plain, judge

PATIENCE = 120.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it.

    Attributes:
        happened: what there was.
        restarts: of Dateline.
        items: revisions that Dateline wrote.
        wrong: what is wrong with them.
        plain: what a plain telethon handler does not know.
    """

    happened: dict[str, int]
    restarts: int
    items: int
    wrong: Counter[str]
    plain: Counter[str]


async def looked(runs: list[Following]) -> None:
    """Wait until every channel was looked at twice more."""
    wanted: list[int] = [run.looks + 2 for run in runs]
    for run, want in zip(runs, wanted, strict=True):
        await until(partial(reached, run, want), PATIENCE)


def reached(run: Following, looks: int) -> bool:
    """Say whether a channel was looked at so often."""
    return run.looks >= looks


async def week(size: Size, seed: int) -> Outcome:
    """Run it."""
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(Server())
        script = Week(server, size, seed)
        account = await stack.enter_async_context(Account(server, deadline=30))
        other = await stack.enter_async_context(Account(server, deadline=30))
        plain = Plain(other)
        await other.client.catch_up()
        runs = [
            Following(account, room, poll_seconds=0.5, reread_seconds=1, backfill_posts=10)
            for room in script.rooms
        ]
        for run in runs:
            await run.__aenter__()
        await looked(runs)  # else first contact leaves out what was published before it, as it should
        restarts = 0
        for number in range(size.rounds):
            script.play(number)
            for run in script.dice.sample(runs, max(1, len(runs) // 4)):
                await asyncio.sleep(script.dice.random() * 0.02)
                await run.__aexit__()  # wherever it is; it goes on from the last cursor that was kept
                await run.__aenter__()
                restarts += 1
            await looked(runs)
        await asyncio.sleep(2.5)  # a last look at the last posts
        await looked(runs)
        wrong: Counter[str] = Counter()
        for room, run in zip(script.rooms, runs, strict=True):
            wrong += judge(room, run.desk.items, [missed.reason for missed in run.missed])
        lost = sum((plain.judge(room) for room in script.rooms), Counter())
        for run in runs:
            await run.__aexit__()
        return Outcome(script.counts, restarts, sum(len(run.desk.items) for run in runs), wrong, lost)
