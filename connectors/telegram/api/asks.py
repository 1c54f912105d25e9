"""What is asked of Telegram about one channel, and what comes back, without a word of its protocol. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple, TypeAlias

from connectors.telegram.albums import Part

PAGE = 100
"""Messages on a page, and looked at one by one: no server gives more."""


class Moment(NamedTuple):
    """Now, by both clocks: the wall's, which is told, and one that never jumps, by which we wait."""

    at: datetime
    ticks: float


@dataclass(frozen=True, slots=True)
class Newer:
    """The page right above a message; what it shows at or below it does not count."""

    after: int


@dataclass(frozen=True, slots=True)
class Older:
    """The page right below a message; of 0 the newest messages."""

    before: int
    limit: int = PAGE


@dataclass(frozen=True, slots=True)
class Back:
    """Messages at or below `head`, without the newest `skip` of them."""

    head: int
    skip: int
    limit: int


@dataclass(frozen=True, slots=True)
class Until:
    """The newest messages that are older than a moment."""

    when: datetime


@dataclass(frozen=True, slots=True)
class These:
    """These very messages, whether they exist."""

    messages: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """What changed since a count of changes."""

    pts: int


Ask: TypeAlias = Newer | Older | Back | Until | These | Difference
Kind: TypeAlias = Literal["history", "messages", "difference"]


def kind_of(ask: Ask) -> Kind:
    """Give what Telegram counts a request as: each has a flood wait of its own."""
    if isinstance(ask, Difference):
        return "difference"
    return "messages" if isinstance(ask, These) else "history"


@dataclass(frozen=True, slots=True)
class Page:
    """Messages that an answer shows.

    Attributes:
        parts: that exist.
        empty: ids that it says do not.
        pts: the channel's count of changes then; none if it does not say.
        total: messages that the channel has, as it says; none if it does not.
    """

    parts: tuple[Part, ...] = ()
    empty: tuple[int, ...] = ()
    pts: int | None = None
    total: int | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """A message that is new or edited."""

    part: Part
    pts: int | None = None


@dataclass(frozen=True, slots=True)
class Deleted:
    """Messages that are gone."""

    messages: tuple[int, ...]
    pts: int | None = None


@dataclass(frozen=True, slots=True)
class Overflown:
    """There is more than is told: look."""


Update: TypeAlias = Said | Deleted | Overflown


@dataclass(frozen=True, slots=True)
class Changes:
    """What changed, as far as it is told.

    Attributes:
        new: messages.
        updates: edits, deletions, and what else.
        pts: where the next difference begins; none if that is not known.
        final: there is no more now.
        wait: seconds after which to ask again, as a hint.
        too_long: there is too much to tell; nothing is told.
        top: the newest message, where it is too long.
    """

    new: tuple[Part, ...] = ()
    updates: tuple[Update, ...] = ()
    pts: int | None = None
    final: bool = True
    wait: float | None = None
    too_long: bool = False
    top: int = 0


Answer: TypeAlias = Page | Changes
