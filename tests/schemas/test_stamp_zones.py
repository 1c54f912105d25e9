"""Zones: words, seasons, clock changes, ambiguous letters, and the source's own zone."""

import zoneinfo
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path

import pytest

from schemas import zones
from schemas.stamp import Stamp

Readings = list[tuple[str, str]]


def shown(stamp: Stamp) -> str | None:
    return f"{stamp.lo:%m-%d %H:%M}" if stamp.lo else None


def readings(stamp: Stamp) -> Readings:
    return [(reading.reason, f"{reading.lo:%m-%d %H:%M}") for reading in stamp.readings]


@pytest.mark.parametrize(
    ("raw", "instant"),
    [
        ("2026-07-04 16:07 ET", "07-04 20:07"),
        ("2026-01-04 16:07 ET", "01-04 21:07"),
        ("2026-07-04 16:07 Eastern Time", "07-04 20:07"),
        ("2026-07-04 16:07 eastern", "07-04 20:07"),
        ("2026-07-04 16:07 CT", "07-04 21:07"),
        ("2026-07-04 16:07 MT", "07-04 22:07"),
        ("2026-07-04 16:07 PT", "07-04 23:07"),
        ("2026-07-04 16:07 UK  time", "07-04 15:07"),
        ("2026-01-04 16:07 UK", "01-04 16:07"),
        ("2026-07-04 16:07 Kyiv time", "07-04 13:07"),
        ("2026-01-04 16:07 по Киеву", "01-04 14:07"),
        ("4 июля 2026 16:07 мск", "07-04 13:07"),
        ("2012-07-04 16:07 MSK", "07-04 12:07"),
    ],
)
def test_a_word_for_a_region_is_what_its_clocks_show_on_that_day(raw: str, instant: str) -> None:
    stamp = Stamp.parse(raw)
    assert shown(stamp) == instant
    assert (stamp.zone, stamp.zone_name) == ("abbreviation", raw.partition("16:07 ")[2])
    assert stamp.readings == ()


@pytest.mark.parametrize(
    ("raw", "instant", "others"),
    [
        ("2026-01-04 16:07 EST", "01-04 21:07", []),
        ("2026-07-04 16:07 EDT", "07-04 20:07", []),
        ("2026-07-04 16:07 EST", "07-04 21:07", [("daylight_time", "07-04 20:07")]),
        ("2026-01-04 16:07 EDT", "01-04 20:07", [("standard_time", "01-04 21:07")]),
        ("2026-07-04 16:07 CET", "07-04 15:07", [("daylight_time", "07-04 14:07")]),
        ("2026-01-04 16:07 CEST", "01-04 14:07", [("standard_time", "01-04 15:07")]),
        ("2026-11-01 01:30 EDT", "11-01 05:30", []),
        ("2026-11-01 01:30 EST", "11-01 06:30", []),
        ("2026-07-04 16:07 JST", "07-04 07:07", []),
        ("1870-01-04 16:07 EST", "01-04 21:07", []),
    ],
)
def test_an_abbreviation_is_the_offset_it_names_and_the_other_season_a_reading(
    raw: str, instant: str, others: Readings
) -> None:
    stamp = Stamp.parse(raw)
    assert shown(stamp) == instant
    assert (stamp.zone, stamp.zone_name) == ("abbreviation", raw[17:])
    assert readings(stamp) == others


AMBIGUOUS: list[tuple[str, Readings]] = [
    (
        "2026-07-04 16:07 IST",
        [
            ("zone:Asia/Kolkata", "07-04 10:37"),
            ("zone:Asia/Jerusalem", "07-04 14:07"),
            ("zone:Asia/Jerusalem+daylight_time", "07-04 13:07"),
            ("zone:Europe/Dublin", "07-04 15:07"),
        ],
    ),
    (
        "2026-01-04 16:07 CST",
        [
            ("zone:America/Chicago", "01-04 22:07"),
            ("zone:Asia/Shanghai", "01-04 08:07"),
            ("zone:America/Havana", "01-04 21:07"),
        ],
    ),
    (
        "2026-07-04 16:07 BST",
        [("zone:Europe/London", "07-04 15:07"), ("zone:Asia/Dhaka", "07-04 10:07")],
    ),
    (
        "2026-01-04 16:07 BST",
        [
            ("zone:Europe/London", "01-04 15:07"),
            ("zone:Europe/London+standard_time", "01-04 16:07"),
            ("zone:Asia/Dhaka", "01-04 10:07"),
        ],
    ),
    (
        "2026-01-04 16:07 AST",
        [("zone:America/Halifax", "01-04 20:07"), ("zone:Asia/Riyadh", "01-04 13:07")],
    ),
]


@pytest.mark.parametrize(("raw", "others"), AMBIGUOUS, ids=[row[0] for row in AMBIGUOUS])
def test_ambiguous_letters_have_readings_and_no_interval(raw: str, others: Readings) -> None:
    stamp = Stamp.parse(raw, assumed_zone="America/New_York")
    assert not stamp.known
    assert (stamp.precision, stamp.zone, stamp.zone_name) == ("minute", "abbreviation", raw[17:])
    assert readings(stamp) == others


def test_the_sources_zone_settles_ambiguous_letters_that_it_uses() -> None:
    stamp = Stamp.parse("2026-07-04 16:07 IST", assumed_zone="Asia/Kolkata")
    assert shown(stamp) == "07-04 10:37"
    assert (stamp.zone, stamp.zone_name) == ("assumed", "Asia/Kolkata")
    assert readings(stamp) == AMBIGUOUS[0][1][1:]


def test_settled_letters_of_the_wrong_season_keep_that_reading_too() -> None:
    stamp = Stamp.parse("2026-07-04 16:07 CST", assumed_zone="America/Chicago")
    assert shown(stamp) == "07-04 22:07"
    assert readings(stamp)[0] == ("daylight_time", "07-04 21:07")


def test_doubts_about_day_and_zone_multiply() -> None:
    stamp = Stamp.parse("04/07/2026 16:07 BST")
    assert [reason for reason, _ in readings(stamp)] == [
        "day_first+zone:Europe/London",
        "day_first+zone:Asia/Dhaka",
        "month_first+zone:Europe/London",
        "month_first+zone:Asia/Dhaka",
    ]


def test_the_sources_zone_stands_in_for_a_missing_one_only() -> None:
    stamp = Stamp.parse("2026-07-04 16:07", assumed_zone="Europe/Moscow")
    assert shown(stamp) == "07-04 13:07"
    assert (stamp.zone, stamp.zone_name) == ("assumed", "Europe/Moscow")
    assert shown(Stamp.parse("2026-07-04 16:07 ET", assumed_zone="Europe/Moscow")) == "07-04 20:07"


@pytest.mark.parametrize("name", ["Mars/Olympus", "America", "../zones", "leapseconds", "", "/etc/localtime"])
def test_an_unknown_zone_of_a_source_is_an_error_even_when_it_is_not_needed(name: str) -> None:
    with pytest.raises(ValueError, match="no such time zone"):
        Stamp.parse("2026-07-04T16:07:00Z", assumed_zone=name)


def test_a_minus_zero_offset_is_universal_time_of_unknown_origin() -> None:
    stamp = Stamp.parse("2026-07-04T16:07:00-00:00")
    assert shown(stamp) == "07-04 16:07"
    assert (stamp.zone, stamp.zone_name) == ("none", "-00:00")
    assert readings(stamp) == [("zone_unknown", "07-04 02:07")]
    assert f"{stamp.readings[0].hi:%m-%d %H:%M}" == "07-05 04:07"
    local = Stamp.parse("Sat, 04 Jul 2026 16:07:00 -0000", assumed_zone="Europe/Moscow")
    assert (local.zone, shown(local)) == ("none", "07-04 16:07")
    assert readings(local) == [("zone:Europe/Moscow", "07-04 13:07")]


def test_a_reading_that_is_the_same_interval_is_not_listed() -> None:
    assert Stamp.parse("2026-01-04T16:07:00-00:00", assumed_zone="Europe/London").readings == ()


def test_a_time_that_was_shown_twice_runs_from_the_first_to_the_last_showing() -> None:
    stamp = Stamp.parse("2026-11-01 01:30 ET")
    assert stamp.lo == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)
    assert stamp.hi == datetime(2026, 11, 1, 6, 30, 59, 999999, tzinfo=UTC)
    assert readings(stamp) == [("before_change", "11-01 05:30"), ("after_change", "11-01 06:30")]


def test_a_time_that_was_never_shown_has_readings_and_no_interval() -> None:
    stamp = Stamp.parse("2026-03-08 02:30 ET")
    assert not stamp.known
    assert (stamp.precision, stamp.zone, stamp.zone_name) == ("minute", "abbreviation", "ET")
    assert readings(stamp) == [("before_change", "03-08 07:30"), ("after_change", "03-08 06:30")]
    assert all(r.hi - r.lo == stamp.readings[0].hi - stamp.readings[0].lo for r in stamp.readings)


@pytest.mark.parametrize(
    ("day", "zone", "lo", "hours"),
    [
        ("2026-07-04", "Europe/Moscow", "07-03 21:00", 24),
        ("2026-11-01", "America/New_York", "11-01 04:00", 25),
        ("2026-03-08", "America/New_York", "03-08 05:00", 23),
        ("2024-11-03", "America/Havana", "11-03 04:00", 25),  # midnight comes twice
        ("2024-03-10", "America/Havana", "03-10 05:00", 23),  # the day begins at one
    ],
)
def test_a_day_in_a_known_zone_is_that_zones_day(day: str, zone: str, lo: str, hours: int) -> None:
    stamp = Stamp.parse(day, assumed_zone=zone)
    assert shown(stamp) == lo
    assert stamp.lo is not None
    assert stamp.hi is not None
    assert (stamp.hi - stamp.lo).total_seconds() == pytest.approx(hours * 3600, abs=1e-5)
    assert stamp.readings == ()


def test_a_day_that_a_zone_skipped_has_readings_and_no_interval() -> None:
    stamp = Stamp.parse("2011-12-30", assumed_zone="Pacific/Apia")
    assert not stamp.known
    assert [reason for reason, _ in readings(stamp)] == ["before_change", "after_change"]


def test_a_change_by_odd_seconds_raises_nothing() -> None:
    assert Stamp.parse("1972-01-07 00:44", assumed_zone="Africa/Monrovia").readings != ()


def test_every_region_of_the_table_is_a_zone() -> None:
    for region in zones.REGIONS.values():
        assert zones.zone(region).key == region


@pytest.mark.parametrize("word", sorted(zones.ABBREVIATIONS))
def test_every_abbreviation_names_an_offset_that_its_region_uses(word: str) -> None:
    seasons = [datetime(year, month, 15, tzinfo=UTC) for year in (2019, 2026) for month in (1, 7)]
    for clock in zones.ABBREVIATIONS[word]:
        assert clock.region is not None
        assert clock.minutes is not None
        offsets = [season.astimezone(zones.zone(clock.region)).utcoffset() for season in seasons]
        assert timedelta(minutes=clock.minutes) in offsets


def test_the_hosts_own_zone_files_are_not_looked_at(tmp_path: Path) -> None:
    (tmp_path / "Europe").mkdir()
    tokyo = files("tzdata").joinpath("zoneinfo", "Asia", "Tokyo").read_bytes()
    (tmp_path / "Europe" / "Kyiv").write_bytes(tokyo)
    zones.zone.cache_clear()
    zoneinfo.reset_tzpath([tmp_path])
    try:
        offset = datetime(2026, 7, 4, tzinfo=zones.zone("Europe/Kyiv")).utcoffset()
    finally:
        zoneinfo.reset_tzpath()
    assert offset == timedelta(hours=3)
