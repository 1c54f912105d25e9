"""The story that a post belongs to, in one pass and for good.

A copy goes where its original is; other posts go to the living story whose words they share, if they share
enough, and open one if not. The method is single-pass clustering by tf-idf (Allan, Papka and Lavrenko 1998)
against both the centroid and the best member of a story.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from math import exp
from typing import NamedTuple

from pipeline.cluster import story as stories
from pipeline.cluster.index import SHARED_TERMS, Entry, Index, Rarity, Search, rounded
from pipeline.cluster.shelf import Shelf
from pipeline.cluster.terms import Words
from pipeline.core import Arrival, Boundary, Output
from schemas.base import Record
from schemas.item import Deduplicated, Item, Look, Ruling, VerdictChanged
from schemas.story import Story, StoryChange
from schemas.topics import DEDUPLICATED, STORIES, STORY_CHANGES, Topic

THRESHOLD = 0.28
"""An item joins the best story from this score on; the same for all wires and languages."""
DECAY_HOURS = 48.0
"""A score falls to 1/e when the story was quiet for so long."""
REPLY_BONUS = 0.1
"""A reply to an item of the story: too little to join by itself."""
COMPARED = 3
"""The item is compared with so many stories in full."""
CLOSED_PER_RECORD = 20

CLAIMS = ("post", "article")
"""Kinds that tell of the world; a new betting question is no evidence that something happened."""
ANSWERS = ("reply_to", "quotes", "album")
SAME_TEXT = ("exact", "forward", "syndicated")
"""Copies that no stamp can part from their original."""

CENTROID_RULE = "centroid/1"
COPY_RULE = "copy/1"
REVISION_RULE = "revision/1"
SCOPE_RULE = "scope/1"
QUIET_RULE = "quiet/1"


@dataclass(slots=True)
class State:
    """What the clusterer knows.

    Attributes:
        index: the items of the window; made by `fold` alone.
        shelf: the stories; made by `load` alone.
    """

    index: Index = field(default_factory=Index)
    shelf: Shelf = field(default_factory=Shelf)


class Match(NamedTuple):
    """A story with what speaks for it."""

    story: Story
    score: float
    reason: str


Step = tuple[StoryChange, Story | None]
"""A change and, if the story has a new state, that."""


class Cluster:
    """The clusterer's core."""

    stage = "cluster"
    reads = DEDUPLICATED
    folds = STORY_CHANGES
    tables: tuple[Topic, ...] = (STORIES,)

    def __init__(self) -> None:
        self._words = Words()
        self._rarity = lru_cache(1)(Rarity)

    def empty(self) -> State:
        """Give the state before the first record."""
        return State()

    def decide(self, arrival: Arrival, state: State) -> Sequence[Output]:
        """Judge one record; closed stories and the new states of all changed stories come behind.

        Raises:
            TypeError: such a record is not on the topic.
        """
        story: Story | None = None
        match arrival.value:
            case Deduplicated() as told:
                change, story = self._place(told, arrival, state)
                outputs = [_changed(change, told.item.item_id)]
            case VerdictChanged() as verdict:
                story = _judge(verdict, arrival.at, state)
                outputs = [_passed_on(verdict.item_id, "dateline.deduplicated.changed", verdict)]
            case Look() as look:
                outputs = [_passed_on(look.unit, "dateline.look", look)]
            case Ruling() as ruling:
                outputs = [_passed_on(ruling.ruling_id, "dateline.ruling", ruling)]
            case other:
                raise TypeError(f"no record of {DEDUPLICATED.name}: {type(other).__name__}")
        upserts = [] if story is None else [story]
        for step, closed in _closings(arrival, state):
            outputs.append(_changed(step, closed.story_id))
            upserts.append(closed)
        outputs += [Output(STORIES, each.story_id, "dateline.story", each) for each in upserts]
        return outputs

    def fold(self, value: Record, at: datetime, state: State) -> None:
        """Take in a story change with the item that it carries, or a changed verdict."""
        if isinstance(value, VerdictChanged):
            state.index.judge(value.item_id, value.verdict.role)
        elif isinstance(value, StoryChange) and value.carried is not None:
            item = value.carried.item
            # Without a number the story was closed, and a copy's words are those of its original.
            compared = value.number is not None and value.rule != COPY_RULE and item.status == "usable"
            words = self._words.of(item) if compared else {}
            state.index.put(item.item_id, value.story_id, value.carried.verdict.role, at, words)

    def load(self, topic: Topic, key: str, value: Record | None, state: State) -> None:
        """Take in the latest state of a story."""
        if topic is STORIES and (value is None or isinstance(value, Story)):
            state.shelf.put(key, value)

    def turn(self, boundary: Boundary, state: State) -> Sequence[Output]:
        """Forget the stories that closed long ago."""
        forgotten = state.shelf.forgettable(boundary.time)
        return [Output(STORIES, story_id, "dateline.story", None) for story_id in forgotten]

    def evict(self, boundary: Boundary, state: State) -> None:
        """Drop the items that left the window."""
        state.index.evict(boundary.keep_since)

    def _place(self, told: Deduplicated, arrival: Arrival, state: State) -> Step:
        """Say where an item revision belongs."""
        known = state.index.entries.get(told.item.item_id)
        if known is not None and known.story_id is not None:
            return _revise(told, known, arrival, state)
        if reason := _out_of_scope(told.item, new=known is None):
            return _pass(told, arrival, reason)
        if match := _home(told, arrival.at, state):
            return _join(told, arrival, match, COPY_RULE)
        return self._compare(told, arrival, state)

    def _compare(self, told: Deduplicated, arrival: Arrival, state: State) -> Step:
        """Place an item by its words; what came back from long ago tells nothing of today."""
        words = self._words.of(told.item)
        if len(words) < SHARED_TERMS:
            return _pass(told, arrival, "too few words")
        best = None if told.verdict.kind == "repost" else self._best(told.item, words, arrival.at, state)
        if best is not None and best.score >= THRESHOLD:
            return _join(told, arrival, best, CENTROID_RULE)
        story = stories.opened(told, arrival.at)
        if state.shelf.knows(story.story_id):
            return _pass(told, arrival, "it opened a story before the window")
        return _open(story, told, arrival, best)

    def _best(self, item: Item, words: Mapping[str, float], at: datetime, state: State) -> Match | None:
        """Find the living story that an item fits best; of equal ones, the first."""
        search = Search(state.index, self._rarity(rounded(state.index.documents)), words)
        answered = _answered(item, state.index)
        best, compared = None, 0
        for story_id in dict.fromkeys((*answered, *search.candidates())):
            story = state.shelf.living(story_id, at)
            if story is None or stories.far_apart(story, item.published):
                continue
            fit = search.fit(story_id)
            score = _weighed(fit.score, at - story.changed, reply=story_id in answered)
            if best is None or score > best[0]:
                best = score, story, fit
            compared += 1
            if compared == COMPARED:
                break
        if best is None:
            return None
        score, story, fit = best
        reply = ", with a reply" if story.story_id in answered else ""
        shared = ", ".join(fit.words) or "no words shared"
        return Match(story, score, f"centroid {score:.2f}{reply}: {shared}")


def _weighed(score: float, quiet: timedelta, *, reply: bool) -> float:
    """Judge a fit by the time between, and by whether it answers the story."""
    hours = quiet.total_seconds() / 3600
    score = score * exp(-hours / DECAY_HOURS) + (REPLY_BONUS if reply else 0.0)
    return round(min(score, 1.0), 4)


def _answered(item: Item, index: Index) -> tuple[str, ...]:
    """Give the stories of the items that this one answers."""
    entries = (index.entries.get(r.item_id or "") for r in item.relations if r.kind in ANSWERS)
    return tuple(entry.story_id for entry in entries if entry is not None and entry.story_id is not None)


def _out_of_scope(item: Item, *, new: bool) -> str | None:
    """Say why an item that is in no story cannot be in one."""
    if item.kind not in CLAIMS:
        return f"{item.kind} is no claim about the world"
    if item.status != "usable":
        return f"{item.status}, and in no story"
    if item.late:
        return "an older revision of an item in no story"
    if new and item.revision > 1:
        return f"revision {item.revision} of an item that left the window"
    return None


def _home(told: Deduplicated, at: datetime, state: State) -> Match | None:
    """Find the story of what an item copies, or of the copies that came before their original."""
    verdict = told.verdict
    for other in (verdict.original, verdict.group):
        entry = state.index.entries.get(other) if other is not None else None
        story = state.shelf.living(entry.story_id, at) if entry is not None else None
        if story is None:
            continue
        if verdict.kind not in SAME_TEXT and stories.far_apart(story, told.item.published):
            continue
        relation = "copy of" if verdict.role == "copy" else "in the copy group of"
        evidence = f": {', '.join(verdict.evidence)}" if verdict.evidence else ""
        return Match(story, 1.0 if verdict.score is None else verdict.score, f"{relation} {other}{evidence}")
    return None


def _open(story: Story, told: Deduplicated, arrival: Arrival, nearest: Match | None) -> Step:
    reason = "nothing near"
    if nearest is not None:
        reason = f"below {THRESHOLD}; nearest {nearest.story.story_id}, {nearest.reason}"
    return stories.change(
        "opened",
        story,
        at=arrival.at,
        carried=told,
        reason=reason,
        cause=arrival.id,
        rule=CENTROID_RULE,
    ), story


def _join(told: Deduplicated, arrival: Arrival, match: Match, rule: str) -> Step:
    story = stories.joined(match.story, told, arrival.at, match.score)
    return stories.change(
        "joined",
        story,
        at=arrival.at,
        carried=told,
        score=match.score,
        reason=match.reason,
        cause=arrival.id,
        rule=rule,
    ), story


def _revise(told: Deduplicated, known: Entry, arrival: Arrival, state: State) -> Step:
    """Carry a later revision of an item in a story; a closed story stays as it was."""
    story = state.shelf.living(known.story_id, arrival.at)
    reason = f"revision {told.item.revision} of an item of this story"
    if story is None:
        return StoryChange(
            change="revised",
            story_id=known.story_id,
            at=arrival.at,
            carried=told,
            reason=f"{reason}, which is closed",
            cause=arrival.id,
            rule=REVISION_RULE,
        ), None
    story = stories.revised(story, told, arrival.at, known.role)
    return stories.change(
        "revised",
        story,
        at=arrival.at,
        carried=told,
        reason=reason,
        cause=arrival.id,
        rule=REVISION_RULE,
    ), story


def _pass(told: Deduplicated, arrival: Arrival, reason: str) -> Step:
    return StoryChange(
        change="passed",
        story_id=None,
        at=arrival.at,
        carried=told,
        reason=reason,
        cause=arrival.id,
        rule=SCOPE_RULE,
    ), None


def _judge(changed: VerdictChanged, at: datetime, state: State) -> Story | None:
    """Give the new state of the story in which an item has another role now."""
    entry = state.index.entries.get(changed.item_id)
    story = state.shelf.living(entry.story_id, at) if entry is not None else None
    if entry is None or story is None or entry.role == changed.verdict.role:
        return None
    return stories.renumbered(stories.judged(story, changed.item_id, entry.role, changed.verdict.role))


def _closings(arrival: Arrival, state: State) -> Iterator[tuple[StoryChange, Story]]:
    """Close the stories that were quiet for too long; what this record changed is not among them."""
    for story in state.shelf.overdue(arrival.at, CLOSED_PER_RECORD):
        closed = stories.closed(story, arrival.at)
        yield (
            stories.change(
                "closed",
                closed,
                at=arrival.at,
                reason="quiet for 24 h",
                cause=arrival.id,
                rule=QUIET_RULE,
            ),
            closed,
        )


def _changed(change: StoryChange, item_id: str) -> Output:
    return Output(STORY_CHANGES, change.story_id or item_id, f"dateline.story.{change.change}", change)


def _passed_on(key: str, name: str, value: Record) -> Output:
    return Output(STORY_CHANGES, key, name, value)
