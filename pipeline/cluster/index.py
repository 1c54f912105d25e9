"""The window of items in stories, and the search for the story that an item tells of.

It is a function of the story changes since the window's beginning, so it is the same after a restart.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import takewhile
from math import log, sqrt

MEMBERS_COMPARED = 8
"""An item is compared with so many of a story's last members: their centroid and the best one."""
STORIES_LISTED = 24
"""Each term leads to the stories that used it last, at most so many."""
TERMS_SEARCHED = 12
"""The heaviest terms of an item are looked up."""
SHARED_TERMS = 2
"""One word in common makes no event."""
WORDS_NAMED = 5
_LEADING_BITS = 3
_SMOOTHING = 10
"""Documents that a fresh window is taken to hold, so that its first weights are not extreme."""


@dataclass(slots=True, eq=False)
class Entry:
    """The last revision of an item, as far as matching needs it.

    Attributes:
        item_id: whose.
        story_id: its story; none: it was passed.
        role: original or copy, by the last verdict.
        at: stage time of the change that carried it.
        terms: weights, scaled to length 1; empty: it is not compared.
    """

    item_id: str
    story_id: str | None
    role: str
    at: datetime
    terms: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Fit:
    """How well an item fits a story.

    Attributes:
        score: 0 to 1, the mean of the cosine with the centroid and with the best member.
        words: the shared terms that weigh most, heaviest first.
    """

    score: float
    words: tuple[str, ...]


@dataclass(slots=True)
class Index:
    """Items by id, stories by term."""

    entries: dict[str, Entry] = field(default_factory=dict)
    documents: int = 0
    frequency: dict[str, int] = field(default_factory=dict)
    postings: dict[str, dict[str, Entry]] = field(default_factory=dict)
    members: dict[str, deque[Entry]] = field(default_factory=dict)

    def put(self, entry: Entry) -> None:
        """Take in an item's newest revision; it replaces the one before."""
        if before := self.entries.get(entry.item_id):
            self._drop(before)
        self.entries[entry.item_id] = entry
        if not entry.terms or entry.story_id is None:
            return
        self.documents += 1
        for term in entry.terms:
            self.frequency[term] = self.frequency.get(term, 0) + 1
            stories = self.postings.setdefault(term, {})
            stories.pop(entry.story_id, None)
            stories[entry.story_id] = entry
            if len(stories) > STORIES_LISTED:
                del stories[next(iter(stories))]
        self.members.setdefault(entry.story_id, deque(maxlen=MEMBERS_COMPARED)).append(entry)

    def judge(self, item_id: str, role: str) -> None:
        """Note an item's new role."""
        if entry := self.entries.get(item_id):
            entry.role = role

    def evict(self, keep_since: datetime) -> None:
        """Drop what was put in before; the entries are in order of time."""
        for entry in list(takewhile(lambda entry: entry.at < keep_since, self.entries.values())):
            self._drop(entry)

    def _drop(self, entry: Entry) -> None:
        del self.entries[entry.item_id]
        if not entry.terms or entry.story_id is None:
            return
        self.documents -= 1
        for term in entry.terms:
            self.frequency[term] -= 1
            if not self.frequency[term]:
                del self.frequency[term]
            stories = self.postings.get(term, {})
            if stories.get(entry.story_id) is entry:
                del stories[entry.story_id]
                if not stories:
                    del self.postings[term]
        members = self.members.get(entry.story_id, ())
        kept = deque((member for member in members if member is not entry), maxlen=MEMBERS_COMPARED)
        if kept:
            self.members[entry.story_id] = kept
        else:
            self.members.pop(entry.story_id, None)


class Rarity(dict[int, float]):
    """What a term of each document frequency weighs: ln((n + 10) / (df + .5) + 1); filled as it is asked."""

    def __init__(self, documents: int) -> None:
        super().__init__()
        self._documents = documents

    def __missing__(self, frequency: int) -> float:
        idf = log((self._documents + _SMOOTHING) / (frequency + 0.5) + 1)
        self[frequency] = idf
        return idf


def rounded(documents: int) -> int:
    """Give a number with its three leading bits, so that one `Rarity` serves for some time."""
    spare = max(documents.bit_length() - _LEADING_BITS, 0)
    return documents >> spare << spare


class Search:
    """One item's search, with the weights that the window gives to terms now."""

    def __init__(self, index: Index, rarity: Rarity, terms: Mapping[str, float]) -> None:
        self._index = index
        self._rarity = rarity
        frequency = index.frequency
        self._weights = {term: weight * rarity[frequency.get(term, 0)] for term, weight in terms.items()}
        self._length = sqrt(sum(weight * weight for weight in self._weights.values()))

    def candidates(self) -> list[str]:
        """Give the stories that share at least two heavy terms, those that share most first."""
        shared: dict[str, float] = {}
        several: dict[str, float] = {}
        postings = self._index.postings
        for term in _heaviest(self._weights, TERMS_SEARCHED):
            weight = self._weights[term] ** 2
            for story_id in postings.get(term, ()):
                if story_id in shared:
                    several[story_id] = shared[story_id] = shared[story_id] + weight
                else:
                    shared[story_id] = weight
        return _heaviest(several, len(several))

    def fit(self, story_id: str) -> Fit:
        """Compare the item with a story."""
        weights, rarity, frequency = self._weights, self._rarity, self._index.frequency
        centroid: dict[str, float] = {}
        best = 0.0
        for member in self._index.members.get(story_id, ()):
            product = square = 0.0
            for term, weight in member.terms.items():
                heavy = weight * rarity[frequency[term]]
                square += heavy * heavy
                centroid[term] = centroid.get(term, 0.0) + heavy
                if term in weights:
                    product += heavy * weights[term]
            best = max(best, product / sqrt(square))
        shared = {term: weight * centroid[term] for term, weight in weights.items() if term in centroid}
        if len(shared) < SHARED_TERMS:
            return Fit(0.0, ())
        length = sqrt(sum(weight * weight for weight in centroid.values()))
        score = (sum(shared.values()) / length + best) / 2 / self._length
        return Fit(score, tuple(_heaviest(shared, WORDS_NAMED)))


def _heaviest(weights: Mapping[str, float], count: int) -> list[str]:
    return sorted(weights, key=lambda term: (-weights[term], term))[:count]
