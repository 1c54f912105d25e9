"""Which faults a campaign has: each action at each failpoint, and the rest, in an order drawn from a seed."""

from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import NamedTuple

from pipeline.daemon.compose import CORES
from pipeline.failpoints import POINTS

KILL, FREEZE, FAIL, CLOCK = "kill -9", "freeze", "fail", "clock off"
ALL_KILLED, ZOMBIE = "kill -9 of both", "zombie"
"""An owner is frozen in its commit, and wakes when its successor has read and not yet written."""
ACTIONS = {KILL: "kill", FREEZE: "freeze", FAIL: "fail", CLOCK: "kill", ZOMBIE: "freeze"}
"""What a process is ordered to do at its failpoint; a wrong clock lasts until the process is killed."""
HOURS = ("-7200", "7200")

TAKING_OVER = ("assigned", "fenced", "checkpoints", "seen", "offset", "tables", "folded", "opened")
TURNS = ("turning", "evicted", "turned")
MOVES = ("adopting", "adopted")
OFFSETS, ENDING = "commit.offsets", "commit.ending"
OF_COMMITS = {"ingest": 20, "deduplicate": 9, "cluster": 6, "chronology": 3}
"""Until they are all frozen at once, each with input: who stands behind another hears no more of it."""

KAFKA = "kafka"
"""Who is hit where all are."""
UNIT_MOVED, OFFSETS_DELETED = "unit moved", "offsets deleted"
BROKER_KILLED, BROKER_RESTARTED, BROKER_SLOW = "broker kill -9", "broker restarted", "broker slow"
LINK_CUT, LINK_HALF_OPEN, LINK_ONE_SIDED = "link cut", "link half-open", "link one-sided"
LEADER_LOST, DISK_FULL = "leader lost", "disk full"
LINKS = (LINK_CUT, LINK_HALF_OPEN, LINK_ONE_SIDED)


class Fault(NamedTuple):
    """One fault.

    Attributes:
        kind: what happens.
        role: to whom.
        point: at which failpoint; none: at a random moment.
        time: at which reaching of it.
    """

    kind: str
    role: str
    point: str | None = None
    time: int = 1

    @property
    def order(self) -> str | None:
        """What the process is armed with."""
        return self.point and f"{self.point}={ACTIONS[self.kind]}@{self.time}"


def points_of(role: str) -> Iterator[str]:
    """Yield the failpoints that a role comes by without more ado."""
    own = "ingest" if role == "ingest" else "stage"
    for point in POINTS:
        whose, _, step = point.name.partition(".")
        if whose == own and step not in MOVES:
            yield point.name
        if whose == "commit" and not (role == "ingest" and point.name == OFFSETS):
            yield point.name


def of_processes(random: Random) -> dict[str, list[Fault]]:
    """Give each role every action at every failpoint once, and faults at random moments; shuffled."""
    found: dict[str, list[Fault]] = {}
    for role in ("ingest", *CORES):
        armed = [
            Fault(kind, role, point, _time(point, random))
            for point in points_of(role)
            for kind in (KILL, FREEZE, FAIL)
        ]
        loose = [Fault(kind, role) for kind in (KILL, FREEZE) for _ in range(2)]
        clocks = [Fault(CLOCK, role, "ingest.committed", 5)] * 4 if role == "ingest" else []
        found[role] = armed + loose + clocks
        random.shuffle(found[role])
    return found


def _time(point: str, random: Random) -> int:
    """Choose when: a process takes over once, turns seldom, and commits all the time."""
    step = point.partition(".")[2]
    return 1 if step in (*TAKING_OVER, *TURNS) else random.randint(1, 20)


def zombie(role: str) -> tuple[Fault, Fault]:
    """Give what freezes the old owner, and what freezes the new one."""
    read = "ingest.seen" if role == "ingest" else "stage.opened"
    return Fault(ZOMBIE, role, ENDING, OF_COMMITS[role]), Fault(ZOMBIE, role, read)


def moves() -> list[Fault]:
    """Give every action at the failpoints that are reached where a source moves to another unit."""
    return [Fault(kind, "ingest", f"ingest.{step}") for step in MOVES for kind in (KILL, FREEZE, FAIL)]


def of_surroundings(random: Random, nodes: int, times: int) -> list[Fault]:
    """Give each fault around the processes so many times, shuffled."""
    everywhere = [BROKER_KILLED, BROKER_RESTARTED, BROKER_SLOW, *LINKS]
    if nodes > 1:
        everywhere.append(LEADER_LOST)
    found = [Fault(kind, KAFKA) for kind in everywhere for _ in range(times)]
    found += [Fault(OFFSETS_DELETED, stage) for stage in CORES for _ in range(times)]
    random.shuffle(found)
    return found


def shared_out(faults: dict[str, list[Fault]], each: int) -> dict[str, list[Fault]]:
    """Take the next so many of each role for a round."""
    return {role: [mine.pop() for _ in range(min(each, len(mine)))] for role, mine in faults.items()}


def count(faults: Mapping[str, Sequence[Fault]]) -> int:
    """Count them."""
    return sum(map(len, faults.values()))
