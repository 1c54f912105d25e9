"""Java's archive: recorded by one broker, used by all later ones."""

from pathlib import Path

import pytest

from pipeline.kafka.local import archive

NAME = archive.archive_name("25.0.2")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "cache").mkdir()
    (tmp_path / "node").mkdir()
    return tmp_path / "node"


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def test_another_java_needs_another_archive() -> None:
    assert archive.archive_name("26.0.0") != NAME


def test_the_first_broker_records_what_later_ones_use(place: Path, cache: Path) -> None:
    assert archive.use(cache, NAME) == []
    assert f"-XX:AOTCacheOutput={NAME}" in archive.record(cache, NAME)
    (place / NAME).write_text("recorded")
    archive.adopt(place, cache)
    assert archive.use(cache, NAME) == [f"-XX:AOTCache={cache / NAME}"]
    assert archive.record(cache, NAME) == []
    assert (cache / NAME).read_text() == "recorded"
    assert list(place.iterdir()) == []


def test_half_an_archive_is_thrown_away(place: Path, cache: Path) -> None:
    (place / NAME).write_text("half of wh")
    (place / f"{NAME}.config").touch()
    archive.adopt(place, cache)
    assert list(cache.iterdir()) == list(place.iterdir()) == []


def test_an_archive_in_use_is_not_replaced(place: Path, cache: Path) -> None:
    (cache / NAME).write_text("in use")
    (place / NAME).write_text("recorded meanwhile")
    archive.adopt(place, cache)
    assert (cache / NAME).read_text() == "in use"
    assert list(place.iterdir()) == []


def test_a_cache_that_cannot_be_written_is_no_fault(place: Path) -> None:
    (place / NAME).write_text("recorded")
    archive.adopt(place, place / "absent")
    assert list(place.iterdir()) == []
