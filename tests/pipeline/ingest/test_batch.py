"""What one transaction of ingest holds, and in which order."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.recording import Recording, RecordingConfig
from connectors.seam import Looked, Missed, Observation, Sight, Waits
from pipeline.ingest.batch import Batch
from pipeline.ingest.books import Books
from pipeline.ingest.compose import RAW_LIMIT_BYTES, Packed
from pipeline.ingest.follow import Failed, Sighted, Source
from schemas.item import ITEM_LIMIT_BYTES, TEXT_LIMIT_BYTES, Draft, Item, Look
from schemas.records import Checkpoint, DeadLetter, Gap, Seen
from schemas.stamp import Stamp
from schemas.topics import DEADLETTERS

NOW = datetime(2026, 7, 4, 12, tzinfo=UTC)


def source() -> Source:
    config = RecordingConfig(name="day", path=Path("day.jsonl"))
    return Source(config, Recording(config))


def line(number: int, text: str = "a", **fields: object) -> Observation:
    data = json.dumps({"id": str(number), "source": "w", "text": text, **fields}).encode()
    return Observation(data, "application/json", f"day.jsonl:{number}", {"line": number}, observed=NOW)


def written(*sights: Sight | Failed, books: Books | None = None) -> list[Packed]:
    books = books or Books({}, {})
    batch = Batch(books, lambda: NOW, "t.")
    for sight in sights:
        batch.add(Sighted(source(), sight))
    records = batch.records()
    batch.settle()
    return records


def kinds(records: list[Packed]) -> list[str]:
    return [one.output.type.removeprefix("dateline.") for one in records]


def test_a_post_becomes_raw_item_seen_and_the_checkpoint_behind_it() -> None:
    records = written(line(1))
    assert kinds(records) == ["raw", "item", "seen", "checkpoint"]
    checkpoint = records[-1].output.value
    assert isinstance(checkpoint, Checkpoint)
    assert checkpoint.cursor == {"line": 1}


def test_compacted_topics_get_one_upsert_a_key() -> None:
    records = written(line(1, "a"), line(1, "b", version=2), line(2))
    assert kinds(records) == ["raw", "item", "raw", "item", "raw", "item", "seen", "seen", "checkpoint"]
    seen = [one.output.value for one in records if isinstance(one.output.value, Seen)]
    assert [(one.item_id, one.revision) for one in seen] == [("w/1", 2), ("w/2", 1)]


def test_the_ids_are_functions_of_the_content() -> None:
    first, again = written(line(1)), written(line(1))
    assert [one.event.id for one in first] == [one.event.id for one in again]
    assert len({one.event.id for one in first}) == len(first)


def test_what_is_known_and_unchanged_moves_only_the_checkpoint() -> None:
    books = Books({}, {})
    written(line(1), books=books)
    assert kinds(written(line(1), books=books)) == ["checkpoint"]


def test_a_bad_line_is_a_dead_letter_with_its_bytes_and_the_checkpoint_goes_on() -> None:
    bad = Observation(b'{"id": \xff', "application/json", "day.jsonl:3", {"line": 3}, observed=NOW)
    records = written(bad)
    assert kinds(records) == ["deadletter", "checkpoint"]
    letter = records[0].output.value
    assert isinstance(letter, DeadLetter)
    assert letter.encoding == "base64"
    assert letter.place == "day.jsonl:3"
    assert letter.cause.startswith("Unreadable: day.jsonl:3: no JSON")


def test_a_bug_of_a_connector_is_a_dead_letter_too() -> None:
    one = source()
    one.connector.normalise = lambda _: 1 / 0  # type: ignore[method-assign, assignment, return-value]
    batch = Batch(Books({}, {}), lambda: NOW, "t.")
    batch.add(Sighted(one, line(1)))
    letter = batch.records()[0].output.value
    assert isinstance(letter, DeadLetter)
    assert "ZeroDivisionError" in letter.cause
    assert letter.trace is not None


def test_a_long_text_is_cut_and_marked_and_the_hash_is_of_all_of_it() -> None:
    long = "ж" * TEXT_LIMIT_BYTES
    items = [one.output.value for one in written(line(1, long), line(2, long + "!"))]
    first, second = (one for one in items if isinstance(one, Item))
    assert first.truncated
    assert first.text_length == len(long)
    assert len(first.text.encode()) <= TEXT_LIMIT_BYTES
    assert first.text == second.text
    assert first.content_hash != second.content_hash


def test_raw_beyond_the_limit_is_a_dead_letter_and_the_item_stands() -> None:
    records = written(line(1, "x" * (RAW_LIMIT_BYTES + 1)))
    assert kinds(records) == ["deadletter", "item", "seen", "checkpoint"]


def test_a_hole_is_a_gap() -> None:
    missed = Missed(NOW - timedelta(hours=2), NOW, "the wire forgot")
    value = written(missed)[0].output.value
    assert isinstance(value, Gap)
    assert (value.source, value.reason, value.repaired) == ("day", "the wire forgot", False)


def test_a_hole_that_was_filled_after_all_is_the_same_gap_repaired() -> None:
    missed = Missed(NOW - timedelta(hours=2), NOW, "the wire forgot")
    told, filled = written(missed)[0], written(replace(missed, repaired=True))[0]
    assert isinstance(told.output.value, Gap)
    assert isinstance(filled.output.value, Gap)
    assert filled.output.value == told.output.value.model_copy(update={"repaired": True})
    assert filled.output.key == told.output.key
    assert filled.event.id != told.event.id


def test_behind_a_hole_a_source_may_stand_elsewhere_so_that_it_is_told_once() -> None:
    records = written(Missed(None, NOW, "the wire forgot", {"line": 7}))
    assert kinds(records) == ["gap", "checkpoint"]
    value = records[1].output.value
    assert isinstance(value, Checkpoint)
    assert value.cursor == {"line": 7}


def test_a_recorded_look_comes_behind_what_it_found_and_a_failure_adds_none() -> None:
    records = written(line(1), Looked({"line": 2}, NOW, {"w": "ok"}), Failed("gone"))
    assert kinds(records) == ["raw", "item", "look", "seen", "checkpoint"]
    look = records[2].output.value
    assert isinstance(look, Look)
    assert look.sources["w"].complete == NOW


def test_a_source_that_must_wait_says_why_until_its_next_look() -> None:
    books = Books({}, {})
    written(Waits("asked to wait 3600 s"), books=books)
    assert (books.looks["day"].result, books.looks["day"].reason) == ("failed", "asked to wait 3600 s")
    written(Looked({"line": 2}, NOW), books=books)
    assert books.looks["day"].result == "ok"


def test_the_end_is_written_down() -> None:
    value = written(Looked({"line": 9}, done=True))[0].output.value
    assert isinstance(value, Checkpoint)
    assert value.done


@pytest.mark.parametrize(
    ("draft", "message"),
    [
        ({"item_id": "w/a\nb"}, "an item_id with control characters"),
        ({"published": Stamp(raw="9" * 1001)}, "published: a time of 1001 characters"),
        ({"headline": "x" * ITEM_LIMIT_BYTES}, "an item of"),
        ({"text": "half a pair: \ud83d"}, "surrogates not allowed"),
        ({"headline": "half a pair: \ud83d"}, "surrogates not allowed"),
    ],
)
def test_what_no_topic_can_carry_is_a_dead_letter_and_ingest_goes_on(
    draft: dict[str, Any], message: str
) -> None:
    one = source()
    hostile = Draft.model_construct(**{**dict(Draft(item_id="w/1", source="w", native_id="1")), **draft})
    one.connector.normalise = lambda _: hostile  # type: ignore[method-assign, assignment]
    batch = Batch(Books({}, {}), lambda: NOW, "t.")
    batch.add(Sighted(one, line(1)))
    records = batch.records()
    assert kinds(records) == ["deadletter", "checkpoint"]
    letter = records[0].output.value
    assert isinstance(letter, DeadLetter)
    assert message in letter.cause


@pytest.mark.parametrize("data", [b"\x00" * 3_000_000, b'"' * 2_000_000, b"\xff" * 9_000_000])
def test_a_dead_letter_fits_its_topic_whatever_its_bytes(data: bytes) -> None:
    sight = Observation(data, "text/plain", "day.jsonl:1", {"line": 1}, observed=NOW)
    letter = written(sight)[0]
    assert letter.output.type == "dateline.deadletter"
    assert len(letter.data or b"") < DEADLETTERS.max_bytes
