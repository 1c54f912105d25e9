"""A post that could not be normalised goes through the normaliser again, as it was seen."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connectors.recording import Recording, RecordingConfig
from connectors.seam import Observation
from pipeline.ingest.again import Again, observation, source_of
from pipeline.ingest.batch import Batch
from pipeline.ingest.books import LETTERS_KEPT, Books
from pipeline.ingest.compose import Packed
from pipeline.ingest.follow import Sighted, Source
from schemas.item import Draft, Item
from schemas.records import DeadLetter

NOW = datetime(2026, 7, 4, 12, tzinfo=UTC)
SEEN = Observation(
    data=b'{"id": "1", "source": "w", "text": "a"}',
    content_type="application/json",
    place="day.jsonl:1",
    cursor={"line": 1},
    observed=NOW - timedelta(hours=3),
    observed_assumed=True,
    absent=NOW - timedelta(hours=4),
    backlog=True,
    late=True,
)


class Mending(Recording):
    """Cannot normalise anything, until it can."""

    mended = False

    def normalise(self, observation: Observation) -> Draft:
        if not self.mended:
            raise KeyError("no such field")
        return super().normalise(observation)


@pytest.fixture
def source() -> Source:
    config = RecordingConfig(name="day", path=Path("day.jsonl"))
    return Source(config, Mending(config))


def written(books: Books, source: Source, *sights: Observation | Again, now: datetime = NOW) -> list[Packed]:
    batch = Batch(books, lambda: now, "t.")
    for sight in sights:
        batch.add(Sighted(source, sight))
    records = batch.records()
    batch.settle()
    return records


def letters(records: list[Packed]) -> list[DeadLetter]:
    return [one.output.value for one in records if isinstance(one.output.value, DeadLetter)]


def again(letter: DeadLetter) -> Again:
    read = DeadLetter.read(letter.model_copy(update={"state": "requested"}).dump())
    return Again(read, observation(read))


def test_a_letter_keeps_how_the_post_was_seen(source: Source) -> None:
    (letter,) = letters(written(Books({}, {}), source, SEEN))
    back = observation(letter)
    assert back == Observation(**{**{name: getattr(SEEN, name) for name in SEEN.__slots__}, "cursor": None})
    assert (letter.source, source_of(letter), letter.attempts) == ("day", "day", 1)
    assert source_of(letter.model_copy(update={"source": None})) == "day", "a letter of an older version"


def test_a_live_post_was_observed_when_it_was_given_up_first(source: Source) -> None:
    books = Books({}, {})
    live = Observation(SEEN.data, SEEN.content_type, "https://wire.example/1")
    (letter,) = letters(written(books, source, live))
    later = NOW + timedelta(days=1)
    (second,) = letters(written(books, source, again(letter), now=later))
    assert (second.attempts, second.recorded) == (2, later)
    assert observation(second).observed == NOW


def test_what_fails_again_counts_the_tries_and_stays_open(source: Source) -> None:
    books = Books({}, {})
    (first,) = letters(written(books, source, SEEN))
    records = written(books, source, again(first))
    (second,) = letters(records)
    assert len(records) == 1, "no cursor moves"
    assert (second.origin, second.retry_of) == (first.origin, first.origin)
    assert (second.attempts, second.state) == (2, "open")
    assert "KeyError" in second.cause
    (third,) = letters(written(books, source, again(second)))
    assert third.attempts == 3


def test_what_goes_through_is_an_item_and_the_letter_is_marked_in_the_same_transaction(
    source: Source,
) -> None:
    books = Books({}, {})
    (letter,) = letters(written(books, source, SEEN))
    connector = source.connector
    assert isinstance(connector, Mending)
    connector.mended = True
    records = written(books, source, again(letter))
    assert [one.output.topic.name for one in records] == ["deadletters.v1", "raw.v1", "items.v1", "seen.v1"]
    (item,) = [one.output.value for one in records if isinstance(one.output.value, Item)]
    assert (item.observed, item.absent, item.backlog) == (SEEN.observed, SEEN.absent, True)
    assert letters(records)[0].state == "retried"
    records = written(books, source, again(letter))
    assert [one.output.topic.name for one in records] == ["deadletters.v1"], "asked twice, decided once"


def test_an_older_state_than_the_one_we_have_is_late(source: Source) -> None:
    books = Books({}, {})
    (letter,) = letters(written(books, source, SEEN))
    connector = source.connector
    assert isinstance(connector, Mending)
    connector.mended = True
    newer = json.dumps({"id": "1", "source": "w", "text": "b"}).encode()
    written(books, source, Observation(newer, "application/json", "day.jsonl:2", observed=NOW))
    (item,) = [
        one.output.value
        for one in written(books, source, again(letter))
        if isinstance(one.output.value, Item)
    ]
    assert (item.revision, item.late) == (2, True)


def test_a_broken_entry_that_is_shown_at_every_look_is_one_letter(source: Source) -> None:
    books = Books({}, {})
    assert len(letters(written(books, source, SEEN, SEEN))) == 1
    assert letters(written(books, source, SEEN)) == []
    other = Observation(b"{}", "application/json", SEEN.place)
    assert len(letters(written(books, source, other))) == 1, "other bytes at the same place"


def test_the_memory_of_letters_is_bounded() -> None:
    books = Books({}, {})
    books.bury(str(number) for number in range(LETTERS_KEPT + 5))
    assert len(books.letters) == LETTERS_KEPT
    assert "4" not in books.letters
    assert "5" in books.letters
