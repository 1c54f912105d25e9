"""The laws of a core: decide changes nothing, and a restart at any record equals no restart."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.cluster import index
from pipeline.cluster.decide import Cluster, State
from pipeline.core import Arrival, Boundary, Output
from schemas.base import Record
from schemas.item import Look, Relation, Verdict, VerdictChanged
from schemas.topics import STORIES, STORY_CHANGES

START = datetime(2026, 7, 4, 3, tzinfo=UTC)
EPOCH = timedelta(hours=6)
WINDOW = timedelta(hours=18)
WORDS = (
    "quake",
    "ferry",
    "Moscow",
    "Putin",
    "Trump",
    "call",
    "hour",
    "dead",
    "bridge",
    "storm",
    "Москва",
    "пожар",
)
Step = tuple[float, str, dict[str, Any]]


@st.composite
def steps(draw: st.DrawFn) -> list[Step]:
    """Draw what happens: minutes passed, kind of record, its fields."""
    found: list[Step] = []
    for number in range(draw(st.integers(2, 14))):
        minutes = draw(st.sampled_from((0, 0, 3, 50, 170, 400, 1500, 12_000)))
        kind = draw(st.sampled_from(("item", "item", "item", "again", "copy", "verdict", "look")))
        before = draw(st.integers(0, number)) % max(number, 1)
        fields = {
            "text": " ".join(draw(st.lists(st.sampled_from(WORDS), min_size=0, max_size=7))),
            "source": draw(st.sampled_from(("one", "two", "three"))),
            "status": draw(st.sampled_from(("usable",) * 4 + ("withdrawn",))),
            "late": draw(st.integers(0, 5)) == 0,
            "answers": draw(st.booleans()),
            "role": draw(st.sampled_from(("original", "copy"))),
            "published": draw(
                st.sampled_from((None, "2026-07-04T03:00:00Z", "2025-07-04T03:00:00Z", "soon"))
            ),
            "before": before,
        }
        found.append((minutes, kind, fields))
    return found


def records(found: list[Step], tell: Callable[..., Any]) -> list[tuple[datetime, Record]]:
    """Make the stream that they describe."""
    at, names = START, ["one/0"]
    stream: list[tuple[datetime, Record]] = []
    revisions: dict[str, int] = {}
    for number, (minutes, kind, fields) in enumerate(found):
        at += timedelta(minutes=minutes)
        other = names[fields["before"] % len(names)]
        if kind == "look":
            stream.append((at, Look(unit="main", observed=at, sources={})))
            continue
        if kind == "verdict":
            now = Verdict(number=2, role=fields["role"], group=other, rule="exact/1")
            changed = VerdictChanged(at=at, item_id=other, verdict=now, previous=now, cause="c")
            stream.append((at, changed))
            continue
        source, name = other.split("/") if kind == "again" else (fields["source"], str(number))
        item_id = f"{source}/{name}"
        names.append(item_id)
        revisions[item_id] = revisions.get(item_id, 0) + 1
        verdict = {"role": "copy", "kind": "near", "original": other, "group": other, "score": 0.8}
        relations = (Relation(kind="reply_to", item_id=other),) if fields["answers"] else ()
        told = tell(
            fields["text"],
            name,
            source=source,
            at=at,
            revision=revisions[item_id],
            published=fields["published"],
            status=fields["status"],
            late=fields["late"],
            relations=relations,
            verdict=verdict if kind == "copy" else {},
        )
        stream.append((at, told))
    return stream


def through_json(value: Record | None) -> Record | None:
    return value and type(value).read(value.dump())


@dataclass
class Life:
    """A clusterer with its topics: the table as it stands, the log since the beginning."""

    core: Cluster = field(default_factory=Cluster)
    state: State = field(default_factory=State)
    boundary: Boundary | None = None
    table: dict[str, Record | None] = field(default_factory=dict)
    log: list[tuple[datetime, Record]] = field(default_factory=list)

    def feed(self, number: int, at: datetime, value: Record) -> list[Output]:
        written: list[Output] = []
        start = START + (at - START) // EPOCH * EPOCH
        if self.boundary is None or start > self.boundary.time:
            boundary = Boundary(start, start - WINDOW)
            written += self._take(at, [] if self.boundary is None else self.core.turn(boundary, self.state))
            self.core.evict(boundary, self.state)
            self.boundary = boundary
        return written + self._take(at, self.core.decide(Arrival(f"e{number}", value, at), self.state))

    def _take(self, at: datetime, outputs: Any) -> list[Output]:
        for output in outputs:
            if output.topic is STORY_CHANGES:
                self.core.fold(output.value, at, self.state)
                self.log.append((at, output.value))
            else:
                self.core.load(STORIES, output.key, output.value, self.state)
                self.table[output.key] = output.value
        return list(outputs)

    def reborn(self) -> "Life":
        """Start anew from the topics, every value through its bytes, the table in another order."""
        life = Life(boundary=self.boundary, table=dict(self.table), log=list(self.log))
        for key in sorted(self.table, reverse=True):
            life.core.load(STORIES, key, through_json(self.table[key]), life.state)
        if self.boundary is not None:
            life.core.evict(self.boundary, life.state)
            for at, value in self.log:
                if at >= self.boundary.keep_since:
                    life.core.fold(through_json(value) or value, at, life.state)
        return life


def state_of(core: State, shape: Callable[[index.Index], Any]) -> Any:
    """Give the state with every order that could matter."""
    shelf = core.shelf
    return (
        shape(core.index),
        sorted((story_id, story.dump()) for story_id, story in shelf.open.items()),
        shelf.by_change,
        shelf.by_close,
        sorted(shelf.ended.items()),
    )


def bytes_of(outputs: list[Output]) -> list[tuple[str, str, str, bytes | None]]:
    return [(o.topic.name, o.key, o.type, None if o.value is None else o.value.dump()) for o in outputs]


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(found=steps())
def test_a_restart_at_any_record_equals_no_restart(tell: Any, shape: Any, found: list[Step]) -> None:
    live = Life()
    others: list[Life] = []
    # Small rings overflow within a short stream.
    with patch.multiple(index, STORIES_LISTED=2, MEMBERS_COMPARED=2):
        for number, (at, value) in enumerate(records(found, tell)):
            expected = bytes_of(live.feed(number, at, value))
            for other in others:
                assert bytes_of(other.feed(number, at, value)) == expected
            others.append(live.reborn())
            for other in others:
                assert state_of(other.state, shape) == state_of(live.state, shape)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(found=steps())
def test_decide_and_turn_change_nothing(tell: Any, shape: Any, found: list[Step]) -> None:
    life = Life()
    for number, (at, value) in enumerate(records(found, tell)):
        before = deepcopy(life.state)
        life.core.decide(Arrival("e", value, at), life.state)
        life.core.turn(Boundary(at, at), life.state)
        assert state_of(life.state, shape) == state_of(before, shape)
        first = bytes_of(list(life.core.decide(Arrival("e", value, at), life.state)))
        assert (
            bytes_of(list(Cluster().decide(Arrival("e", through_json(value) or value, at), before))) == first
        )
        life.feed(number, at, value)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(found=steps())
def test_a_story_says_what_its_changes_say(tell: Any, found: list[Step]) -> None:
    life = Life()
    for number, (at, value) in enumerate(records(found, tell)):
        outputs = life.feed(number, at, value)
        upserts = {output.key: output.value for output in outputs if output.topic is STORIES}
        for output in outputs:
            change: Any = output.value
            if output.topic is STORY_CHANGES and getattr(change, "number", None) is not None:
                story: Any = upserts[change.story_id]
                assert (story.number, story.tally) == (change.number, change.tally)
                assert (
                    story.tally.owners <= story.tally.originals <= story.tally.items <= story.tally.revisions
                )
                assert story.tally.items == len(story.members)
                assert story.tally.originals == sum(member.role == "original" for member in story.members)
