"""Stage time, epochs, and what a record that cannot be decided on leaves behind."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pipeline.core import Arrival, Output
from pipeline.deduplicate.decide import Deduplicate
from pipeline.engine import EPOCH, Engine, Undecidable, epoch_start
from schemas.base import Record
from schemas.cloudevents import Event
from schemas.item import Item
from schemas.records import Learned
from schemas.topics import LEARNED

NOON = datetime(2026, 7, 4, 12, tzinfo=UTC)


def item(
    number: int, at: datetime, text: str = "The ferry from Kotka is an hour late today"
) -> Event[Record]:
    value = Item(
        item_id=f"w/{number}",
        source="w",
        native_id=str(number),
        text=f"{text} {number}",
        revision=1,
        content_hash=f"1:{number}",
        via="s",
        connector="recording/1",
        raw_id="r",
        observed=at,
    )
    return Event(f"w/{number}#1", "/t", "dateline.item", at, value.item_id, value)


def feed(engine: Engine[Any], event: Event[Record], place: int) -> None:
    if engine.crosses(event):
        engine.turn(event)
    engine.step(event)
    engine.placed(engine.at, place)


def test_one_wrong_clock_does_not_move_stage_time() -> None:
    engine = Engine(Deduplicate())
    for number in range(9):
        feed(engine, item(number, NOON + timedelta(minutes=number)), number)
    before = engine.at
    feed(engine, item(9, NOON + timedelta(days=400)), 9)
    assert engine.at - before <= timedelta(minutes=1)


def test_stage_time_never_runs_backwards() -> None:
    engine = Engine(Deduplicate())
    times = []
    for number, minutes in enumerate((0, 50, 10, 60, 5, 5, 5, 5, 5, 5, 5, 5)):
        feed(engine, item(number, NOON + timedelta(minutes=minutes)), number)
        times.append(engine.at)
    assert times == sorted(times)


def test_a_turn_says_where_folding_begins() -> None:
    engine = Engine(Deduplicate())
    for number in range(20):
        feed(engine, item(number, NOON + timedelta(hours=number)), number)
    crossing = item(20, NOON + timedelta(hours=100))
    for number in range(21, 30):
        crossing = item(number, NOON + timedelta(hours=100))
        if engine.crosses(crossing) and engine.time_of(crossing) > NOON + timedelta(hours=99):
            break
        feed(engine, crossing, number)
    written = engine.turn(crossing)
    window = written[-1].output
    assert (window.topic, window.key) == (LEARNED, "deduplicate/window")
    assert isinstance(window.value, Learned)
    assert window.value.boundary == epoch_start(NOON + timedelta(hours=100))
    assert window.value.fold_from is not None
    assert 0 < window.value.fold_from < 30
    assert window.value.keep_since == window.value.boundary - timedelta(hours=72)


def test_boundaries_are_whole_epochs() -> None:
    assert epoch_start(NOON + timedelta(minutes=1)) == NOON
    assert epoch_start(NOON - timedelta(seconds=1)) == NOON - EPOCH


class Brittle(Deduplicate):
    """Cannot decide on posts that say so."""

    def decide(self, arrival: Arrival, state: Any) -> list[Output]:
        if isinstance(arrival.value, Item) and "poison" in arrival.value.text:
            raise ZeroDivisionError("a bug")
        return list(super().decide(arrival, state))


def test_a_record_that_cannot_be_decided_on_leaves_the_engine_as_it_was() -> None:
    engine, clean = Engine(Brittle()), Engine(Brittle())
    for number in range(5):
        feed(engine, item(number, NOON), number)
        feed(clean, item(number, NOON), number)
    with pytest.raises(Undecidable, match="ZeroDivisionError: a bug"):
        engine.step(item(5, NOON + timedelta(hours=1), "poison"))
    assert engine.at == clean.at
    following = item(6, NOON + timedelta(minutes=1))
    assert engine.step(following) == clean.step(following)
