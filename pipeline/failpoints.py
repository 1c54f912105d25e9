"""Named places at which a process can be made to die, freeze or fail. In production they do nothing.

Every step whose crash matters is in `POINTS`, with what a crash there leaves and who repairs it. The loops
say `reach("stage.tables")` where a step ends; what they call is passed in by the composition root and by
default passes by. `DATELINE_FAILPOINTS` arms a process, for tests alone:

    DATELINE_FAILPOINTS="commit.delivered=kill@3,stage.tables=freeze@1"

kills it (-9) when batches have been delivered for the third time, and stops it (SIGSTOP) behind its first
tables. `fail` raises, `note` only writes down that the point was reached, each time. What will happen is
appended as a line of JSON to the file that `DATELINE_FAILPOINTS_REACHED` names.
"""

import json
import os
import re
import signal
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from structlog.typing import FilteringBoundLogger

ORDERS: Final = "DATELINE_FAILPOINTS"
REACHED: Final = "DATELINE_FAILPOINTS_REACHED"

Reach = Callable[[str], None]
"""Called with a point's name when it is reached."""


class Point(NamedTuple):
    """One place.

    Attributes:
        name: as `reach` is told; what stands before the dot says whose it is.
        leaves: what a crash there leaves.
        repairs: who repairs it.
    """

    name: str
    leaves: str
    repairs: str


NOTHING = "nothing"
NOBODY = "nobody needs to"
ANEW = "the next owner reads again"
YIELDED = "the connector yields them again: its cursor has not moved"
SHUT_OUT = "an older owner that can commit nothing any more"
OPEN = "an open transaction, which no reader sees"
ABORTED = "the next owner's fence aborts it at once, or else the broker after its timeout"
AHEAD = "memory ahead of the topics"
BEHIND = "memory behind the topics"
BUILDS = "the next owner builds it from the topics"

POINTS: Final = (
    Point("ingest.assigned", "a group member that expires after its session", "a standby is assigned"),
    Point("ingest.fenced", SHUT_OUT, "the next owner fences again"),
    Point("ingest.checkpoints", NOTHING, ANEW),
    Point("ingest.seen", NOTHING, ANEW),
    Point("ingest.adopting", "another unit's memory in an open transaction", ABORTED + "; it adopts again"),
    Point("ingest.adopted", "the memory of a moved source, in its new unit too", NOBODY),
    Point("ingest.taken", "posts in memory, not stored", YIELDED),
    Point("ingest.begun", "posts in memory, not stored", YIELDED),
    Point("ingest.sent", "posts in memory, not stored", YIELDED),
    Point("ingest.committed", BEHIND, "the next owner reads the topics"),
    Point("stage.assigned", "a group member that expires after its session", "a standby is assigned"),
    Point("stage.fenced", SHUT_OUT, "the next owner fences again"),
    Point("stage.offset", NOTHING, ANEW),
    Point("stage.tables", NOTHING, ANEW),
    Point("stage.folded", NOTHING, ANEW),
    Point("stage.opened", NOTHING, ANEW),
    Point("stage.begun", NOTHING, NOBODY),
    Point("stage.decided", AHEAD, BUILDS),
    Point("stage.sent", AHEAD, BUILDS),
    Point("stage.committed", "the places of what was written, unknown", BUILDS),
    Point("stage.turning", "an epoch at its end, all of it committed", "the next owner ends it"),
    Point("stage.evicted", "a window evicted in memory alone", BUILDS + ", and ends the epoch"),
    Point("stage.turned", "an epoch ended, nothing of the next", "the next owner goes on there"),
    Point("commit.delivered", OPEN, ABORTED),
    Point("commit.offsets", OPEN + ", with the group's offset in it", ABORTED),
    Point("commit.ending", OPEN + ", whole", ABORTED),
    Point("commit.ended", "everything, with the cursor or the offset behind it", NOBODY),
)
"""In the order in which they are reached; `commit` lies between `sent` and `committed` of both."""

ACTIONS: Final = ("kill", "freeze", "fail", "note")
ORDER = re.compile(r"(?P<point>[^=@]+)=(?P<action>[^=@]+)(?:@(?P<time>\d+))?")


class MalformedOrders(Exception):
    """The variable does not say what to do; the message names the part, and what it may be."""


class Order(NamedTuple):
    """What to do at one point.

    Attributes:
        point: its name.
        action: kill, freeze, fail or note.
        time: at which reaching of it; the first is 1. A note is taken each time.
    """

    point: str
    action: str
    time: int = 1

    def __str__(self) -> str:
        """Spell it as it is read."""
        return f"{self.point}={self.action}@{self.time}"


def pass_by(_point: str) -> None:
    """Do nothing."""


def parse(text: str) -> tuple[Order, ...]:
    """Read orders: point=action@time with commas between them; without @time the first is meant.

    Raises:
        MalformedOrders: a part is none, or names what there is not.
    """
    return tuple(_order(part.strip()) for part in text.split(",") if part.strip())


def _order(part: str) -> Order:
    found = ORDER.fullmatch(part)
    if found is None:
        raise MalformedOrders(f"{ORDERS}: {part!r} is no order; they read point=action@time")
    point, action, count = found["point"], found["action"], int(found["time"] or 1)
    if point not in (names := [each.name for each in POINTS]):
        raise MalformedOrders(f"{ORDERS}: {part!r}: there is no {point!r}, but {', '.join(names)}")
    if action not in ACTIONS:
        raise MalformedOrders(f"{ORDERS}: {part!r}: {action!r} is none of {', '.join(ACTIONS)}")
    if count == 0:
        raise MalformedOrders(f"{ORDERS}: {part!r}: the first time is 1")
    return Order(point, action, count)


class Armed:
    """Carries out orders; call it with the name of each point that is reached."""

    def __init__(
        self, orders: Sequence[Order], *, role: str, reached: Path | None, failure: type[Exception]
    ) -> None:
        self._orders = orders
        self._role = role
        self._reached = reached
        self._failure = failure
        self._times: Counter[str] = Counter()

    def __call__(self, point: str) -> None:
        """Reach a point.

        Raises:
            Exception: the failure that was given, where the order is to fail.
        """
        self._times[point] += 1
        for order in self._orders:
            if order.point == point and (order.action == "note" or order.time == self._times[point]):
                self._write(order.action, point)
                self._act(order)

    def _act(self, order: Order) -> None:
        if order.action == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        elif order.action == "freeze":
            os.kill(os.getpid(), signal.SIGSTOP)
        elif order.action == "fail":
            raise self._failure(f"told to fail: {order}")

    def _write(self, action: str, point: str) -> None:
        if self._reached is None:
            return
        told = {"at": time.time(), "role": self._role, "pid": os.getpid(), "point": point, "action": action}
        with self._reached.open("a") as file:
            file.write(json.dumps(told) + "\n")


def from_environment(
    environment: Mapping[str, str], role: str, log: FilteringBoundLogger, failure: type[Exception]
) -> Reach:
    """Give what the loops of this process call at their points.

    Args:
        environment: the variables of the process.
        role: of the process, for the file.
        log: hears of it if the process is armed.
        failure: what `fail` raises.

    Raises:
        MalformedOrders: the variable cannot be read.
    """
    orders = parse(environment.get(ORDERS, ""))
    if not orders:
        return pass_by
    log.warning("this process will be made to fail: it is armed for a test", orders=[str(o) for o in orders])
    file = environment.get(REACHED)
    return Armed(orders, role=role, reached=Path(file) if file else None, failure=failure)
