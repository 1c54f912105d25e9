"""Readings of a stamp and their weights."""

from datetime import UTC, datetime, timedelta

import pytest

from pipeline.chronology.hypotheses import NEWSROOMS, Side, rank, readings
from schemas.stamp import Stamp
from schemas.zones import zone


def side(raw: str, **fields: object) -> Side:
    stamp = Stamp.parse(raw)
    assert stamp.lo is not None
    return Side(time=stamp.lo, scale=1800.0, item_id="a/1", source="a", stamp=stamp, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("raw", "words", "seconds"),
    [
        ("2026-07-04 16:07 UTC", "US Eastern (UTC-4) labelled UTC", 4 * 3600),
        ("2026-01-04 16:07 UTC", "US Eastern (UTC-5) labelled UTC", 5 * 3600),
        ("2026-07-04 16:07 GMT", "UK or Central Europe standard time (UTC+1) labelled UTC", -3600),
        ("2026-07-04 16:07 +0000", "India (UTC+5:30) labelled UTC", -19_800),
        ("2026-07-04 16:07 +0300", "US Eastern (UTC-4) labelled UTC+3", 7 * 3600),
        ("2026-07-04 16:07 EST", "read as daylight_time", -3600),
    ],
)
def test_readings_follow_the_season_and_the_label(raw: str, words: str, seconds: int) -> None:
    found = {reading.words: reading.seconds for reading in readings(side(raw))}
    assert found[words] == seconds


def test_an_assumed_zone_may_be_the_wrong_one() -> None:
    stamp = Stamp.parse("2026-07-04 16:07", assumed_zone="Europe/Moscow")
    assert stamp.lo is not None
    found = {
        reading.words: reading.seconds for reading in readings(Side(stamp.lo, 1800.0, "a/1", "a", stamp))
    }
    assert found["US Eastern (UTC-4) labelled Europe/Moscow"] == 7 * 3600


def test_a_recorders_word_is_no_zone() -> None:
    stamp = Stamp.parse("1783201200").model_copy(update={"zone": "assumed", "zone_name": "recorder"})
    assert stamp.lo is not None
    assert list(readings(Side(stamp.lo, 1800.0, "a/1", "a", stamp))) == []


def test_the_names_use_that_offset_on_that_day() -> None:
    day = side("2026-07-04 16:07 UTC")
    for reading in readings(day):
        for name in reading.zones:
            offset = day.time.astimezone(zone(name)).utcoffset()
            assert offset == timedelta(seconds=-reading.seconds)
    named = {name for reading in readings(day) for name in reading.zones}
    assert named == {room.name for room in NEWSROOMS}


def test_the_weights_of_the_model() -> None:
    """Posterior of one pair with nothing but its stamps, in the neighbourhood of a published calculation."""
    early = side("2026-07-04 16:07 UTC")
    late = side("2026-07-04 21:40 UTC")
    weights = {line.reading.partition(" (")[0]: line.weight for line in rank(early, late)}
    honest = weights["no stamp is wrong: one source reported hours earlier"] + weights["two different events"]
    assert 0.68 < honest < 0.93
    assert 0.04 < weights["a: US Eastern"] < 0.2
    assert 0.01 < weights["a: US Eastern standard time or US Central"] < 0.12


def test_what_lies_ahead_of_our_sight_is_impossible() -> None:
    seen = datetime(2026, 7, 4, 19, 0, tzinfo=UTC)
    listed = rank(side("2026-07-04 16:07 UTC", observed=seen), side("2026-07-04 21:40 UTC"))
    impossible = next(line for line in listed if line.reading.startswith("a: US Eastern (UTC-4)"))
    assert impossible.weight == 0


def test_a_sight_at_the_very_time_of_a_reading_speaks_for_it() -> None:
    seen = datetime(2026, 7, 4, 20, 7, 20, tzinfo=UTC)
    best, *_ = rank(side("2026-07-04 16:07 UTC", observed=seen, delivery=30.0), side("2026-07-04 21:40 UTC"))
    assert best.reading == "a: US Eastern (UTC-4) labelled UTC"


def test_a_median_of_reports_has_no_zone() -> None:
    median = Side(datetime(2026, 7, 4, 21, 40, tzinfo=UTC), 1800.0)
    assert {line.item_id for line in rank(side("2026-07-04 16:07 UTC"), median)} == {"a/1", None}


def test_the_same_input_gives_the_same_bytes() -> None:
    one, other = (
        b"".join(line.dump() for line in rank(side("2026-07-04 16:07 UTC"), side("2026-07-04 21:40 UTC")))
        for _ in range(2)
    )
    assert one == other
