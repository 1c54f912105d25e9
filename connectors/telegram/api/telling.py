"""What is to be yielded about a channel, and what was asked before it. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from connectors.telegram.api.asks import Ask, Moment
from connectors.telegram.api.known import News
from connectors.telegram.window import spell

SPELLED = 200
HOLES_KEPT = 10


@dataclass(frozen=True, slots=True)
class Look:
    """A complete look."""


@dataclass(frozen=True, slots=True)
class Hole:
    """Messages that were gone before they were seen, while we were blind.

    Attributes:
        since: the last complete look before; none if there was none.
        until: when we could see again.
        messages: their ids.
        repaired: all of them were seen after all: by words that came late, or because they are back.
    """

    since: datetime | None
    until: datetime
    messages: tuple[int, ...]
    repaired: bool = False

    @property
    def reason(self) -> str:
        """For people."""
        count, which = len(self.messages), spell(self.messages)
        short = which if len(which) <= SPELLED else f"{which[:SPELLED]}..."
        return f"{count} messages were gone before they were seen, by their ids: {short}"


class Holes:
    """The last holes that were told, and what of them was not seen until now."""

    def __init__(self) -> None:
        self._open: list[tuple[Hole, set[int]]] = []

    def tell(self, hole: Hole) -> None:
        """Take in a hole that is told."""
        self._open = [*self._open[1 - HOLES_KEPT :], (hole, set(hole.messages))]

    def fill(self, messages: Iterable[int]) -> list[Hole]:
        """Take in that messages were seen; give the holes of which nothing is missing any more."""
        seen = set(messages)
        left = [(hole, missing - seen) for hole, missing in self._open]
        self._open = [(hole, missing) for hole, missing in left if missing]
        return [replace(hole, repaired=True) for hole, missing in left if not missing]


@dataclass(frozen=True, slots=True)
class Telling:
    """Something to yield.

    Attributes:
        what: it is.
        cursor: to yield with it; none where something that belongs to it comes behind it.
        backlog: first contact brings it in.
    """

    what: News | Look | Hole
    cursor: dict[str, Any] | None
    backlog: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """A request.

    Attributes:
        ask: what is asked.
        number: of what had been heard by then.
        moment: when.
        why: first, newer, holes, doubts, around, differ or again.
    """

    ask: Ask
    number: int
    moment: Moment
    why: str
