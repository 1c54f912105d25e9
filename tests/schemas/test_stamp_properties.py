"""What holds for any string, any instant and any zone."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime
from importlib.resources import files
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from schemas import zones
from schemas.stamp import Stamp, apart

ZONES = files("tzdata").joinpath("zones").read_text().split()
FRAGMENTS = (
    *(
        "2026",
        "0001",
        "9999",
        "07",
        "04",
        "4",
        "16",
        "12",
        "60",
        "00",
        "-",
        ":",
        "/",
        ".",
        ",",
        " ",
        "T",
        "Z",
    ),
    *(
        "Jul",
        "July",
        "июля",
        "Sat",
        "Sun",
        "PM",
        "a.m.",
        "ET",
        "EST",
        "IST",
        "мск",
        "GMT",
        "UTC",
        "+",
        "+03:00",
    ),
    *(
        "-00:00",
        "2026-07-04",
        "2011-12-30",
        "16:07:00",
        "02:30",
        "04/07/2026",
        "1783181220",
        "(",
        ")",
        "\u2212",
    ),
)
ANYTHING = st.text(st.characters(exclude_categories=())) | st.lists(st.sampled_from(FRAGMENTS)).map("".join)
INSTANTS = st.datetimes(datetime(1950, 1, 2), datetime(2199, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001 # naive by contract
OFFSETS = st.integers(-12 * 4, 14 * 4).map(lambda quarters: timezone(timedelta(minutes=15 * quarters)))
STAMPS = st.builds(lambda instant: Stamp.parse(instant.isoformat()), INSTANTS)


def covers(stamp: Stamp, instant: datetime) -> bool:
    return stamp.lo is not None and stamp.hi is not None and stamp.lo <= instant <= stamp.hi


@settings(deadline=None)
@given(raw=ANYTHING, zone=st.none() | st.sampled_from(ZONES), day_first=st.none() | st.booleans())
@example(raw="0001-01-01T00:00:00 EST", zone=None, day_first=None)
@example(raw="9999-12-31 23:59 ET", zone=None, day_first=None)
@example(raw="Sat, 31 Dec 9999", zone="Pacific/Kiritimati", day_first=None)
def test_any_string_is_kept_raises_nothing_and_reads_the_same_again(
    raw: str, zone: str | None, *, day_first: bool | None
) -> None:
    stamp = Stamp.parse(raw, assumed_zone=zone, day_first=day_first)
    assert stamp.raw == raw.encode("utf-8", "backslashreplace").decode()
    assert Stamp.parse(stamp.raw, assumed_zone=zone, day_first=day_first) == stamp
    assert Stamp.model_validate_json(stamp.model_dump_json()) == stamp
    assert Stamp.read(stamp.dump()).dump() == stamp.dump()
    assert (stamp.precision is None) == (stamp.lo is None and not stamp.readings)


def strftime(pattern: str) -> Callable[[datetime], str]:
    return lambda moment: moment.strftime(pattern)


# The spelling, and how long one such string lasts.
SPELLINGS: dict[str, tuple[Callable[[datetime], str], timedelta]] = {
    "iso microseconds": (lambda t: t.isoformat(timespec="microseconds"), timedelta(microseconds=1)),
    "iso milliseconds": (lambda t: t.isoformat(timespec="milliseconds"), timedelta(milliseconds=1)),
    "iso seconds": (lambda t: t.isoformat(timespec="seconds"), timedelta(seconds=1)),
    "iso minutes": (lambda t: t.isoformat(timespec="minutes"), timedelta(minutes=1)),
    "space": (lambda t: t.isoformat(" ", "seconds"), timedelta(seconds=1)),
    "basic": (strftime("%Y%m%dT%H%M%S%z"), timedelta(seconds=1)),
    "rfc 2822": (format_datetime, timedelta(seconds=1)),
    "rfc 822 minutes": (strftime("%d %b %Y %H:%M %z"), timedelta(minutes=1)),
    "words": (strftime("%A, %B %d, %Y, at %I:%M %p %z"), timedelta(minutes=1)),
    "hours": (strftime("%B %d, %Y %I %p UTC%z"), timedelta(hours=1)),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
@settings(max_examples=40, deadline=None)
@given(instant=INSTANTS, offset=OFFSETS)
def test_every_spelling_of_an_instant_is_an_interval_that_covers_it(
    spelling: str, instant: datetime, offset: timezone
) -> None:
    spell, length = SPELLINGS[spelling]
    stamp = Stamp.parse(spell(instant.astimezone(offset)))
    assert covers(stamp, instant)
    assert stamp.hi is not None
    assert stamp.lo is not None
    assert stamp.hi - stamp.lo == length - timedelta(microseconds=1)
    assert stamp.readings == ()
    assert stamp.zone == "offset"


@pytest.mark.parametrize("order", [True, False])
@settings(max_examples=40, deadline=None)
@given(instant=INSTANTS)
def test_a_known_order_of_day_and_month_reads_every_date(*, order: bool, instant: datetime) -> None:
    raw = instant.strftime("%d/%m/%Y %H:%M:%S UTC" if order else "%m/%d/%Y %H:%M:%S UTC")
    assert covers(Stamp.parse(raw, day_first=order), instant)
    unsettled = Stamp.parse(raw)
    assert covers(unsettled, instant) or any(r.lo <= instant <= r.hi for r in unsettled.readings)


@settings(deadline=None)
@given(INSTANTS, st.sampled_from(ZONES))
def test_a_naive_time_covers_the_instant_wherever_it_was_printed(instant: datetime, zone: str) -> None:
    local = instant.astimezone(zones.zone(zone)).replace(tzinfo=None)
    assert covers(Stamp.parse(local.isoformat()), instant)
    assert covers(Stamp.parse(local.date().isoformat()), instant)


@settings(max_examples=200, deadline=None)
@given(INSTANTS, st.sampled_from(ZONES))
@example(datetime(2026, 11, 1, 5, 30, tzinfo=UTC), "America/New_York")
@example(datetime(2026, 11, 1, 6, 30, tzinfo=UTC), "America/New_York")
@example(datetime(2024, 11, 3, 4, 30, tzinfo=UTC), "America/Havana")
@example(datetime(2024, 11, 3, 5, 30, tzinfo=UTC), "America/Havana")
def test_a_time_read_in_the_zone_it_was_printed_in_covers_the_instant(instant: datetime, zone: str) -> None:
    local = instant.astimezone(zones.zone(zone)).replace(tzinfo=None)
    for raw in (local.isoformat(), local.isoformat(" ", "minutes"), local.date().isoformat()):
        stamp = Stamp.parse(raw, assumed_zone=zone)
        assert covers(stamp, instant)
        assert (stamp.zone, stamp.zone_name) == ("assumed", zone)


@given(INSTANTS.filter(lambda instant: instant.year > 2001))
def test_numbers_since_1970_are_told_apart_by_their_length(instant: datetime) -> None:
    microseconds = (instant - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    for raw in (microseconds // 10**6, microseconds // 10**3, microseconds, microseconds * 1000 + 999):
        assert covers(Stamp.parse(str(raw)), instant)


@pytest.mark.parametrize("digits", [9, 10, 13, 16, 19])
def test_no_number_since_1970_has_a_second_reading(digits: int) -> None:
    units = {9: 0, 10: 0, 13: 3, 16: 6, 19: 9}
    year = 365.2425 * 86400
    for number in (10 ** (digits - 1), 10**digits - 1):
        for unit in set(units.values()) - {units[digits]}:
            assert not 1971 < 1970 + number / 10**unit / year < 9999


@given(STAMPS, STAMPS)
def test_before_and_apart_agree(a: Stamp, b: Stamp) -> None:
    assert apart(a, b) == apart(b, a) >= timedelta(0)
    assert (a.before(b) or b.before(a)) == (apart(a, b) > timedelta(0))
    assert not (a.before(b) and b.before(a))


def test_intervals_are_compared_not_points() -> None:
    minute, second, later, day = (
        Stamp.parse(raw)
        for raw in (
            "2026-07-04 16:07 UTC",
            "2026-07-04T16:07:30Z",
            "2026-07-04T16:08:30Z",
            "2026-07-04",
        )
    )
    assert apart(minute, second) == timedelta(0)
    assert not minute.before(second)
    assert not second.before(minute)
    assert minute.before(later)
    assert apart(minute, later) == apart(later, minute) == timedelta(seconds=30, microseconds=1)
    assert not day.before(later)
    assert not later.before(day)


def test_what_is_not_known_is_before_nothing_and_has_no_distance() -> None:
    known, unknown = Stamp.parse("2026-07-04T16:07:30Z"), Stamp.parse("soon")
    assert not known.before(unknown)
    assert not unknown.before(known)
    for pair in ((known, unknown), (unknown, known)):
        with pytest.raises(ValueError, match="no distance"):
            apart(*pair)


def test_readings_can_be_measured_too() -> None:
    first, second = Stamp.parse("04/07/2026 16:07 UTC").readings
    assert apart(first, second) > timedelta(days=80)


def test_digits_that_are_cut_off_only_widen_the_interval() -> None:
    stamps = [
        Stamp.parse("2026-07-04T16:07:08.123456789"[:end] + "Z") for end in (29, 26, 25, 24, 22, 19, 16)
    ]
    for finer, coarser in pairwise(stamps):
        assert finer.lo is not None
        assert finer.hi is not None
        assert covers(coarser, finer.lo)
        assert covers(coarser, finer.hi)


@given(st.from_regex(r"\A[0-9]{4}[0-9W-][0-9-]{2}-[0-9]{1,2}T[0-9:]{6,8}Z\Z"))
@example("1990-12-31T23:59:60Z")
@example("2026-W27-6T16:07:00Z")
@example("2026-02-30T16:07:00Z")
def test_the_short_way_to_utc_seconds_comes_to_the_same(raw: str) -> None:
    short, whole = Stamp.parse(raw), Stamp.parse(raw.lower())
    assert (short.lo, short.hi, short.precision, short.zone) == (
        whole.lo,
        whole.hi,
        whole.precision,
        whole.zone,
    )
