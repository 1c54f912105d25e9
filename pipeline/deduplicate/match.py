"""What an item copies: the rules, the strongest first, each with its evidence.

Within a rule the window goes before the long memory, the item's former group before others, and otherwise the
earlier arrival. A source's stamps are never asked: they are under suspicion.
"""

from array import array
from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import chain
from typing import NamedTuple

from pipeline.deduplicate.memory import Remembered
from pipeline.deduplicate.state import SHINGLE_KEYS, Entry, State
from pipeline.deduplicate.text import Profile
from schemas.cloudevents import instant

REPOST_AFTER = timedelta(hours=24)
LIKE = 0.7
"""Shared part of both texts' shingles: with equal facts, real copies begin here."""
CUT_LIKE = 0.9
CUT_BELOW = 0.9
CUT_ABOVE = 0.5
"""A cut copy has 50 to 90 % of the original's shingles, and 90 % of its own are the original's."""
SAME_POST = 0.5
"""Part of the shorter text's shingles that an edited post keeps."""


class Sought(NamedTuple):
    """What is asked for: an item, and the group that it was in so far."""

    item_id: str
    source: str
    observed: datetime
    profile: Profile
    url: str
    forward: str | None
    group: str | None


class Match(NamedTuple):
    """What was found.

    Attributes:
        kind: of copy, were it made at once.
        rule: its name and version.
        score: 1 is the same; none where the rule does not look at the words.
        evidence: what matched.
        other: what it matched, in the window or in the long memory.
    """

    kind: str
    rule: str
    score: float | None
    evidence: tuple[str, ...]
    other: Entry | Remembered


def find(sought: Sought, state: State) -> Match | None:
    """Give what an item copies by the strongest rule that says so."""
    found = forward(sought, state) or exact(sought, state) or same_url(sought, state) or near(sought, state)
    if found is None or found.other.source != sought.source:
        return found
    return Match(found.kind, found.rule, found.score, (*found.evidence, "same source"), found.other)


def forward(sought: Sought, state: State) -> Match | None:
    """It forwards a post that we know, or one that an earlier forward already stands for."""
    target = sought.forward
    if target is None:
        return None
    known = state.window.get(target) or state.memory.by_item(target)
    evidence: tuple[str, ...] = (f"forward_of {target}",)
    if known is None:
        known = _first(_others(state.forwards.of(target), sought, state), sought)
        if known is None:
            return None
        evidence += (f"forwarded by {known.item_id} before",)
    return Match("forward", "forward/1", 1.0, evidence, known)


def exact(sought: Sought, state: State) -> Match | None:
    """It says the same words in the same order.

    A short formula ("Air raid alert in ...") is a copy on the same day only.
    """
    if not sought.profile.comparable:
        return None
    others = _others(state.texts.of(sought.profile.digest), sought, state)
    if not sought.profile.shingles:
        others = [other for other in others if sought.observed - other.observed <= REPOST_AFTER]
    known = _first(others, sought) or _unless_itself(state.memory.by_text(sought.profile), sought)
    if known is None:
        return None
    return Match("exact", "exact/1", 1.0, (f"text_hash {sought.profile.digest:016x}",), known)


def same_url(sought: Sought, state: State) -> Match | None:
    """Another source has the same address."""
    if not sought.url:
        return None
    others = [
        other for other in _others(state.urls.of(sought.url), sought, state) if other.source != sought.source
    ]
    known: Entry | Remembered | None = _first(others, sought)
    if known is None:
        known = _unless_itself(state.memory.by_url(sought.url), sought)
        if known is None or known.source == sought.source:
            return None
    return Match("syndicated", "url/1", None, (f"url {sought.url}",), known)


def near(sought: Sought, state: State) -> Match | None:
    """It says nearly the same words, and no other numbers or negations."""
    lists = map(state.shingles.of, sought.profile.shingles[:SHINGLE_KEYS])
    candidates = dict.fromkeys(chain.from_iterable(lists))  # a set whose order is the same everywhere
    if not candidates:
        return _remembered(sought, state)
    shingles = frozenset(sought.profile.shingles)
    found: list[tuple[float, Entry, str]] = []
    for other in _others(candidates, sought, state):
        score, evidence = likeness(sought.profile, shingles, other.profile)
        if score:
            found.append((score, other, evidence))
    if not found:
        return _remembered(sought, state)
    score, other, evidence = min(found, key=lambda row: (row[1].group != sought.group, -row[0], row[1].at))
    return Match("near", "near/1", score, (evidence,), other)


def likeness(new: Profile, shingles: frozenset[int], old: Profile) -> tuple[float, str]:
    """Give the shared part of all shingles, 0 to 1, and the evidence; 0 unless the new text is a copy.

    Args:
        new: what may be a copy.
        shingles: its shingles, to be looked up.
        old: what it may be a copy of.
    """
    mine, theirs = len(shingles), len(old.shingles)
    cut = theirs * CUT_ABOVE <= mine < theirs * CUT_BELOW
    if new.facts != old.facts and not (cut and _within(new.facts, old.facts)):
        return 0.0, ""
    if not (cut or theirs * LIKE <= mine <= theirs / LIKE):
        return 0.0, ""
    shared = len(shingles.intersection(old.shingles))
    together = mine + theirs - shared
    if shared >= together * LIKE:
        return round(shared / together, 3), f"shingles {shared} of {together}"
    if cut and shared >= mine * CUT_LIKE:
        return round(shared / together, 3), f"shingles {shared} of {mine}, cut from {theirs}"
    return 0.0, ""


def same_post(new: Profile, old: Profile) -> bool:
    """Say whether an edited text is still the same post; of short texts nothing can be said."""
    shorter = min(len(new.shingles), len(old.shingles))
    return shorter > 0 and len(set(new.shingles).intersection(old.shingles)) >= shorter * SAME_POST


def age(sought: Sought, first: Entry | Remembered) -> str:
    """Give the evidence that the first of a group is an old one; empty if it is not."""
    if isinstance(first, Entry) and sought.observed - first.observed <= REPOST_AFTER:
        return ""
    return f"first observed {instant(first.observed)}"


def _remembered(sought: Sought, state: State) -> Match | None:
    found = state.memory.like(sought.profile)
    if found is None or found[0].item_id == sought.item_id:
        return None
    other, estimate = found
    return Match("near", "near/1", round(estimate, 3), (f"sketch {estimate:.3f}",), other)


def _within(part: "array[int]", whole: "array[int]") -> bool:
    rest = iter(whole)
    return not part or all(fact in rest for fact in part)


def _others(item_ids: Iterable[str], sought: Sought, state: State) -> list[Entry]:
    return [state.window[item_id] for item_id in item_ids if item_id != sought.item_id]


def _first(others: list[Entry], sought: Sought) -> Entry | None:
    fallback = others[0] if others else None
    return next((other for other in others if other.group == sought.group), fallback)


def _unless_itself(found: Remembered | None, sought: Sought) -> Remembered | None:
    return None if found is None or found.item_id == sought.item_id else found
