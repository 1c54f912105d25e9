"""Deduplicate: says of every item revision whether it is an original or a copy, and of what.

All it knows is the window and the pages of originals; it has nothing to learn. A group keeps its name, the
item_id of its first original, whatever becomes of that item.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from pipeline.core import Arrival, Boundary, Output
from pipeline.deduplicate.match import Match, Sought, age, find, same_post
from pipeline.deduplicate.pages import pages
from pipeline.deduplicate.state import Entry, State
from pipeline.deduplicate.text import Profile, canonical_url, profile
from schemas.base import Record
from schemas.item import Deduplicated, Item, Look, Originals, Ruling, Verdict, VerdictChanged
from schemas.topics import DEDUPLICATED, ITEMS, ORIGINALS, Topic


class Traits(NamedTuple):
    """What of an item is compared, if it is."""

    compared: bool
    profile: Profile
    url: str
    forward: str | None


class Deduplicate:
    """The first stage's decisions.

    What it does not know any more starts anew: a revision of an item that left the window gets verdict number
    1 again, and is a copy only if its text is one.
    """

    stage = "deduplicate"
    reads = ITEMS
    folds = DEDUPLICATED
    tables: tuple[Topic, ...] = (ORIGINALS,)

    def __init__(self) -> None:
        self._read: tuple[Item, Traits] | None = None

    def empty(self) -> State:
        """Give the state before the first record."""
        return State()

    def decide(self, arrival: Arrival, state: State) -> Sequence[Output]:
        """Judge one record.

        Raises:
            TypeError: the record is none that items.v1 has.
        """
        value = arrival.value
        if isinstance(value, Item):
            return self._judge(value, arrival, state)
        if isinstance(value, Look):
            return [Output(DEDUPLICATED, value.unit, "dateline.look", value)]
        if isinstance(value, Ruling):
            return [Output(DEDUPLICATED, value.ruling_id, "dateline.ruling", value)]
        raise TypeError(f"deduplicate does not read {type(value).__name__}")

    def fold(self, value: Record, at: datetime, state: State) -> None:
        """Take in one record of deduplicated.v1.

        A late revision is older than what we have: it brings a verdict, but its text is not kept.
        """
        if isinstance(value, VerdictChanged):
            state.judge(value.item_id, value.verdict)
        elif isinstance(value, Deduplicated) and value.item.late:
            state.judge(value.item.item_id, value.verdict)
        elif isinstance(value, Deduplicated):
            state.put(self._entry(value.item, value.verdict, at))

    def load(self, topic: Topic, key: str, value: Record | None, state: State) -> None:
        """Take in one page of originals."""
        if topic is not ORIGINALS:
            return
        if isinstance(value, Originals):
            state.memory.take(value)
        else:
            state.memory.drop(int(key))

    def turn(self, boundary: Boundary, state: State) -> Sequence[Output]:
        """Write down the originals that will leave the window."""
        leaving = [
            entry for entry in state.leaving(boundary.keep_since) if entry.compared and entry.original is None
        ]
        return [
            Output(ORIGINALS, str(page.page), "dateline.originals", page)
            for page in pages(leaving, state.memory.next_page, boundary.time)
        ]

    def evict(self, boundary: Boundary, state: State) -> None:
        """Drop what left the window, and pages that are too old."""
        state.evict(boundary.keep_since)
        state.memory.expire(boundary.time)

    def _judge(self, item: Item, arrival: Arrival, state: State) -> list[Output]:
        prior = state.window.get(item.item_id)
        traits = self._traits(item)
        former = _former(item, state) if prior is None and traits.compared and not item.late else None
        if former is not None:
            evidence = f"forwarded by {former.item_id} before"
            verdict = Verdict(
                number=1, role="original", group=former.group, evidence=(evidence,), rule="forward/1"
            )
            return [_carry(item, verdict, arrival), _dethrone(former, item, arrival)]
        sought = Sought(
            item_id=item.item_id,
            source=item.source,
            observed=item.observed,
            profile=traits.profile,
            url=traits.url,
            forward=traits.forward,
            group=prior.group if prior else None,
        )
        verdict = _standing(item, sought, prior, compared=traits.compared) or _new(sought, prior, state)
        return [_carry(item, verdict, arrival)]

    def _entry(self, item: Item, verdict: Verdict, at: datetime) -> Entry:
        traits = self._traits(item)
        return Entry(
            item_id=item.item_id,
            at=at,
            source=item.source,
            observed=item.observed,
            published=item.published.lo if item.published else None,
            compared=traits.compared,
            profile=traits.profile,
            url=traits.url,
            forward=traits.forward,
            number=verdict.number,
            group=verdict.group,
            original=verdict.original,
            verdict=verdict.dump(),
        )

    def _traits(self, item: Item) -> Traits:
        """Read an item: most of the work, and `fold` needs what `decide` just read."""
        if self._read is None or self._read[0] is not item:
            self._read = item, _traits(item)
        return self._read[1]


def _traits(item: Item) -> Traits:
    return Traits(
        compared=item.status != "withdrawn" and not item.kind.startswith("market_"),
        profile=profile(item.headline, item.text),
        url=canonical_url(item.url),
        forward=_forwarded(item),
    )


def _forwarded(item: Item) -> str | None:
    for relation in item.relations:
        if relation.kind == "forward_of" and relation.item_id not in (None, item.item_id):
            return relation.item_id
    return None


def _former(item: Item, state: State) -> Entry | None:
    """Give the original that only forwards this item, which arrives behind it."""
    for item_id in state.forwards.of(item.item_id):
        if state.window[item_id].original is None:
            return state.window[item_id]
    return None


def _standing(item: Item, sought: Sought, prior: Entry | None, *, compared: bool) -> Verdict | None:
    """Give the verdict on what needs no search; none: search."""
    if prior and item.late:
        return _again(prior, "an older revision")
    if not compared:
        group = prior.group if prior else None
        return _original(sought, prior, "none/1", f"{item.kind}, {item.status}", group=group)
    if prior is None or not prior.compared:
        return None
    if (prior.profile, prior.url, prior.forward) == (sought.profile, sought.url, sought.forward):
        return _again(prior, "text unchanged")
    if prior.original is None and same_post(sought.profile, prior.profile):
        return _original(sought, prior, "revision/1", "still the same post", group=prior.group)
    return None


def _new(sought: Sought, prior: Entry | None, state: State) -> Verdict:
    """Search, and give the verdict on what was found or not."""
    found = find(sought, state)
    if found is not None:
        return _copy(sought, found, prior, state)
    reasons = [] if sought.profile.comparable else ["short text"]
    if prior and prior.original:
        reasons.append(f"no longer like {prior.original}")
    keeps = prior and not prior.original and state.originals.get(prior.group) in (None, sought.item_id)
    return _original(sought, prior, "none/1", *reasons, group=prior.group if prior and keeps else None)


def _copy(sought: Sought, found: Match, prior: Entry | None, state: State) -> Verdict:
    other = found.other
    known = other if isinstance(other, Entry) else state.window.get(other.item_id)
    group = (known or other).group
    original = state.originals.get(group) or (known and known.original) or other.item_id
    if original == sought.item_id:
        return _original(sought, prior, "revision/1", f"copied by {other.item_id}", group=group)
    kind, evidence = found.kind, found.evidence
    if kind == "forward":
        original = other.item_id if sought.forward == other.item_id else original
    elif prior and prior.original and prior.group == group:
        kind = "repost" if prior.last_verdict().kind == "repost" else kind
    elif old := age(sought, state.window.get(original) or state.memory.by_item(original) or other):
        kind, evidence = "repost", (*evidence, old)
    return Verdict(
        number=_number(prior),
        role="copy",
        kind=kind,
        group=group,
        original=original,
        score=found.score,
        evidence=evidence,
        rule=found.rule,
    )


def _original(
    sought: Sought, prior: Entry | None, rule: str, *evidence: str, group: str | None = None
) -> Verdict:
    return Verdict(
        number=_number(prior), role="original", group=group or sought.item_id, evidence=evidence, rule=rule
    )


def _again(prior: Entry, reason: str) -> Verdict:
    """Give the last verdict once more, under its next number."""
    verdict = prior.last_verdict()
    evidence = verdict.evidence if reason in verdict.evidence else (*verdict.evidence, reason)
    return verdict.model_copy(update={"number": _number(prior), "evidence": evidence})


def _number(prior: Entry | None) -> int:
    return prior.number + 1 if prior else 1


def _carry(item: Item, verdict: Verdict, arrival: Arrival) -> Output:
    return Output(
        DEDUPLICATED,
        item.item_id,
        f"dateline.deduplicated.{verdict.role}",
        Deduplicated(at=arrival.at, item=item, verdict=verdict),
        f"v{verdict.number}",
    )


def _dethrone(former: Entry, item: Item, arrival: Arrival) -> Output:
    verdict = Verdict(
        number=_number(former),
        role="copy",
        kind="forward",
        group=former.group,
        original=item.item_id,
        score=1.0,
        evidence=(f"forward_of {item.item_id}",),
        rule="forward/1",
    )
    changed = VerdictChanged(
        at=arrival.at,
        item_id=former.item_id,
        verdict=verdict,
        previous=former.last_verdict(),
        cause=arrival.id,
    )
    suffix = f"v{verdict.number}:{former.item_id}"
    return Output(DEDUPLICATED, former.item_id, "dateline.deduplicated.changed", changed, suffix)
