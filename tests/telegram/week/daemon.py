"""The week through the real ingest process and a real Kafka; the process is killed again and again."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from time import time
from typing import Any

from connectors.telegram.api.session import login_of, write_login
from pipeline.kafka import KafkaProblem, KafkaSettings, Reader
from pipeline.kafka.local import LocalCluster
from schemas.cloudevents import decode
from schemas.item import Item
from schemas.records import Checkpoint, Gap
from schemas.topics import CHECKPOINTS, GAPS
from tests.scenarios.desk import Desk
from tests.telegram.process import ingest, items, telegram, written
from tests.telegram.server import Room
from tests.telegram.week.proof import Proof, told
from tests.telegram.week.script import Size, Week
from tests.telegram.week.verdict import judge
from tests.telegram.week.witness import Witness

PREFIX = "week."
BACKFILL = 100
LARGE = 400
"""So many posts that were missed are several pages."""
PACE = {"via": "api", "poll_seconds": 0.5, "reread_seconds": 1, "reread_posts": 60}
HASTE = {"requests_per_hour": 1_000_000, "spacing_seconds": 0.001}
PATIENCE = 120.0
STEPS = 12
"""So many things happen between two breaths."""
BREATH = 0.02


@dataclass
class Outcome:
    """What came of it.

    Attributes:
        happened: what there was.
        kills: of the process, by what it was in the middle of.
        written: what stands on the topics.
        excused: states that are missing and may be: they were sent right before a kill or a cut and were gone
            when it looked again.
        wrong: what is wrong with it.
        lost: in words what is missing.
    """

    happened: Mapping[str, int]
    kills: Counter[str]
    written: Counter[str] = field(default_factory=Counter)
    excused: int = 0
    wrong: Counter[str] = field(default_factory=Counter)
    lost: list[str] = field(default_factory=list)


class Daemon:
    """The process, which is killed and comes again.

    Attributes:
        kills: by what it was in the middle of.
    """

    def __init__(self, config: Path) -> None:
        self.kills: Counter[str] = Counter()
        self._config = config
        self._running = ExitStack()

    def start(self) -> None:
        """Start it."""
        self._running.enter_context(ingest(self._config))

    def kill(self, amid: str) -> None:
        """Kill it with -9, and start another."""
        self.kills[amid] += 1
        self.end()
        self.start()

    def end(self) -> None:
        """Kill it for good."""
        self._running.close()


class Looks:
    """When the whole looks began that are committed, by channel, ascending."""

    def __init__(self, desk: Desk, rooms: Sequence[Room]) -> None:
        self.began: dict[str, list[float]] = {room.name: [] for room in rooms}
        self._desk = desk
        self._reader: Reader | None = None

    async def after(self, moment: float) -> None:
        """Wait until every channel was looked at, from its beginning on after a moment.

        Raises:
            TimeoutError: one was not.
        """
        try:
            async with asyncio.timeout(PATIENCE):
                while not all(began and began[-1] > moment for began in self.began.values()):
                    await self._read()
        except TimeoutError:
            late = [name for name, began in self.began.items() if not began or began[-1] <= moment]
            raise TimeoutError(f"no whole look at {late} after {moment}") from None

    async def _read(self) -> None:
        try:
            if self._reader is None:
                self._reader = await Reader.open(self._desk.settings, CHECKPOINTS.full(self._desk.prefix))
            records = await self._reader.fetch(max_records=1000, wait_seconds=0.2)
        except KafkaProblem:
            await asyncio.sleep(0.1)  # the topics are not there yet
            return
        for record in records:
            event = decode(record.headers, record.value, CHECKPOINTS.types).data
            cursor = event.cursor if isinstance(event, Checkpoint) else None
            if isinstance(event, Checkpoint) and cursor is not None and cursor.get("looked"):
                began = datetime.fromisoformat(str(cursor["looked"])).timestamp()
                found = self.began[event.source]
                if not found or began > found[-1]:
                    found.append(began)

    async def close(self) -> None:
        """Let go of Kafka."""
        if self._reader is not None:
            await self._reader.close()


class Plan:
    """In which rounds the process is killed, and in the middle of what."""

    def __init__(self, script: Week, daemon: Daemon, witness: Witness) -> None:
        self._script, self._daemon, self._witness = script, daemon, witness
        rounds = range(script.size.rounds)
        told = [one for one in rounds if one not in script.gaps and one % 3 != 1 and one % 2 == 0]
        self._amid_pushes = set(told[1::6])
        self._behind_changes = set(told[4::6])

    def begin(self) -> None:
        """Let it be killed at first contact, when some channels have come in and others have not."""
        pages = len(self._script.rooms)

        def kill(_: Room) -> None:
            self._daemon.kill("a backfill")

        def kill_twice(room: Room) -> None:
            kill(room)
            self._witness.when("GetHistory", 2 * pages, kill)

        self._witness.when("GetHistory", pages, kill_twice)

    async def play(self, number: int) -> None:
        """Let a round happen."""
        gap, dice = self._script.gaps.get(number, 0), self._script.dice
        at = dice.randrange(self._script.each) if number in self._amid_pushes else None
        for step, _ in enumerate(self._script.steps(number)):
            if step == 0 and gap >= LARGE:
                self._amid_gap(gap, times=1 + (gap >= 10 * LARGE))
            if step % STEPS == 0:
                await asyncio.sleep(BREATH)
            if step == at:
                self._daemon.kill("pushes")
                self._amid_holes()
        if number in self._behind_changes:
            delete = bool(dice.getrandbits(1))
            self._script.change(dice.choice(self._script.rooms), delete=delete)
            await asyncio.sleep(dice.random() * 0.1)
            self._daemon.kill("a deletion" if delete else "an edit")

    def _amid_gap(self, gap: int, times: int) -> None:
        """Let it be killed while it reads page after page of what it missed."""

        def kill(_: Room) -> None:
            self._daemon.kill(f"a gap of {gap}")
            if times > 1:
                self._amid_gap(gap, times - 1)

        pages = self._script.dice.randrange(2, gap // 100 // times)
        self._witness.when("GetHistory", pages, kill, room=self._script.gap)

    def _amid_holes(self) -> None:
        """Let it be killed when it has found that messages are gone that it never saw, before it said so."""

        def kill(_: Room) -> None:
            self._daemon.kill("a look with holes")

        def found(room: Room) -> None:
            self._witness.when("GetHistory", 2, kill, room=room)

        self._witness.when("GetMessages", 1, found)


@contextmanager
def kafka(folder: Path) -> Iterator[KafkaSettings]:
    """Have a Kafka while the block runs."""
    cluster = LocalCluster(folder)
    try:
        yield KafkaSettings(bootstrap_servers=cluster.start())
    finally:
        cluster.destroy()


def config_of(folder: Path, desk: Desk, witness: Witness, rooms: Sequence[Room]) -> Path:
    """Write the config of a machine that is logged in and follows the channels."""
    account = witness.accounts[0]
    write_login(folder / "desk.session", login_of(witness.session(account), account.user))
    sources: list[dict[str, Any]] = [
        {"name": room.name, "channel": room.name, "backfill_posts": BACKFILL, **PACE} for room in rooms
    ]
    return written(folder, desk, *sources, telegram={**telegram("desk.session"), **HASTE})


async def week(folder: Path, settings: KafkaSettings, size: Size, seed: int) -> Outcome:
    """Run it.

    Raises:
        TimeoutError: the process does not look any more.
    """
    desk = Desk(settings, PREFIX)
    async with Witness() as witness:
        script = Week(witness, size, seed)
        daemon = Daemon(config_of(folder, desk, witness, script.rooms))
        plan, looks = Plan(script, daemon, witness), Looks(desk, script.rooms)
        try:
            plan.begin()
            daemon.start()
            await looks.after(0)
            for number in range(size.rounds):
                await plan.play(number)
                await looks.after(time())
            await looks.after(time())
        finally:
            daemon.end()
            await looks.close()
        outcome = Outcome(script.counts, daemon.kills)
        await judged(outcome, desk, witness, script, looks)
        return outcome


async def judged(outcome: Outcome, desk: Desk, witness: Witness, script: Week, looks: Looks) -> None:
    """Judge what stands on the topics."""
    revisions = await items(desk)
    gaps = [decode(one.headers, one.value, GAPS.types).data for one in await desk.records(GAPS)]
    first = max(1, script.size.before - BACKFILL + 1)
    found = told(script.rooms, revisions)
    for room in script.rooms:
        of_room = [gap for gap in gaps if isinstance(gap, Gap) and gap.source == room.name]
        repaired = {gap.gap_id for gap in of_room if gap.repaired}
        reasons = [gap.reason for gap in of_room if gap.gap_id not in repaired]
        proof = Proof(witness, room, looks.began[room.name], first=first)
        outcome.wrong += judge(room, found[room.number], reasons, first=first)
        outcome.wrong += proof.judge(found[room.number], reasons)
        outcome.excused += proof.excused
        outcome.lost += proof.lost
    outcome.written += counted(revisions) + Counter(gaps=len(gaps))


def counted(revisions: Sequence[Item]) -> Counter[str]:
    """Count what there is."""
    later = [one for one in revisions if one.revision > 1 and one.status == "usable"]
    return Counter(
        {
            "posts": len({one.item_id for one in revisions}),
            "revisions": len(revisions),
            "hidden edits": sum(one.revised_hidden for one in later),
            "edits": sum(not one.revised_hidden for one in later),
            "deletions": sum(one.status == "withdrawn" for one in revisions),
        }
    )
