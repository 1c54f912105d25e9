"""A desk for the tests of chronology: it feeds the core as the stage does, one record after the other."""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.recording.normalise import normalise
from pipeline.chronology.decide import Chronology
from pipeline.core import Arrival, Boundary, Output
from schemas.base import Record
from schemas.flag import Flag
from schemas.item import Deduplicated, Item, Relation, Ruling, Verdict, VerdictChanged
from schemas.stamp import Stamp
from schemas.story import StoryChange

DAY = "2026-07-04"
TEXT = "Ferry catches fire off Halcyon Bay, 12 people missing."


def moment(text: str) -> datetime:
    """16:07 or 16:07:30 of the day, or a whole RFC 3339 time."""
    return datetime.fromisoformat(text if "T" in text else f"{DAY}T{text}Z").astimezone(UTC)


def printed(text: str | None) -> Stamp | None:
    """The same as a stamp to the second; anything else as it is printed."""
    if text is None:
        return None
    short = text.replace(":", "").isdigit() and ":" in text
    return Stamp.parse(moment(text).isoformat() if short else text)


class Desk:
    """The core with its state, and all that it wrote."""

    def __init__(self, *, through_bytes: bool = False) -> None:
        self.core = Chronology()
        self.state = self.core.empty()
        self.through_bytes = through_bytes
        self.now = moment("00:00")
        self.fed: list[tuple[Record, datetime]] = []
        self.written: list[Output] = []
        self.revisions: dict[str, int] = {}

    def feed(self, value: Record, at: datetime | None = None) -> list[Flag]:
        """Judge a record, take it in, and give the flags that it changed."""
        self.now = max(self.now, at or self.now)
        if self.through_bytes:
            value = type(value).read(value.dump())
        outputs = self.core.decide(Arrival(f"r{len(self.fed)}", value, self.now), self.state)
        self.core.fold(value, self.now, self.state)
        self.fed.append((value, self.now))
        return self.take(outputs)

    def take(self, outputs: Iterable[Output]) -> list[Flag]:
        flags = []
        for output in outputs:
            made = output.value
            if self.through_bytes and made is not None:
                made = type(made).read(made.dump())
            self.core.load(output.topic, output.key, made, self.state)
            self.written.append(output)
            if isinstance(made, Flag):
                flags.append(made)
        return flags

    def post(
        self,
        item_id: str,
        published: str | None,
        observed: str | None = None,
        *,
        story: str | None = "s",
        text: str = TEXT,
        delivery: str = "pushed",
        revised: str | None = None,
        absent: str | None = None,
        reply_to: str | None = None,
        forward: tuple[str | None, str] | None = None,
        copy_of: str | None = None,
        sequence: int | None = None,
        **fields: Any,
    ) -> list[Flag]:
        """Feed one revision of an item; its id is "source/number", unseen ones are seen at once."""
        seen = moment(observed or published or "12:00") + (timedelta(0) if observed else timedelta(seconds=5))
        revision = self.revisions[item_id] = self.revisions.get(item_id, 0) + 1
        item = Item(
            item_id=item_id,
            source=item_id.partition("/")[0],
            native_id=item_id,
            sequence=None if sequence is None else str(sequence),
            delivery=delivery,
            text=text,
            published=printed(published),
            revised=printed(revised),
            relations=tuple(relations(reply_to, forward)),
            revision=revision,
            content_hash="1:0",
            via="v",
            connector="recording/1",
            raw_id="raw",
            observed=seen,
            absent=None if absent is None else moment(absent),
            **{"url": f"https://example.org/{item_id}", **fields},
        )
        verdict = verdict_of(item_id, copy_of)
        return self.feed(step("joined" if revision == 1 else "revised", story, item, verdict, seen), seen)

    def change(self, change: str, story: str, **fields: Any) -> list[Flag]:
        return self.feed(
            StoryChange(
                change=change, story_id=story, at=self.now, reason="r", cause="c", rule="r/1", **fields
            )
        )

    def verdict(self, item_id: str, copy_of: str | None) -> list[Flag]:
        """The verdict on an item changes."""
        new, old = verdict_of(item_id, copy_of), verdict_of(item_id, None)
        return self.feed(VerdictChanged(at=self.now, item_id=item_id, verdict=new, previous=old, cause="c"))

    def rule(self, flag_id: str, verdict: str) -> list[Flag]:
        """An operator says something of a flag."""
        return self.feed(
            Ruling(ruling_id="u", observed=self.now, subject=flag_id, verdict=verdict, by="desk", note="seen")
        )

    def turn(self, time: str, keep_since: str) -> list[Flag]:
        """End an epoch."""
        boundary = Boundary(moment(time), moment(keep_since))
        flags = self.take(self.core.turn(boundary, self.state))
        self.core.evict(boundary, self.state)
        self.now = max(self.now, boundary.time)
        return flags

    @property
    def standing(self) -> dict[str, list[tuple[str, ...]]]:
        """The subjects of the flags that stand, by the flags' names."""
        found: dict[str, list[tuple[str, ...]]] = {}
        for flag in self.state.flags.values():
            if flag.state in ("open", "confirmed"):
                found.setdefault(flag.flag, []).append(tuple(subject.item_id for subject in flag.subjects))
        return found

    def flag(self, name: str) -> Flag:
        """The only flag of that name, in whatever state."""
        (flag,) = (flag for flag in self.state.flags.values() if flag.flag == name)
        return flag


def relations(reply_to: str | None, forward: tuple[str | None, str] | None) -> Iterator[Relation]:
    if reply_to is not None:
        yield Relation(kind="reply_to", item_id=reply_to)
    if forward is not None:
        yield Relation(kind="forward_of", item_id=forward[0], source="origin", date=printed(forward[1]))


def verdict_of(item_id: str, copy_of: str | None) -> Verdict:
    role = "original" if copy_of is None else "copy"
    group = copy_of or item_id
    kind = None if copy_of is None else "near"
    return Verdict(number=1, role=role, kind=kind, group=group, original=copy_of, rule="near/1")


def step(change: str, story: str | None, item: Item, verdict: Verdict, at: datetime) -> StoryChange:
    return StoryChange(
        change="passed" if story is None else change,
        story_id=story,
        at=at,
        carried=Deduplicated(at=at, item=item, verdict=verdict),
        reason="r",
        cause="c",
        rule="r/1",
    )


def played(rows: Iterable[dict[str, Any]], dump: Callable[[dict[str, Any]], bytes]) -> Iterator[StoryChange]:
    """The story changes of a recording whose lines name their story as `label`; equal texts are copies."""
    first: dict[str, str] = {}
    before: dict[str, Item] = {}
    for row in rows:
        draft = normalise(dump(row), "line")
        known = before.get(draft.item_id)
        if known is not None and known.content_hash == draft.hashed():
            continue
        seen = moment(row["observed_at"])
        item = Item(
            **dict(draft),
            revision=1 if known is None else known.revision + 1,
            content_hash=draft.hashed(),
            via="v",
            connector="recording/1",
            raw_id="raw",
            observed=seen,
            absent=moment(row["absent_at"]) if row.get("absent_at") else None,
        )
        before[item.item_id] = item
        original = first.setdefault(" ".join(item.text.split()), item.item_id)
        copied = original != item.item_id or any(link.kind == "forward_of" for link in item.relations)
        verdict = verdict_of(item.item_id, original if copied else None)
        change = "joined" if known is None else "revised"
        yield step(change, row["label"] or item.item_id, item, verdict, seen)


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture(scope="session")
def make_desk() -> type[Desk]:
    return Desk


@pytest.fixture(scope="session")
def play() -> Callable[..., Iterator[StoryChange]]:
    return played
