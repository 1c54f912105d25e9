"""A changed normaliser makes no false revisions, where the connector still knows how it read before."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar

from connectors.recording import Recording, RecordingConfig
from connectors.seam import Observation, Remembering, Unreadable
from pipeline.ingest.batch import Batch
from pipeline.ingest.books import Books
from pipeline.ingest.follow import Sighted, Source
from schemas.item import Draft, Item

NOON = datetime(2026, 7, 4, 12, tzinfo=UTC)


class First(Recording):
    """Reads text as it stands."""

    normaliser: ClassVar[int] = 1

    def normalise(self, observation: Observation) -> Draft:
        return Draft(item_id="w/1", source="w", native_id="1", text=observation.data.decode())


class Second(First):
    """Without the spaces around it, and remembers how it was."""

    normaliser: ClassVar[int] = 2

    def normalise(self, observation: Observation) -> Draft:
        draft = super().normalise(observation)
        return draft.model_copy(update={"text": draft.text.strip()})

    def normalise_as(self, version: int, observation: Observation) -> Draft:
        if version != 1:
            raise Unreadable(f"version {version} is forgotten")
        return First.normalise(self, observation)


class Third(Second):
    """In small letters; the first version is forgotten."""

    normaliser: ClassVar[int] = 3

    def normalise(self, observation: Observation) -> Draft:
        draft = super().normalise(observation)
        return draft.model_copy(update={"text": draft.text.lower()})

    def normalise_as(self, version: int, observation: Observation) -> Draft:
        if version != 2:
            raise Unreadable(f"version {version} is forgotten")
        return Second.normalise(self, observation)


class Forgetful(First):
    """Another reading, and no memory of the one before."""

    normaliser: ClassVar[int] = 2

    def normalise(self, observation: Observation) -> Draft:
        draft = super().normalise(observation)
        return draft.model_copy(update={"text": draft.text.strip()})


class Wire:
    """One post, read by one version after the other."""

    def __init__(self) -> None:
        self.books = Books({}, {})
        self.at = NOON

    def shows(self, kind: type[First], text: str, *, ago: int = 0) -> list[tuple[int, str, bool]]:
        """Show the post; give the revisions that come of it: number, text, late."""
        self.at += timedelta(minutes=1)
        config = RecordingConfig(name="wire", path=Path("wire.jsonl"))
        observed = self.at - timedelta(minutes=ago)
        sight = Observation(text.encode(), "text/plain", "wire/1", observed=observed)
        batch = Batch(self.books, lambda: self.at, "t.")
        batch.add(Sighted(Source(config, kind(config)), sight))
        items = [one.output.value for one in batch.records()]
        batch.settle()
        return [(one.revision, one.text, one.late) for one in items if isinstance(one, Item)]


def test_what_only_reads_differently_is_no_revision_and_is_known_by_its_new_reading_then() -> None:
    wire = Wire()
    assert wire.shows(First, " Ferry late ") == [(1, " Ferry late ", False)]
    assert wire.shows(Second, " Ferry late ") == []
    assert wire.books.seen["w/1"].connector == "recording/2"
    assert (
        wire.books.seen["w/1"].current
        == Draft(item_id="w/1", source="w", native_id="1", text="Ferry late").hashed()
    )
    assert wire.shows(Third, " Ferry late ") == [], "the version before is enough, once it has looked"
    assert wire.shows(Third, " Ferry in time ") == [(2, "ferry in time", False)]


def test_a_real_edit_is_a_revision_under_any_reading() -> None:
    wire = Wire()
    wire.shows(First, " Ferry late ")
    assert wire.shows(Second, " Ferry in time ") == [(2, "Ferry in time", False)]


def test_an_old_state_from_a_cache_is_recognised_by_its_old_reading() -> None:
    wire = Wire()
    wire.shows(First, " Ferry late ")
    wire.shows(First, " Ferry in time ")
    assert wire.shows(Second, " Ferry late ", ago=60) == [], "stale"
    assert wire.shows(Second, " Ferry in time ") == [], "unchanged"
    assert wire.shows(Second, " Ferry late ", ago=60) == [], "stale still"
    assert wire.shows(Second, " Ferry late ") == [(3, "Ferry late", False)], "an edit back"


def test_without_a_memory_everything_that_reads_differently_is_a_revision() -> None:
    wire = Wire()
    wire.shows(First, " Ferry late ")
    config = RecordingConfig(name="wire", path=Path("wire.jsonl"))
    assert not isinstance(Forgetful(config), Remembering)
    assert wire.shows(Forgetful, " Ferry late ") == [(2, "Ferry late", False)]


def test_what_is_forgotten_is_told_by_being_a_revision() -> None:
    wire = Wire()
    wire.shows(First, " Ferry late ")
    assert wire.shows(Third, " Ferry late ") == [(2, "ferry late", False)]
