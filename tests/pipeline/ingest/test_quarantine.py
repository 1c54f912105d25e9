"""When a source is stopped because too much of it is unreadable, and what holds until it is released."""

from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

import pytest

from connectors.recording import Recording, RecordingConfig
from connectors.seam import Looked, Missed, Observation, Sight, Unreadable
from pipeline.ingest.batch import Batch
from pipeline.ingest.books import Books
from pipeline.ingest.compose import Packed
from pipeline.ingest.follow import PAUSED, RELEASED, Failed, Paused, Released, Sighted, Source
from pipeline.ingest.quarantine import LAST, LEAST, Outcomes
from schemas.item import Draft
from schemas.records import Checkpoint

NOW = datetime(2026, 7, 4, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("outcomes", "at"),
    [
        ("." * 500, None),
        ("x" * (LEAST - 1), None),
        ("x" * LEAST, LEAST),
        ("." * LEAST + "x" * LEAST, None),
        ("." * LEAST + "x" * (LEAST + 1), 2 * LEAST + 1),
        (".x" * 500, None),
        (".xx" * 500, LEAST),
        ("." * 10_000 + "x" * 50, None),
        ("." * 10_000 + "x" * 51, 10_051),
        ("x" * 10 + "." * 500, None),
    ],
)
def test_more_than_half_of_the_last_hundred_and_of_twenty_at_least(outcomes: str, at: int | None) -> None:
    counted = Outcomes()
    decided = [
        number for number, outcome in enumerate(outcomes, 1) if counted.add("wire", readable=outcome == ".")
    ]
    assert (decided[0] if decided else None) == at


def test_sources_are_counted_apart_and_anew_after_a_release() -> None:
    counted = Outcomes()
    for _ in range(LEAST - 1):
        assert counted.add("one", readable=False) is None
        assert counted.add("other", readable=True) is None
    assert counted.add("other", readable=False) is None
    counted.forget("one")
    assert counted.add("one", readable=False) is None


class Wire(Recording):
    """A live source that may be broken."""

    recorded: ClassVar[bool] = False

    def normalise(self, observation: Observation) -> Draft:
        if observation.data == b"x":
            raise Unreadable(f"{observation.place}: no post")
        return Draft(item_id=observation.place, source="wire", native_id=observation.place, text="a")


class Recorded(Wire):
    recorded: ClassVar[bool] = True


def source(kind: type[Wire] = Wire) -> Source:
    config = RecordingConfig(name="wire", path=Path("wire.jsonl"))
    return Source(config, kind(config))


def sight(number: int, data: bytes = b"x") -> Observation:
    return Observation(data, "text/plain", f"wire/{number}", {"line": number})


def written(books: Books, one: Source, *sights: Sight | Failed | Paused | Released) -> list[Packed]:
    batch = Batch(books, lambda: NOW, "t.")
    for each in sights:
        batch.add(Sighted(one, each))
    records = batch.records()
    batch.settle()
    return records


def checkpoint(records: list[Packed]) -> Checkpoint:
    value = records[-1].output.value
    assert isinstance(value, Checkpoint)
    return value


def quarantined(books: Books, one: Source) -> list[Packed]:
    return written(books, one, *(sight(number) for number in range(1, LAST)))


def test_the_cursor_stays_behind_the_last_post_that_was_entered_and_the_look_says_why() -> None:
    books, one = Books({}, {}), source()
    records = quarantined(books, one)
    stands = checkpoint(records)
    assert stands.cursor == {"line": LEAST}
    assert stands.quarantined == f"quarantined: {LEAST} of its last {LEAST} posts could not be normalised"
    assert [one.output.type for one in records].count("dateline.deadletter") == LEAST
    look = books.looks_of([one])["wire"]
    assert (look.result, look.reason) == ("failed", stands.quarantined)


def test_nothing_of_it_is_entered_until_it_is_released_and_then_from_there() -> None:
    books, one = Books({}, {}), source()
    quarantined(books, one)
    later = (sight(50, b"a"), Looked({"line": 51}), Missed(None, NOW, "x"), Failed("x"), PAUSED)
    assert written(books, one, *later) == []
    assert books.looks_of([one])["wire"].result == "failed"
    one.cursor = {"line": 51}
    released = checkpoint(written(books, one, RELEASED))
    assert (released.cursor, released.quarantined) == ({"line": LEAST}, None)
    assert one.cursor == {"line": LEAST}
    after = checkpoint(written(books, one, sight(LEAST + 1, b"a")))
    assert (after.cursor, after.quarantined) == ({"line": LEAST + 1}, None)
    assert written(books, one, RELEASED) == [], "released twice"


def test_one_that_has_proven_nothing_yet_is_remembered_too() -> None:
    books, one = Books({}, {}), source()
    bare = (Observation(b"x", "text/plain", f"wire/{number}") for number in range(LEAST))
    stands = checkpoint(written(books, one, *bare))
    assert (stands.cursor, bool(stands.quarantined)) == (None, True)


def test_a_recording_is_read_to_its_end() -> None:
    books, one = Books({}, {}), source(Recorded)
    assert checkpoint(quarantined(books, one)).cursor == {"line": LAST - 1}
    assert books.quarantined == {}
