"""A restart at any record equals no restart: for every stage, boundaries included.

The stream is small and nasty: gaps of hours so that epochs end, a window of few records, edits, replies,
forwards, copies, looks. After each record a second engine is built from what the topics hold, as bytes, and
must go on exactly as the first one did.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.chronology.decide import Chronology
from pipeline.cluster.decide import Cluster
from pipeline.core import Arrival, Boundary, Core, Output
from pipeline.deduplicate.decide import Deduplicate
from pipeline.engine import Engine, Written
from schemas.base import Record
from schemas.cloudevents import Event
from schemas.item import Item, Look, Relation, SourceLook
from schemas.stamp import Stamp
from schemas.topics import LEARNED, Topic

START = datetime(2026, 7, 4, 3, tzinfo=UTC)
WORDS = ("quake", "ferry", "Moscow", "Putin", "Trump", "call", "hour", "dead", "12", "21", "storm", "bridge")
SOURCES = ("one", "two", "three", "four")
CORES: dict[str, Callable[[], Core[Any]]] = {
    "deduplicate": Deduplicate,
    "cluster": Cluster,
    "chronology": Chronology,
}
WINDOW_RECORDS = 12


@dataclass
class Stage:
    """An engine with its topics, all in memory."""

    engine: Engine[Any]
    outputs: list[list[Written]] = field(default_factory=list)
    tables: dict[tuple[str, str], tuple[Topic, str, Record | None]] = field(default_factory=dict)
    folded: list[tuple[Record, datetime, int]] = field(default_factory=list)
    after_turn: list[list[Written]] = field(default_factory=list)

    def feed(self, event: Event[Record], place: int) -> list[Written]:
        turn = self._take(self.engine.turn(event)) if self.engine.crosses(event) else []
        written = self._take(self.engine.step(event))
        if self.engine.core.folds is self.engine.core.reads and event.data is not None:
            self.folded.append((event.data, event.time, place))
            self.engine.placed(self.engine.at, place)
        return [*turn, *written]

    def _take(self, written: list[Written]) -> list[Written]:
        core = self.engine.core
        for one in written:
            output = one.output
            if output.topic.compact:
                self.tables[output.topic.name, output.key] = (output.topic, output.key, output.value)
            elif output.topic is core.folds and core.folds is not core.reads and output.value is not None:
                self.engine.placed(one.at, len(self.folded))
                self.folded.append((output.value, one.at, len(self.folded)))
        return written


def reborn(stage: Stage, core: Core[Any]) -> Stage:
    """Build the stage anew from its topics, every value through its bytes."""
    engine: Engine[Any] = Engine(core, window_records=WINDOW_RECORDS)
    mine = f"{core.stage}/"
    for topic, key, value in stage.tables.values():
        if topic is not LEARNED or key.startswith(mine):
            engine.reload(topic, key, value and type(value).read(value.dump()))
    engine.resume()
    for value, at, place in stage.folded:
        if place >= engine.fold_from:
            read = type(value).read(value.dump())
            engine.recall(Event("again", "/again", "again", at, "again", read), place)
    return Stage(engine, tables=dict(stage.tables), folded=list(stage.folded))


def dumped(value: Record | None) -> bytes | None:
    return None if value is None else value.dump()


def shape(written: list[Written]) -> list[tuple[str, str, str, str, bytes | None]]:
    return [
        (
            one.output.topic.name,
            one.output.key,
            one.output.type,
            one.id,
            dumped(one.output.value),
        )
        for one in written
    ]


def events_of(written: list[Written], topic: Topic) -> Iterator[Event[Record]]:
    for one in written:
        if one.output.topic is topic:
            yield Event(one.id, "/t", one.output.type, one.at, one.output.key, one.output.value)


@st.composite
def streams(draw: Any) -> list[Event[Record]]:
    """A stream as ingest writes it."""
    events: list[Event[Record]] = []
    known: list[Item] = []
    now = START
    for number in range(draw(st.integers(3, 16))):
        now += timedelta(minutes=draw(st.sampled_from((0, 1, 7, 40, 200, 400, 2000))))
        if draw(st.integers(0, 9)) == 0:
            look = Look(unit="main", observed=now, sources={"one": SourceLook(result="ok", complete=now)})
            events.append(Event(f"look{number}", "/t", "dateline.look", now, "main", look))
            continue
        item = draw(items(number, now, known))
        known.append(item)
        name = f"{item.item_id}#{item.revision}"
        events.append(Event(name, "/t", "dateline.item", now, item.item_id, item))
    return events


@st.composite
def items(draw: Any, number: int, now: datetime, known: list[Item]) -> Item:
    before = draw(st.sampled_from(known)) if known and draw(st.booleans()) else None
    again = before is not None and draw(st.integers(0, 2)) == 0
    text = " ".join(draw(st.lists(st.sampled_from(WORDS), min_size=3, max_size=9)))
    if before is not None and draw(st.booleans()):
        text = before.text
    published = now - timedelta(minutes=draw(st.sampled_from((0, 1, 30, 400, -90))))
    relations = []
    if before is not None and not again and draw(st.booleans()):
        kind = draw(st.sampled_from(("reply_to", "forward_of")))
        relations = [Relation(kind=kind, item_id=before.item_id, source=before.source, date=before.published)]
    source = before.source if again and before else draw(st.sampled_from(SOURCES))
    native = before.native_id if again and before else str(number)
    revisions = [one.revision for one in known if one.item_id == f"{source}/{native}"]
    return Item(
        item_id=f"{source}/{native}",
        source=source,
        native_id=native,
        sequence=str(number),
        delivery=draw(st.sampled_from(("pushed", "polled"))),
        text=text,
        url=f"https://example.org/{draw(st.integers(0, 5))}",
        published=Stamp.parse(published.isoformat()),
        relations=tuple(relations),
        revision=max(revisions, default=0) + 1,
        content_hash=f"1:{number}",
        via="s",
        connector="recording/1",
        raw_id=f"r{number}",
        observed=now,
    )


def inputs_of(stage: str, stream: list[Event[Record]]) -> list[Event[Record]]:
    """What a stage reads when the ones before it have worked on the stream."""
    for name, make in CORES.items():
        if name == stage:
            return stream
        before = Stage(Engine(make(), window_records=WINDOW_RECORDS))
        written = [one for place, event in enumerate(stream) for one in before.feed(event, place)]
        stream = list(events_of(written, before.engine.core.folds))
    raise AssertionError(stage)


def check_every_cut(make: Callable[[], Core[Any]], stream: list[Event[Record]]) -> None:
    live = Stage(Engine(make(), window_records=WINDOW_RECORDS))
    others: list[Stage] = []
    for place, event in enumerate(stream):
        expected = shape(live.feed(event, place))
        for cut, other in enumerate(others):
            assert shape(other.feed(event, place)) == expected, f"restarted after {cut}, differs at {place}"
        others.append(reborn(live, make()))


@pytest.mark.parametrize("stage", CORES)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(stream=streams())
def test_restart_at_every_record_equals_no_restart(stage: str, stream: list[Event[Record]]) -> None:
    check_every_cut(CORES[stage], inputs_of(stage, stream))


class Leaky:
    """A core whose decide changes the state, as it must not: it forgets what it has compared."""

    def __init__(self, core: Core[Any]) -> None:
        self._core = core
        self.stage, self.reads, self.folds, self.tables = core.stage, core.reads, core.folds, core.tables
        self.empty, self.fold, self.load = core.empty, core.fold, core.load
        self.turn, self.evict = core.turn, core.evict

    def decide(self, arrival: Arrival, state: Any) -> list[Output]:
        outputs = list(self._core.decide(arrival, state))
        self._core.evict(Boundary(arrival.at, arrival.at + timedelta(days=1)), state)
        return outputs


@pytest.mark.parametrize("stage", CORES)
def test_the_test_sees_a_decide_that_changes_state(stage: str) -> None:
    """The negative test of the test: some stream tells such a core from an honest one."""
    found = []

    @settings(max_examples=150, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(stream=streams())
    def attempt(stream: list[Event[Record]]) -> None:
        try:
            check_every_cut(lambda: Leaky(CORES[stage]()), inputs_of(stage, stream))
        except AssertionError:
            found.append(1)

    attempt()
    assert found
