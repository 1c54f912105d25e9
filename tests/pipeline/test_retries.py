"""Dead letters that come back to a stage: decided once, late if it has gone on, the same after a restart."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pipeline.chronology.decide import Chronology
from pipeline.cluster.decide import Cluster
from pipeline.core import Core
from pipeline.deduplicate.decide import Deduplicate
from pipeline.engine import Engine, Written
from pipeline.retries import RETRY_OF, Retries, attempts_of, item_of
from schemas.base import Record
from schemas.cloudevents import Event
from schemas.item import Deduplicated, Item, Verdict, VerdictChanged
from schemas.story import StoryChange
from schemas.topics import DEDUPLICATED, ITEMS, LEARNED, STORY_CHANGES, Topic

NOON = datetime(2026, 7, 4, 12, tzinfo=UTC)
CORES: dict[str, Callable[[], Core[Any]]] = {
    "deduplicate": Deduplicate,
    "cluster": Cluster,
    "chronology": Chronology,
}
TEXT = "The ferry from Kotka to Tallinn is an hour late today because of the storm"


def item(number: int, revision: int = 1, *, at: datetime = NOON, late: bool = False) -> Item:
    return Item(
        item_id=f"w/{number}",
        source="w",
        native_id=str(number),
        text=f"{TEXT}, report {number} version {revision}",
        revision=revision,
        late=late,
        content_hash=f"1:{number}.{revision}",
        via="s",
        connector="recording/1",
        raw_id="r",
        observed=at,
    )


def verdict(number: int) -> Verdict:
    return Verdict(number=number, role="original", group="w/1", rule="none/1")


def carried(value: Item, number: int = 1) -> Deduplicated:
    return Deduplicated(at=NOON, item=value, verdict=verdict(number))


def changed(number: int) -> VerdictChanged:
    return VerdictChanged(
        at=NOON, item_id="w/1", verdict=verdict(number), previous=verdict(number - 1), cause="c"
    )


def told(value: Deduplicated) -> StoryChange:
    return StoryChange(
        change="joined", story_id="s", at=NOON, carried=value, reason="", cause="c", rule="centroid/1"
    )


def event(value: Record, key: str, at: datetime, origin: str | None = None) -> Event[Record]:
    extensions = {RETRY_OF: origin} if origin else {}
    return Event(key, "/t", "dateline.item", at, key, value, extensions)


@pytest.mark.parametrize(
    ("attributes", "mine"),
    [
        ({}, False),
        ({RETRY_OF: "any.deduplicated.v1/0/7@d1"}, True),
        ({RETRY_OF: "any.items.v1/0/7@d1"}, False),
        ({RETRY_OF: "s/feed.xml:7@d1"}, False),
        ({RETRY_OF: ""}, False),
    ],
)
def test_a_letter_of_another_stage_is_no_retry_of_ours(attributes: dict[str, str], *, mine: bool) -> None:
    assert (Retries(DEDUPLICATED).origin(attributes) is not None) == mine


@pytest.mark.parametrize(
    ("text", "count"), [(None, 1), ("3", 3), ("0", 1), ("-1", 1), ("x", 1), ("9" * 30, 1)]
)
def test_tries_are_counted_and_nonsense_is_one(text: str | None, count: int) -> None:
    assert attempts_of({} if text is None else {"attempt": text}) == count


@pytest.mark.parametrize("wrap", [lambda one: one, carried, lambda one: told(carried(one))])
def test_an_older_revision_passes_as_late_wherever_it_is_carried(wrap: Callable[[Item], Record]) -> None:
    retries = Retries(ITEMS)
    retries.note(wrap(item(1, 3)), NOON)
    retries.note(wrap(item(1, 4, late=True)), NOON)
    for revision, late in ((1, True), (2, True), (3, False), (4, False)):
        aged = item_of(retries.aged(wrap(item(1, revision))))
        assert aged is not None
        assert aged.late == late, revision
    other = wrap(item(2))
    assert retries.aged(other) is other


def test_a_verdict_that_was_changed_again_is_not_taken_back() -> None:
    retries = Retries(DEDUPLICATED)
    assert not retries.settled("o", changed(2))
    retries.note(changed(3), NOON)
    assert retries.settled("o", changed(2))
    assert not retries.settled("o", changed(4))
    retries.note(told(carried(item(1, 2), 5)), NOON)
    assert retries.settled("o", changed(4))


def test_what_left_the_window_is_forgotten() -> None:
    retries = Retries(ITEMS)
    retries.note(item(1, 2), NOON)
    retries.decided("o", NOON)
    retries.evict(NOON)
    assert retries.settled("o", None)
    retries.evict(NOON + timedelta(seconds=1))
    assert not retries.settled("o", None)
    assert retries.aged(item(1)) == item(1)


class Log:
    """A stage in memory: its engine, its tables, and the topic that it folds."""

    def __init__(self, make: Callable[[], Core[Any]]) -> None:
        self.make = make
        self.engine = Engine(make())
        self.tables: dict[tuple[str, str], tuple[Topic, str, Record | None]] = {}
        self.folded: list[tuple[Event[Record], int]] = []

    def feed(self, event: Event[Record], place: int) -> list[Written] | None:
        """Give what follows; none if it was decided before."""
        if self.engine.repeats(event):
            return None
        if self.engine.crosses(event):
            self._take(self.engine.turn(event), event)
        written = self._take(self.engine.step(event), event)
        if self.engine.core.folds is self.engine.core.reads:
            self.folded.append((event, place))
            self.engine.placed(self.engine.at, place)
        return written

    def reborn(self) -> Engine[Any]:
        engine = Engine(self.make())
        for topic, key, value in self.tables.values():
            if topic is not LEARNED or key.startswith(engine.core.stage):
                engine.reload(topic, key, value)
        engine.resume()
        for event, place in self.folded:
            if place >= engine.fold_from:
                engine.recall(event, place)
        return engine

    def _take(self, written: list[Written], cause: Event[Record]) -> list[Written]:
        core = self.engine.core
        for one in written:
            topic, key, kind, value, _ = one.output
            if topic.compact:
                self.tables[topic.name, key] = (topic, key, value)
            elif topic is core.folds and core.folds is not core.reads:
                place = len(self.folded)
                self.engine.placed(one.at, place)
                passed: Event[Record] = Event(one.id, "/t", kind, one.at, key, value, cause.extensions)
                self.folded.append((passed, place))
        return written


def inputs(stage: str) -> list[Event[Record]]:
    """Three days of items with edits, as the stages before this one pass them on."""
    events = []
    for number in range(48):
        at = NOON + timedelta(hours=3 * number)
        value = item(number % 7, number // 7 + 1, at=at)
        events.append(event(value, f"i{number}", at))
    for name, make in CORES.items():
        if name == stage:
            return events
        log = Log(make)
        for place, one in enumerate(events):
            log.feed(one, place)
        events = [passed for passed, _ in log.folded]
    raise AssertionError(stage)


@pytest.mark.parametrize("stage", CORES)
def test_a_restart_behind_a_retry_equals_no_restart(stage: str) -> None:
    log, stream = Log(CORES[stage]), inputs(stage)
    kept, missing = stream[:2] + stream[3:], stream[2]
    origin = f"t.{log.engine.core.reads.name}/0/2@d1"
    again = missing._replace(extensions={RETRY_OF: origin})
    script = [*kept[:12], again, *kept[12:20], again, *kept[20:]]
    repeated = []
    for place, one in enumerate(script):
        reborn = log.reborn()
        assert memory(reborn) == memory(log.engine), place
        assert reborn.repeats(one) == log.engine.repeats(one), place
        if log.engine.repeats(one):
            repeated.append(place)
            continue
        if reborn.crosses(one):
            reborn.turn(one)
        assert reborn.step(one) == log.feed(one, place), place
    assert repeated == [21]
    assert not log.engine.retries.settled(origin, None), "it left the window"


def memory(engine: Engine[Any]) -> tuple[object, object]:
    return engine.retries._decided, engine.retries._revisions


def test_the_older_revision_of_an_item_that_went_on_is_carried_as_late() -> None:
    log = Log(Deduplicate)
    for place, revision in enumerate((2, 3)):
        log.feed(event(item(1, revision), f"i{revision}", NOON), place)
    retry = event(item(1), "i1", NOON, "t.items.v1/0/0@d1")
    (written,) = log.feed(retry, 2) or []
    assert isinstance(told := written.output.value, Deduplicated)
    assert (told.item.revision, told.item.late) == (1, True)
    assert log.feed(retry, 3) is None, "sent twice, decided once"


def test_it_is_decided_where_the_first_try_was_none_and_another_record_is_not_held_for_it() -> None:
    log = Log(Cluster)
    mine, foreign = "t.deduplicated.v1/0/4@d1", "t.items.v1/0/4@d1"
    assert log.feed(event(carried(item(1)), "a", NOON, mine), 0)
    assert log.feed(event(carried(item(1)), "a", NOON, mine), 1) is None
    assert log.feed(event(carried(item(2)), "b", NOON, foreign), 2)
    assert log.feed(event(changed(2), "c", NOON, foreign), 3), "two records of one retry of the stage before"


def test_the_topics_that_stages_read_cannot_be_taken_for_each_other() -> None:
    names = [topic.name for topic in (ITEMS, DEDUPLICATED, STORY_CHANGES)]
    assert not any(one != other and one.endswith(other) for one in names for other in names)
