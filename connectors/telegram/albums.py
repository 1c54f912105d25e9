"""From messages to posts: the parts of an album are one post, and those that are pushed wait for each other.

Pure. Telegram sends an album as several messages with one group number and shows it as one post with one
caption. Its identity is the lowest id of its messages. Three things follow, and none of them guesses:

* Pushed parts wait for each other, and no longer than they may. What comes later joins the post: a revision.
* A part with a lower id than the post's own makes it another item, with all parts; the first item stays as it
  was seen, and the other one names its message in the relation `album`. Nobody says that it was withdrawn.
* The first message of an album is deleted and the others are not: what stands there now is a post that begins
  with the next one, and the item of the first is withdrawn. A page shows just that, and nothing else.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias


@dataclass(frozen=True, slots=True)
class Part:
    """One message, as far as anything here depends on it.

    Attributes:
        id: in its channel.
        group: of the album it is part of; none if it stands alone.
        version: orders the states of this message: the second of its last edit, 0 of one never edited.
        body: the message as JSON.
        names: of chats that the message refers to, by number.
    """

    id: int
    group: str | None = None
    version: int = 0
    body: Mapping[str, Any] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)


Parts: TypeAlias = tuple[Part, ...]
"""The messages of one post, ascending."""


def posts_of(parts: Iterable[Part]) -> list[Parts]:
    """Put the parts of each album together; posts ascend by their first ids. Of one id the last counts."""
    latest = {part.id: part for part in parts}
    albums: dict[str | int, list[Part]] = {}
    for number in sorted(latest):
        part = latest[number]
        albums.setdefault(number if part.group is None else part.group, []).append(part)
    return [tuple(album) for album in albums.values()]


def joined(known: Parts, shown: Iterable[Part]) -> Parts:
    """Give a post with what is shown of it now; of each message the newer state, of equal ones the shown."""
    parts = {part.id: part for part in known}
    for part in shown:
        if part.id not in parts or parts[part.id].version <= part.version:
            parts[part.id] = part
    return tuple(parts[number] for number in sorted(parts))


def states_of(words: Iterable[tuple[Part, int | None]]) -> list[tuple[Parts, int | None]]:
    """Give the states of one post, the oldest first, each with all messages, by what was said of each.

    Args:
        words: a message as it was, and the channel's count of changes then, which orders what the same
            second says; each state has the highest of its messages. Without a count it is as it is now.
    """
    ordered = sorted(words, key=lambda word: (word[0].version, float("inf") if word[1] is None else word[1]))
    oldest = {part.id: (part, count) for part, count in reversed(ordered)}
    found: list[tuple[Parts, int | None]] = []
    state = {part.id: part for part, _ in oldest.values()}
    latest = max((count or 0 for _, count in oldest.values()), default=0)
    for part, count in ordered:
        if not found or part is not oldest[part.id][0]:
            latest = max(latest, count or 0)
            state = {**state, part.id: part} if found else state
            found.append((tuple(state[number] for number in sorted(state)), latest or None))
    return found


def split_last(parts: Iterable[Part]) -> tuple[list[Part], list[Part]]:
    """Part messages, ascending, from the album that stands last: its other parts may be on the next page."""
    all_parts = list(parts)
    group = all_parts[-1].group if all_parts else None
    if group is None:
        return all_parts, []
    return (
        [part for part in all_parts if part.group != group],
        [part for part in all_parts if part.group == group],
    )


def first_is_cut(posts: list[Parts], *, beginning: bool) -> bool:
    """Say whether the lowest of these posts may have parts below what was shown.

    Args:
        posts: ascending.
        beginning: there is nothing below.
    """
    return bool(posts) and posts[0][0].group is not None and not beginning


class Held:
    """Pushed parts of albums that wait for the others.

    Args:
        seconds: that the first part waits.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._words: dict[str, list[tuple[Part, int | None]]] = {}
        self._due: dict[str, float] = {}

    def add(self, part: Part, ticks: float, count: int | None) -> None:
        """Take in a part, and the channel's count of changes; what it said before stays: it was seen."""
        held = self._words.setdefault(part.group or "", [])
        if all(part != one for one, _ in held):
            held.append((part, count))
        self._due.setdefault(part.group or "", ticks + self._seconds)

    def take(self, group: str | None) -> list[tuple[Parts, int | None]]:
        """Give up one album as it waits, as `states_of` does; or nothing."""
        self._due.pop(group or "", None)
        return states_of(self._words.pop(group or "", []))

    def take_due(self, ticks: float) -> list[list[tuple[Parts, int | None]]]:
        """Give up the albums that have waited long enough."""
        return [self.take(group) for group, due in list(self._due.items()) if due <= ticks]

    def group_of(self, message: int) -> str | None:
        """Say of which album a message waits; none if it does not wait."""
        return next(
            (group for group, words in self._words.items() if any(part.id == message for part, _ in words)),
            None,
        )

    def due(self) -> float | None:
        """Say when the first of them has waited long enough."""
        return min(self._due.values(), default=None)
