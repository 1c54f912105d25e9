"""The window of items in stories, and the search for the story that an item tells of.

It is a function of the story changes since the window's beginning, so it is the same after a restart.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import takewhile
from math import hypot, log, sqrt
from typing import NamedTuple

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
class Term:
    """A term that items of the window have: one object for all of them, found without looking at letters.

    Attributes:
        word: its letters.
        count: items that have it.
        users: the stories that used it last, the latest at the end, each with the last item that did.
    """

    word: str
    count: int = 0
    users: dict["Told", "Entry"] = field(default_factory=dict)


class Terms(dict[str, Term]):
    """Terms by their letters; one that nobody has used is made as it is asked for with []."""

    def __missing__(self, word: str) -> Term:
        """Make a term."""
        self[word] = term = Term(word)
        return term


Vector = dict[Term, float]


@dataclass(slots=True, eq=False)
class Told:
    """What the items of the window tell of a story.

    Attributes:
        story_id: which.
        count: items that have terms.
        members: the last of them, which are compared.
    """

    story_id: str
    count: int = 0
    members: deque["Entry"] = field(default_factory=lambda: deque(maxlen=MEMBERS_COMPARED))


@dataclass(slots=True, eq=False)
class Entry:
    """The last revision of an item, as far as matching needs it.

    Attributes:
        item_id: whose.
        story_id: its story; none: it was passed.
        role: original or copy, by the last verdict.
        at: stage time of the change that carried it.
        terms: of its text; none: it is not compared.
        weights: of these terms, scaled to length 1.
    """

    item_id: str
    story_id: str | None
    role: str
    at: datetime
    terms: tuple[Term, ...]
    weights: tuple[float, ...]


class Fit(NamedTuple):
    """How well an item fits a story.

    Attributes:
        score: 0 to 1, the mean of the cosine with the centroid and with the best member.
        shared: the terms that both have, and how much each adds to the first of these cosines.
    """

    score: float
    shared: Vector

    @property
    def words(self) -> list[str]:
        """Give the shared terms that weigh most, heaviest first."""
        return _heaviest({term.word: weight for term, weight in self.shared.items()})[:WORDS_NAMED]


NO_FIT = Fit(0.0, {})


@dataclass(slots=True)
class Index:
    """Items by id, stories by term."""

    entries: dict[str, Entry] = field(default_factory=dict)
    documents: int = 0
    terms: Terms = field(default_factory=Terms)
    stories: dict[str, Told] = field(default_factory=dict)

    def put(
        self, item_id: str, story_id: str | None, role: str, at: datetime, words: Mapping[str, float]
    ) -> None:
        """Take in an item's newest revision; it replaces the one before."""
        if before := self.entries.get(item_id):
            self._drop(before)
        if story_id is None or not words:
            self.entries[item_id] = Entry(item_id, story_id, role, at, (), ())
            return
        terms = tuple(map(self.terms.__getitem__, words))
        entry = Entry(item_id, story_id, role, at, terms, tuple(words.values()))
        self.entries[item_id] = entry
        self.documents += 1
        story = self.stories.get(story_id)
        if story is None:
            self.stories[story_id] = story = Told(story_id)
        story.count += 1
        story.members.append(entry)
        for term in terms:
            term.count += 1
            users = term.users
            users.pop(story, None)
            users[story] = entry
            if len(users) > STORIES_LISTED:
                del users[next(iter(users))]

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
        story = self.stories[entry.story_id]
        story.count -= 1
        if not story.count:
            del self.stories[entry.story_id]
        if entry in story.members:
            story.members.remove(entry)
        for term in entry.terms:
            term.count -= 1
            if not term.count:
                del self.terms[term.word]
            if term.users.get(story) is entry:
                del term.users[story]


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

    def __init__(self, index: Index, rarity: Rarity, words: Mapping[str, float]) -> None:
        self._index = index
        self._rarity = rarity
        self._weights: dict[str, float] = {}
        self._known: dict[Term, float] = {}
        terms, unknown = index.terms, rarity[0]
        for word, weight in words.items():
            term = terms.get(word)
            if term is None:
                self._weights[word] = weight * unknown
            else:
                self._weights[word] = self._known[term] = weight * rarity[term.count]
        self._length = hypot(*self._weights.values())

    def candidates(self) -> list[str]:
        """Give the stories that share at least two heavy terms, those that share most first."""
        shared: dict[Told, float] = {}
        several: dict[Told, float] = {}
        terms, weights = self._index.terms, self._weights
        for word in _heaviest(weights)[:TERMS_SEARCHED]:
            term = terms.get(word)
            if term is None:
                continue
            weight = weights[word] ** 2
            for story in term.users:
                if story in shared:
                    several[story] = shared[story] = shared[story] + weight
                else:
                    shared[story] = weight
        return _heaviest({story.story_id: weight for story, weight in several.items()})

    def fit(self, story_id: str) -> Fit:
        """Compare the item with a story."""
        known, rarity = self._known, self._rarity
        story = self._index.stories.get(story_id)
        centroid: Vector = {}
        so_far = centroid.get
        best = 0.0
        for member in story.members if story else ():
            product = square = 0.0
            for term, weight in zip(member.terms, member.weights, strict=True):
                heavy = weight * rarity[term.count]
                square += heavy * heavy
                centroid[term] = so_far(term, 0.0) + heavy
                if term in known:
                    product += heavy * known[term]
            if product:
                best = max(best, product / sqrt(square))
        shared = {term: weight * centroid[term] for term, weight in known.items() if term in centroid}
        if len(shared) < SHARED_TERMS:
            return NO_FIT
        cosine = sum(shared.values()) / hypot(*centroid.values())
        return Fit((cosine + best) / 2 / self._length, shared)


def _heaviest(weights: Mapping[str, float]) -> list[str]:
    """Give the names from the heaviest on, those of equal weight in order of their letters."""
    return sorted(sorted(weights), key=weights.__getitem__, reverse=True)
