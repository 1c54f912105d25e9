"""Deduplicate: says of every item revision whether it is an original or a copy, and of what.

Window entries and pages of originals are all it knows; it needs to learn nothing. A group keeps its name, the
item_id of its first original, whatever happens to that item later.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache

from pydantic_core import to_json

from pipeline.core import Arrival, Boundary, Output
from pipeline.deduplicate.match import Match, Sought, age, find, same_post
from pipeline.deduplicate.memory import PAGE_BYTES, PAGE_ROWS, sketch, spell
from pipeline.deduplicate.state import Entry, State
from pipeline.deduplicate.text import Profile, canonical_url, profile
from schemas.base import Record
from schemas.item import Deduplicated, Item, Look, Originals, Ruling, Verdict, VerdictChanged
from schemas.topics import DEDUPLICATED, ITEMS, ORIGINALS, Topic

PROFILES = 16
"""`fold` needs the profile that `decide` just made; making it is most of the work."""
ROW_BYTES = 250
"""Of a row of a page, what is not item_id, source and URL."""


class Deduplicate:
    """The first stage's decisions.

    What it does not know any more starts anew: the verdict on a revision of an item that left the window has
    number 1 again, and is a copy only if its text is one.
    """

    stage = "deduplicate"
    reads = ITEMS
    folds = DEDUPLICATED
    tables: tuple[Topic, ...] = (ORIGINALS,)

    def __init__(self) -> None:
        self._profile = lru_cache(PROFILES)(profile)

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

        A late revision is older than what we have: it changes the verdict, never the text.
        """
        if isinstance(value, Deduplicated):
            if value.item.late:
                state.judge(value.item.item_id, value.verdict)
            else:
                state.put(self._entry(value.item, value.verdict, at))
        elif isinstance(value, VerdictChanged):
            state.judge(value.item_id, value.verdict)

    def load(self, topic: Topic, key: str, value: Record | None, state: State) -> None:
        """Take in one page of originals."""
        if topic is not ORIGINALS:
            return
        if isinstance(value, Originals):
            state.memory.take(value)
        else:
            state.memory.drop(int(key))

    def turn(self, boundary: Boundary, state: State) -> Sequence[Output]:
        """Write the originals that will leave the window as pages."""
        entries = [
            entry
            for entry in state.leaving(boundary.keep_since)
            if entry.matched and entry.original is None
        ]
        return [
            Output(ORIGINALS, str(number), "dateline.originals", _page(number, rows, boundary.time))
            for number, rows in enumerate(_paged(entries), state.memory.next_page)
        ]

    def evict(self, boundary: Boundary, state: State) -> None:
        """Drop what left the window, and pages that are too old."""
        state.evict(boundary.keep_since)
        state.memory.expire(boundary.time)

    def _judge(self, item: Item, arrival: Arrival, state: State) -> list[Output]:
        prior = state.window.get(item.item_id)
        former = None if prior or item.late or not _matched(item) else _former(item, state)
        if former is not None:
            verdict = Verdict(
                number=1,
                role="original",
                group=former.group,
                evidence=(f"forwarded by {former.item_id} before",),
                rule="forward/1",
            )
            return [_carry(item, verdict, arrival), _dethrone(former, item, arrival)]
        return [_carry(item, self._verdict(item, prior, state), arrival)]

    def _verdict(self, item: Item, prior: Entry | None, state: State) -> Verdict:
        number = prior.number + 1 if prior else 1
        if not _matched(item):
            group = prior.group if prior else item.item_id
            reason = f"{item.kind}, {item.status}"
            return Verdict(number=number, role="original", group=group, evidence=(reason,), rule="none/1")
        if prior and item.late:
            return _again(prior, "an older revision")
        sought = self._sought(item, prior)
        if prior and prior.matched:
            if (prior.profile, prior.url, prior.forward) == (sought.profile, sought.url, sought.forward):
                return _again(prior, "text unchanged")
            if prior.original is None and same_post(sought.profile, prior.profile):
                return _original(sought, prior, state, "revision/1", "still the same post")
        found = find(sought, state)
        if found is not None:
            return _copy(sought, found, prior, state)
        if not sought.profile.comparable:
            return _original(sought, prior, state, "none/1", "short text")
        if prior and prior.original:
            return _original(sought, prior, state, "none/1", f"no longer like {prior.original}")
        return _original(sought, prior, state, "none/1")

    def _sought(self, item: Item, prior: Entry | None) -> Sought:
        return Sought(
            item_id=item.item_id,
            source=item.source,
            observed=item.observed,
            profile=self._profile(item.headline, item.text),
            url=canonical_url(item.url),
            forward=_forwarded(item),
            group=prior.group if prior else None,
        )

    def _entry(self, item: Item, verdict: Verdict, at: datetime) -> Entry:
        matched = _matched(item)
        return Entry(
            item_id=item.item_id,
            at=at,
            source=item.source,
            observed=item.observed,
            published=item.published and item.published.lo,
            matched=matched,
            profile=self._profile(item.headline, item.text) if matched else self._profile(None, ""),
            url=canonical_url(item.url) if matched else "",
            forward=_forwarded(item),
            number=verdict.number,
            group=verdict.group,
            original=verdict.original,
            verdict=verdict.dump(),
        )


def _matched(item: Item) -> bool:
    return item.status != "withdrawn" and not item.kind.startswith("market_")


def _forwarded(item: Item) -> str | None:
    targets = (relation.item_id for relation in item.relations if relation.kind == "forward_of")
    return next((target for target in targets if target is not None), None)


def _former(item: Item, state: State) -> Entry | None:
    """Give the group's original that only forwards this item, which arrives behind it."""
    waiting = (state.window[item_id] for item_id in state.forwards.of(item.item_id))
    return next((entry for entry in waiting if entry.original is None), None)


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
        number=former.number + 1,
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


def _again(prior: Entry, reason: str) -> Verdict:
    verdict = prior.last_verdict()
    evidence = verdict.evidence if reason in verdict.evidence else (*verdict.evidence, reason)
    return verdict.model_copy(update={"number": prior.number + 1, "evidence": evidence})


def _original(sought: Sought, prior: Entry | None, state: State, rule: str, *evidence: str) -> Verdict:
    keeps = (
        prior is not None
        and prior.original is None
        and state.originals.get(prior.group, sought.item_id) == sought.item_id
    )
    return Verdict(
        number=prior.number + 1 if prior else 1,
        role="original",
        group=prior.group if prior and keeps else sought.item_id,
        evidence=evidence,
        rule=rule,
    )


def _copy(sought: Sought, found: Match, prior: Entry | None, state: State) -> Verdict:
    other = found.other
    known = other if isinstance(other, Entry) else state.window.get(other.item_id)
    group = known.group if known else other.item_id
    original = state.originals.get(group) or (known and known.original) or other.item_id
    if original == sought.item_id:
        return _original(sought, prior, state, "revision/1", f"copied by {other.item_id}")
    kind, evidence = found.kind, found.evidence
    if kind == "forward":
        original = other.item_id if sought.forward == other.item_id else original
    elif prior and prior.original and prior.group == group:
        kind = "repost" if prior.last_verdict().kind == "repost" else kind
    elif old := age(sought, state.window.get(original) or state.memory.by_item(original) or other):
        kind, evidence = "repost", evidence + old
    return Verdict(
        number=prior.number + 1 if prior else 1,
        role="copy",
        kind=kind,
        group=group,
        original=original,
        score=found.score,
        evidence=evidence,
        rule=found.rule,
    )


def _paged(entries: Iterable[Entry]) -> list[list[Entry]]:
    pages: list[list[Entry]] = []
    size = 0
    for entry in entries:
        row = ROW_BYTES + len(to_json((entry.item_id, entry.source, entry.url)))
        if not pages or len(pages[-1]) == PAGE_ROWS or size + row > PAGE_BYTES:
            pages.append([])
            size = 0
        pages[-1].append(entry)
        size += row
    return pages


def _page(number: int, rows: Sequence[Entry], time: datetime) -> Originals:
    return Originals(
        page=number,
        at=time,
        item_ids=tuple(row.item_id for row in rows),
        sources=tuple(row.source for row in rows),
        text_hashes=tuple(f"{row.profile.digest:016x}" for row in rows),
        signatures=tuple(_signature(row.profile) for row in rows),
        urls=tuple(row.url for row in rows),
        published=tuple(row.published for row in rows),
        observed=tuple(row.observed for row in rows),
    )


def _signature(text: Profile) -> str:
    return spell(sketch(text)) if text.shingles else ""
