"""What is known of a channel's last posts, and what each word about one of them changes. Pure.

A word is a push, a poll, or a page: each shows messages as they were when it was asked for. Words overtake
each other. What makes one step of them that may be repeated in any order:

* the same content again is nothing;
* of two states the one with the older edit is the older, whichever came first; it is told if nobody had it
  yet, and the newer one stays;
* an answer that was asked for before something newer was heard does not unsay it: where both carry the same
  second, or where one says that a message is gone, the message is looked at again (`doubts`);
* what a word says that comes behind something newer, or behind the end of its message, is told as late:
  somebody showed it, and it may be that nobody had it yet. Ingest knows, and makes nothing of it if so;
* what a page does not show is gone only if it was known before the page was asked for, and if a look at that
  very message says so.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeAlias

from connectors.telegram.albums import Part, Parts, joined, states_of
from connectors.telegram.api.stand import Stand

PRINTS_KEPT = 8
GONE_KEPT = 10_000


@dataclass(frozen=True, slots=True)
class Word:
    """How we came to know something.

    Attributes:
        way: push, poll, history or reread.
        asked: number of what had been heard when it was asked for; of a push, now.
        at: when it was asked for, UTC.
        ticks: the same by the clock that never jumps, in seconds.
        absent: the last complete look before; none if there was none.
        whole: it shows all messages of an album.
        sure: it is a look at this very message, so it may show again what was gone.
        pts: the channel's count of changes behind which it is; it orders what the same second says.
    """

    way: str
    asked: int
    at: datetime
    ticks: float = 0.0
    absent: datetime | None = None
    whole: bool = True
    sure: bool = False
    pts: int | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """A post as it is; if it is `late`, as it was before what was told already, or before its end."""

    parts: Parts
    way: str
    absent: datetime | None
    late: bool = False


@dataclass(frozen=True, slots=True)
class Vanished:
    """A post that is gone; its messages."""

    messages: tuple[int, ...]
    absent: datetime | None


News: TypeAlias = Shown | Vanished


@dataclass(frozen=True, slots=True)
class Mark:
    """What is known of one post.

    Attributes:
        print: its fingerprint; none: what it said is not known, it existed.
        version: second of its last edit; none with `print`.
        number: of the word that told its present state.
        shown: when it was last seen to exist.
        ticks: when its present state was told, by the clock that never jumps.
        parts: of an album its messages; empty of one that stands alone or is not known.
        prints: states that were told.
        pts: the channel's count of changes when it was told last.
    """

    print: str | None
    version: int | None = None
    number: int = 0
    shown: datetime | None = None
    ticks: float = float("-inf")
    parts: Parts = ()
    prints: tuple[str, ...] = ()
    pts: int | None = None


class Known:
    """The last posts of one channel.

    Attributes:
        number: of the words so far.
        doubts: messages that have to be looked at again, one by one.

    Args:
        stand: which posts existed, and which messages did not, by the cursor.
        fingerprint: of a post.
        keep: so many of the newest posts are remembered.
    """

    def __init__(self, stand: Stand, *, fingerprint: Callable[[Parts], str], keep: int) -> None:
        self.number = 0
        self.doubts: dict[int, None] = {}
        self._fingerprint = fingerprint
        self._keep = keep
        self._marks: dict[int, Mark] = {}
        self._owners: dict[int, int] = {}
        self._groups: dict[str, int] = {}
        self._gone = dict.fromkeys(stand.gone, 0)
        self._last = stand.last or 0
        """Up to this message something may have been told that is not remembered."""
        self._never_told: set[int] = set()
        self._said: dict[int, list[tuple[Part, Word]]] = {}
        for post in stand.window:
            self._marks[post] = Mark(None, shown=stand.looked)
            self._owners[post] = post

    def posts(self, count: int) -> list[int]:
        """Give so many of the newest posts that exist, ascending."""
        return sorted(self._marks)[-count:] if count > 0 else []

    def lowest(self) -> int:
        """Give the lowest post that is remembered; 0 if none is."""
        return min(self._marks, default=0)

    def has(self, message: int) -> bool:
        """Say whether a message is one of a post that is known."""
        return message in self._owners

    def has_whole(self, part: Part) -> bool:
        """Say whether all of a message's album is known, so that it can be joined to it."""
        return part.group in self._groups

    def was_gone(self, message: int) -> bool:
        """Say whether it is known that a message is gone."""
        return message in self._gone

    def waits(self, message: int) -> bool:
        """Say whether something that was said of a message is told as soon as it has been looked at."""
        return message in self._said

    def doubt(self, part: Part, word: Word) -> None:
        """Take in what may be an old word: its message is looked at before it is told."""
        self.doubts[part.id] = None
        said = self._said.setdefault(part.id, [])
        if all(part != one for one, _ in said):
            said.append((part, word))

    def lacking(
        self, shown: Iterable[int], low: int, high: int | None, *, asked: int, settled: float
    ) -> list[int]:
        """Give the messages of posts that a look should have shown and did not, to be looked at one by one.

        Args:
            shown: messages that it showed.
            low: lowest id that it covers.
            high: the highest id that it showed; none: it showed nothing.
            asked: what was heard later than this may be missing.
            settled: what stands above `high` may be so new that the look could not know of it yet, unless it
                was told before this moment of the clock that never jumps.
        """
        there = set(shown)
        return [
            message
            for post, mark in sorted(self._marks.items())
            if post >= low
            and post not in there
            and mark.number <= asked
            and ((high is not None and post < high) or mark.ticks <= settled)
            for message in (post, *(part.id for part in mark.parts[1:]))
        ]

    def arrive(self, parts: Parts, word: Word) -> list[News]:
        """Take in one post, or some messages of an album that is known whole; give what is new in it."""
        self.number += 1
        late = self._past(parts, word.way) if any(self._ended_since(part, word) for part in parts) else []
        parts = tuple(part for part in parts if self._may_exist(part, word))
        news = [*late, *self._take(parts, word)] if parts else late
        if word.sure:
            news += [one for part in parts for one in self._older(part)]
        return news

    def _take(self, parts: Parts, word: Word) -> list[News]:
        post = self._post_of(parts)
        mark = self._marks.get(post)
        if mark is None:
            return [self._enter(parts, word, self._fingerprint(parts), None, word.absent)]
        if word.whole and mark.number <= word.asked:
            shown = {part.id for part in parts}
            self.doubts |= {part.id: None for part in mark.parts if part.id not in shown}
        whole = joined(mark.parts, parts)
        return self._compare(post, mark, whole, parts, word)

    def delete(self, messages: Iterable[int], word: Word) -> list[News]:
        """Take in that messages are gone; those that were not known are passed over."""
        self.number += 1
        of_post: dict[int, set[int]] = {}
        said: list[tuple[Part, Word]] = []
        for message in messages:
            self.doubts.pop(message, None)
            said += self._said.pop(message, ())
            if message > self._last and message not in self._gone and message not in self._owners:
                self._never_told.add(message)
            self._gone[message] = self.number
            if (post := self._owners.get(message)) is not None:
                of_post.setdefault(post, set()).add(message)
                if post != message and message in self._marks:  # it was told as a post, before a lower part
                    of_post.setdefault(message, set()).add(message)
        while len(self._gone) > GONE_KEPT:
            oldest = next(iter(self._gone))
            del self._gone[oldest]
            self._never_told.discard(oldest)
        found: list[News] = []
        for post, gone in sorted(of_post.items()):
            found += self._delete_of(post, gone, word)
        return [*found, *self._said_of_gone(said)]

    def _delete_of(self, post: int, gone: set[int], word: Word) -> list[News]:
        mark = self._forget(post)
        absent = _before(mark.shown, word.at)
        rest = tuple(part for part in mark.parts if part.id not in gone)
        if not rest:
            return [Vanished(tuple(part.id for part in mark.parts) or (post,), absent)]
        found: list[News] = [Vanished((post,), absent)] if post in gone else []
        return [*found, self._enter(rest, word, self._fingerprint(rest), mark, absent)]

    def _said_of_gone(self, said: Iterable[tuple[Part, Word]]) -> list[News]:
        """Tell what was said of messages that are gone, now that this is sure."""
        ways = {part.id: word.way for part, word in said}
        by_post: dict[int | str, list[tuple[Part, int | None]]] = {}
        for part, word in said:
            # a part alone makes an item of its own: not if its album may have been told
            if part.group is None or part.group in self._groups or part.id in self._never_told:
                by_post.setdefault(part.group or part.id, []).append((part, word.pts))
        news: list[News] = []
        for key, words in by_post.items():
            rest = self._marks[self._groups[str(key)]].parts if key in self._groups else ()
            for state, _ in states_of(words):
                news += self._past(joined(rest, state), ways[state[0].id])
        return news

    def _past(self, state: Parts, way: str) -> list[News]:
        """Tell what a post said before its end, or before one of its messages was gone."""
        self._never_told -= {part.id for part in state}
        gone = tuple(part.id for part in state if part.id in self._gone)
        shown, first = Shown(state, way, None, late=True), state[0].id
        if first not in gone:
            self._marks.setdefault(first, Mark(None))  # it is told, whatever comes of what is left of it
            self._owners.setdefault(first, first)
            return [shown]
        return [shown, Vanished(gone if len(gone) == len(state) else gone[:1], None)]

    def _older(self, part: Part) -> list[News]:
        """Tell what was said of a message that has been looked at since, unless it says that still."""
        news: list[News] = []
        for one, word in self._said.pop(part.id, ()):
            post = self._post_of((one,))
            if one.group is None and post in self._marks:
                news += self._late(post, self._marks[post], (one,), self._fingerprint((one,)), word.way)
        return news

    def _ended_since(self, part: Part, word: Word) -> bool:
        """Say whether a message is gone since this word about it was asked for."""
        return word.asked < self._gone.get(part.id, -1)

    def _may_exist(self, part: Part, word: Word) -> bool:
        """Say whether a message is there as shown: not if it is gone since; if it was gone, only for sure."""
        if part.id not in self._gone:
            return True
        if self._ended_since(part, word):
            return False
        if not word.sure:
            self.doubt(part, word)
            return False
        del self._gone[part.id]
        self._never_told.discard(part.id)
        return True

    def _post_of(self, parts: Parts) -> int:
        if (group := parts[0].group) is not None and group in self._groups:
            return self._groups[group]
        return next((self._owners[part.id] for part in parts if part.id in self._owners), parts[0].id)

    def _compare(self, post: int, mark: Mark, whole: Parts, parts: Parts, word: Word) -> list[News]:
        version = max(part.version for part in whole)
        fingerprint = self._fingerprint(whole)
        if fingerprint == mark.print:
            newer = max(version, mark.version or 0)
            pts = max(word.pts or 0, mark.pts or 0) or None
            self._put(post, replace(mark, shown=_later(mark.shown, word.at), version=newer, pts=pts), whole)
            return []
        if mark.version is not None and version < mark.version:
            return self._late(post, mark, parts, fingerprint, word.way)
        if not _is_newer(word, mark) and mark.version in (None, version):
            for part in parts:
                self.doubt(part, word)
            return []
        self._forget(post)
        if whole[0].id < post:
            self._marks[post] = replace(mark, parts=())
        return [self._enter(whole, word, fingerprint, mark, _before(mark.shown, word.at))]

    def _late(self, post: int, mark: Mark, parts: Parts, fingerprint: str, way: str) -> list[News]:
        """Tell an older state that nobody had; the newer one stays."""
        if fingerprint in mark.prints:
            return []
        self._marks[post] = replace(mark, prints=(*mark.prints, fingerprint)[-PRINTS_KEPT:])
        return [Shown(parts, way, None, late=True)]

    def _enter(
        self, parts: Parts, word: Word, fingerprint: str, before: Mark | None, absent: datetime | None
    ) -> Shown:
        told = before.prints if before else ()
        mark = Mark(
            fingerprint,
            max(part.version for part in parts),
            self.number,
            word.at,
            word.ticks,
            prints=(*told, fingerprint)[-PRINTS_KEPT:],
            pts=word.pts and max(word.pts, (before and before.pts) or 0),
        )
        self._put(parts[0].id, mark, parts)
        while len(self._marks) > self._keep:
            oldest = min(self._marks)
            forgotten = self._forget(oldest).parts
            self._last = max(self._last, oldest, *(part.id for part in forgotten))
        return Shown(parts, word.way, absent)

    def _put(self, post: int, mark: Mark, parts: Parts) -> None:
        grouped = parts[0].group is not None
        self._marks[post] = replace(mark, parts=parts if grouped else ())
        for part in parts:
            self._owners[part.id] = post
        if grouped:
            self._groups[parts[0].group or ""] = post

    def _forget(self, post: int) -> Mark:
        mark = self._marks.pop(post)
        for message in (post, *(part.id for part in mark.parts)):
            if self._owners.get(message) == post:
                del self._owners[message]
        for part in mark.parts[:1]:
            self._groups.pop(part.group or "", None)
        return mark


def _is_newer(word: Word, mark: Mark) -> bool:
    """Say whether what a word says of the same second is surely newer than what is known.

    Of a post that a former process knew, a difference may tell anything since; everything else tells what is.
    """
    if mark.print is None:
        return word.way != "poll"
    counted = word.pts is not None and mark.pts is not None
    if word.way in ("push", "poll"):
        return counted and (word.pts or 0) > (mark.pts or 0)
    return word.asked >= mark.number and not (counted and (word.pts or 0) < (mark.pts or 0))


def _later(one: datetime | None, other: datetime) -> datetime:
    return other if one is None else max(one, other)


def _before(moment: datetime | None, now: datetime) -> datetime | None:
    """Give a moment that is to stand before now; none if the clock was put back since."""
    return moment if moment is not None and moment <= now else None
