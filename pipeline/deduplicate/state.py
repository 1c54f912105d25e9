"""What deduplicate knows: the window of recent items, the ways to find one in it, and the long memory.

After a restart the window is folded again from some place on, so what it holds must not depend on anything
before that place. Hence: an entry is made of its item's last record alone; entries stand in the order in
which they were folded; and every list of at most N keeps the newest N, in that same order.
"""

from collections.abc import Hashable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import takewhile
from typing import Generic, TypeVar

from pipeline.deduplicate.memory import Memory
from pipeline.deduplicate.text import Profile
from schemas.item import Verdict

SHINGLE_KEYS = 4
"""Of each original, the smallest shingles under which it is found."""
PER_SHINGLE = 16
"""So at most 64 candidates are compared, whatever an adversary posts."""
PER_KEY = 64

K = TypeVar("K", bound=Hashable)


@dataclass(slots=True)
class Entry:
    """One item of the window, as its last record left it.

    Attributes:
        at: stage time of that record.
        observed: when we first had that revision.
        published: early end of its first stamp.
        compared: with others; markets and withdrawn posts are not.
        forward: item_id of the post that it forwards.
        number: of the last verdict.
        original: item_id of what it copies; none of an original.
        verdict: the last verdict as JSON, a seventh of the object's size.
    """

    item_id: str
    at: datetime
    source: str
    observed: datetime
    published: datetime | None
    compared: bool
    profile: Profile
    url: str
    forward: str | None
    number: int
    group: str
    original: str | None
    verdict: bytes

    def last_verdict(self) -> Verdict:
        """Read the last verdict."""
        return Verdict.read(self.verdict)

    def judge(self, verdict: Verdict) -> None:
        """Take in a verdict."""
        self.number = verdict.number
        self.group = verdict.group
        self.original = verdict.original
        self.verdict = verdict.dump()


@dataclass(slots=True)
class Postings(Generic[K]):
    """Which items of the window have a key; of each key the newest `limit`, oldest first."""

    limit: int
    lists: dict[K, tuple[str, ...]] = field(default_factory=dict)

    def of(self, key: K) -> tuple[str, ...]:
        """Give the item_ids."""
        return self.lists.get(key, ())

    def add(self, key: K, item_id: str) -> None:
        """Put an item behind the others."""
        before = self.lists.get(key)
        self.lists[key] = (item_id,) if before is None else (*before, item_id)[-self.limit :]

    def remove(self, key: K, item_id: str) -> None:
        """Take an item out, if it is still there."""
        before = self.lists.get(key, ())
        if before == (item_id,):
            del self.lists[key]
        elif item_id in before:
            place = before.index(item_id)
            self.lists[key] = before[:place] + before[place + 1 :]


@dataclass(slots=True)
class State:
    """What deduplicate knows.

    Attributes:
        window: entries by item_id, in the order in which they were folded.
        texts: by digest of the words.
        urls: by canonical address.
        forwards: by the item_id that is forwarded.
        shingles: originals alone, by their smallest shingles: a copy is found by what it copies, and a chain
            of copies cannot drift away.
        originals: each group's original, while it is in the window.
        memory: originals that left it.
    """

    window: dict[str, Entry] = field(default_factory=dict)
    texts: Postings[int] = field(default_factory=lambda: Postings(PER_KEY))
    urls: Postings[str] = field(default_factory=lambda: Postings(PER_KEY))
    forwards: Postings[str] = field(default_factory=lambda: Postings(PER_KEY))
    shingles: Postings[int] = field(default_factory=lambda: Postings(PER_SHINGLE))
    originals: dict[str, str] = field(default_factory=dict)
    memory: Memory = field(default_factory=Memory)

    def put(self, entry: Entry) -> None:
        """Take in an entry in place of the item's former one."""
        self.drop(entry.item_id)
        self.window[entry.item_id] = entry
        if not entry.compared:
            return
        if entry.profile.comparable:
            self.texts.add(entry.profile.digest, entry.item_id)
        if entry.url:
            self.urls.add(entry.url, entry.item_id)
        if entry.forward is not None:
            self.forwards.add(entry.forward, entry.item_id)
        if entry.original is None:
            self.originals[entry.group] = entry.item_id
            for key in entry.profile.shingles[:SHINGLE_KEYS]:
                self.shingles.add(key, entry.item_id)

    def drop(self, item_id: str) -> None:
        """Forget an item, if it is there."""
        entry = self.window.pop(item_id, None)
        if entry is None or not entry.compared:
            return
        if entry.profile.comparable:
            self.texts.remove(entry.profile.digest, item_id)
        if entry.url:
            self.urls.remove(entry.url, item_id)
        if entry.forward is not None:
            self.forwards.remove(entry.forward, item_id)
        if entry.original is None:
            self._dethrone(entry)

    def judge(self, item_id: str, verdict: Verdict) -> None:
        """Take in another verdict on an item of the window; nothing happens if it left.

        The entry keeps its place: the record does not carry the item, so it cannot bring it back.
        """
        entry = self.window.get(item_id)
        if entry is None:
            return
        if entry.original is None and verdict.original is not None:
            self._dethrone(entry)
        entry.judge(verdict)

    def leaving(self, keep_since: datetime) -> list[Entry]:
        """Give the entries that were folded before a stage time, oldest first."""
        return list(takewhile(lambda entry: entry.at < keep_since, self.window.values()))

    def evict(self, keep_since: datetime) -> None:
        """Drop the entries that were folded before a stage time."""
        for entry in self.leaving(keep_since):
            self.drop(entry.item_id)

    def _dethrone(self, entry: Entry) -> None:
        if self.originals.get(entry.group) == entry.item_id:
            del self.originals[entry.group]
        for key in entry.profile.shingles[:SHINGLE_KEYS]:
            self.shingles.remove(key, entry.item_id)
