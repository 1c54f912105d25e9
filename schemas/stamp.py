"""A time as a source printed it, and which instants it can mean.

Reading is strict and pure: no clock, nothing repaired, and a closed list of formats. What is not on it stays
raw. A date is one of

    2026-07-04   4 July 2026   Sat, 04 Jul 2026   July 4, 2026   04/07/2026   4 июля 2026

alone or followed by a clock (`T` or space; 24 hours, or 12 with am or pm; fractions of a second up to nine
digits) and that by a zone of the list in `zones`. So RFC 3339, RFC 822, 1123 and 2822, and what Postgres
prints, are covered. Also 20260704T160700Z, and numbers since 1970 in seconds, milli-, micro- or nanoseconds.
"""
# ruff: noqa: RUF001 # Russian letters that look like Latin ones are meant

import re
from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from typing import Annotated, Self, TypeVar

from pydantic import Field, model_validator

from schemas import zones
from schemas.base import Instant, Open, Record
from schemas.zones import Span, Zone

Precision = Annotated[str, Open(("microsecond", "millisecond", "second", "minute", "hour", "day"))]
"""The finest unit that is printed. One or two digits of a second count as milliseconds."""
ZoneOrigin = Annotated[str, Open(("offset", "abbreviation", "assumed", "none"))]
"""Where the zone came from: printed as an offset or a word, the source's own, or nowhere."""

_S = TypeVar("_S", bound="Stamp")
LONGEST_CHARACTERS = 200
"""No accepted format comes near it; longer strings are not looked at."""


class Reading(Record):
    """One possible meaning of a raw string.

    Reasons: `day_first` and `month_first` (04/07/2026); `day_name` (the nearest day that bears the printed
    name); `daylight_time` and `standard_time` (the abbreviation is that of the other season);
    `before_change` and `after_change` (the clocks were set back or forward just then); `zone:NAME` (an
    abbreviation as that IANA zone uses it); `zone_unknown` (-00:00 behind a local time). Several are joined
    by +.
    """

    lo: Instant = Field(description="the earliest instant, included")
    hi: Instant = Field(description="the latest instant, included")
    reason: str

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.lo > self.hi:
            raise ValueError("lo is after hi")
        return self


class Stamp(Record):
    """The source's word on a time: an interval of instants with its provenance.

    The interval covers all that the printed digits allow: "16:07" is a whole minute, a clock without a zone
    26 hours, a day without a zone 50. Where the string has several meanings and nothing settles which, `lo`
    and `hi` are null and `readings` has them all; where one is printed and others are possible, `readings`
    has the others.
    """

    raw: str = Field(description="exactly what the source printed")
    lo: Instant | None = Field(None, description="the earliest instant, included; null: not read")
    hi: Instant | None = Field(None, description="the latest instant, included; null: not read")
    precision: Precision | None = None
    zone: ZoneOrigin | None = None
    zone_name: str | None = Field(None, description="ET as printed, +03:00, or the assumed Europe/Moscow")
    readings: tuple[Reading, ...] = Field((), description="other meanings, in a fixed order")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        lo, hi = self.lo, self.hi
        if lo is None or hi is None:
            if lo is not hi:
                raise ValueError("one end of the interval is missing")
        elif lo > hi:
            raise ValueError("lo is after hi")
        return self

    @classmethod
    def parse(cls, raw: str, *, assumed_zone: str | None = None, day_first: bool | None = None) -> Self:
        """Read what a source printed; what cannot be read keeps its raw string and nothing else.

        Args:
            raw: any string. Lone surrogates, which JSON cannot carry, are kept as backslash escapes.
            assumed_zone: IANA name of the source's zone, for times printed without one and for abbreviations
                with several meanings.
            day_first: how the source orders 04/07/2026; none when that is not known.

        Raises:
            ValueError: `assumed_zone` is no IANA zone. No `raw` raises anything.
        """
        if assumed_zone is not None:
            zones.zone(assumed_zone)
        if len(raw) > LONGEST_CHARACTERS and len(raw.strip()) > LONGEST_CHARACTERS:
            return cls(raw=_printable(raw))
        stamp: Self = _parsed(cls, raw, assumed_zone, day_first)
        return stamp

    @property
    def known(self) -> bool:
        """Whether one meaning is settled, so that `lo` and `hi` are there."""
        return self.lo is not None

    def before(self, other: "Stamp") -> bool:
        """Whether this time is certainly earlier: both are known and the intervals share no instant."""
        return self.hi is not None and other.lo is not None and self.hi < other.lo


def apart(a: Stamp | Reading, b: Stamp | Reading) -> timedelta:
    """Give the distance between two intervals: 0 when they share an instant, never negative.

    Raises:
        ValueError: one of them is not known.
    """
    if a.lo is None or a.hi is None or b.lo is None or b.hi is None:
        raise ValueError("a stamp that could not be read has no distance")
    return max(a.lo - b.hi, b.lo - a.hi, timedelta(0))


@lru_cache(4096)  # a wire prints the same times at every look
def _parsed(cls: type[_S], raw: str, assumed_zone: str | None, day_first: bool | None) -> _S:  # noqa: FBT001  # no flag
    try:
        read = _read(raw.strip(), assumed_zone, day_first=day_first)
    except (ValueError, OverflowError):
        read = None
    if read is None:
        return cls(raw=_printable(raw))
    precision, zone, spans = read
    lo = hi = None
    readings: tuple[Reading, ...] = ()
    for span in spans:
        if not span.reason:
            lo, hi, _ = span
            break
    if len(spans) > 1 or lo is None:
        others = (span for span in spans if span.reason and span[:2] != (lo, hi))
        readings = tuple(Reading(lo=s.lo, hi=s.hi, reason=s.reason) for s in others)
    return cls(
        raw=raw,
        lo=lo,
        hi=hi,
        precision=precision,
        zone=zone.origin,
        zone_name=zone.name,
        readings=readings,
    )


def _printable(raw: str) -> str:
    """Give the string as JSON can carry it: a lone surrogate as a backslash escape."""
    return raw.encode("utf-8", "backslashreplace").decode()


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_NUMBER = re.compile(r"([1-9][0-9]{8,18})(?:\.([0-9]{1,9}))?")
_EPOCH_DIGITS: Mapping[int, int] = {9: 0, 10: 0, 13: 3, 16: 6, 19: 9}
"""How many of the digits are a fraction of a second. Each of these numbers lies in the years 1973 to 2286 in
its own unit and, in any of the other units, before 1971 or after 9999: there is no second reading."""

_CLOCK = (
    r"(?P<hour>[0-9]{1,2})"
    r"(?::(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:[.,](?P<fraction>[0-9]{1,9}))?)?)?"
    r"(?:\s*(?P<half>[AaPp])\.?[Mm]\b\.?)?\s*(?P<zone>.*)"
)
_THEN_CLOCK = rf"(?:,?\s+(?:(?:at|в)\s+)?{_CLOCK})?"
_DAY_NAME = r"(?:(?P<name>[^\W\d_]+)\.?(?:,\s*|\s+))?"
_DAY = r"(?P<day>[0-9]{1,2})"
_MONTH = r"(?P<month>[^\W\d_]+)\.?"
_YEAR = r"(?P<year>[0-9]{4})"
_SHORT_YEAR = r"(?P<year>[0-9]{4}|[0-9]{2}(?=\s+[0-9]{1,2}:))"

_ISO = re.compile(rf"{_YEAR}-(?P<month>[0-9]{{2}})-(?P<day>[0-9]{{2}})(?:(?:[Tt]|\s+){_CLOCK})?")
_BASIC = re.compile(
    rf"{_YEAR}(?P<month>[0-9]{{2}})(?P<day>[0-9]{{2}})[Tt](?P<hour>[0-9]{{2}})(?P<minute>[0-9]{{2}})"
    r"(?:(?P<second>[0-9]{2})(?:[.,](?P<fraction>[0-9]{1,9}))?)?(?P<half>)\s*(?P<zone>.*)"
)
_NUMERIC = re.compile(
    rf"(?P<one>[0-9]{{1,2}})(?P<mark>[/.-])(?P<two>[0-9]{{1,2}})(?P=mark){_YEAR}{_THEN_CLOCK}"
)
_DAY_MONTH_YEAR = re.compile(rf"{_DAY_NAME}{_DAY}\s+{_MONTH}\s+{_SHORT_YEAR}(?:\s*г\.?)?{_THEN_CLOCK}")
_MONTH_DAY_YEAR = re.compile(rf"{_DAY_NAME}{_MONTH}\s+{_DAY},?\s+{_YEAR}{_THEN_CLOCK}")

_SHOWN: Mapping[str, timedelta] = {
    precision: timedelta(seconds=seconds) - timedelta.resolution
    for precision, seconds in (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))
}
"""From the first to the last microsecond that a clock of this precision shows one time."""
_SHORT_YEAR_DIGITS = 2
_NOON = 12
_QUARTER = 15
_LEAP_SECOND = 60
_MICROSECOND_DIGITS = 6
_MILLISECOND_DIGITS = 3
_UTC_SECOND_CHARACTERS = len("2026-07-04T16:07:00Z")

_Dates = list[tuple[str, datetime]]
"""The days that a printed date can mean, as local midnights (see `Zone.spans`), each with its reason."""
_Read = tuple[str, Zone, list[Span]]
"""Precision, zone, and all meanings; the one without a reason, if any, is what is printed."""
_Hand = tuple[str, timedelta, timedelta]
"""Precision, time since midnight (or since the second began), time from there to the last microsecond."""


def _words(*lines: str, first: int) -> Mapping[str, int]:
    return {word: number for number, line in enumerate(lines, first) for word in line.split()}


_MONTHS = _words(
    "jan january янв января",
    "feb february фев февр февраля",
    "mar march мар марта",
    "apr april апр апреля",
    "may мая",
    "jun june июн июня",
    "jul july июл июля",
    "aug august авг августа",
    "sep sept september сен сент сентября",
    "oct october окт октября",
    "nov november ноя нояб ноября",
    "dec december дек декабря",
    first=1,
)
_DAYS = _words(
    "mon monday пн понедельник",
    "tue tues tuesday вт вторник",
    "wed wednesday ср среда",
    "thu thur thurs thursday чт четверг",
    "fri friday пт пятница",
    "sat saturday сб суббота",
    "sun sunday вс воскресенье",
    first=0,
)


def _read(text: str, assumed_zone: str | None, *, day_first: bool | None) -> _Read | None:
    """Read a stripped string.

    Raises:
        ValueError: the format is known and a number in it is impossible.
        OverflowError: it lies outside the years 1 to 9999.
    """
    if len(text) == _UTC_SECOND_CHARACTERS and text[7::3] == "-T::Z" and text[-3:-1] != "60":
        lo = datetime.fromisoformat(text)  # what most wires print; the way below comes to the same
        return "second", zones.UNIVERSAL["Z"], [Span(lo, lo + _SHOWN["second"])]
    if match := _EPOCH_NUMBER.fullmatch(text):
        return _epoch(*match.groups(""))
    if match := _ISO.fullmatch(text) or _BASIC.fullmatch(text):
        year, month, day = match.group("year", "month", "day")
        dates = [("", _midnight(year, int(month), day))]
    elif match := _NUMERIC.fullmatch(text):
        dates = _numeric(*match.group("one", "two", "year"), day_first=day_first)
    elif match := _DAY_MONTH_YEAR.fullmatch(text) or _MONTH_DAY_YEAR.fullmatch(text):
        dates = _worded(*match.group("name", "day", "month", "year"))
    else:
        return None
    precision, since, shown = _hand(*match.group("hour", "minute", "second", "fraction", "half"))
    zone = zones.find(match["zone"] or "", assumed_zone)
    if zone is None:
        return None
    spans = [
        span.because(reason)
        for reason, midnight in dates
        for span in zone.spans(midnight + since, midnight + since + shown)
    ]
    return precision, zone, spans


def _epoch(digits: str, fraction: str) -> _Read | None:
    """Read a number of seconds, milli-, micro- or nanoseconds since 1970: its length says which."""
    below = _EPOCH_DIGITS.get(len(digits))
    if below is None or (below and fraction):
        return None
    cut = len(digits) - below
    precision, part, shown = _fraction(digits[cut:] or fraction)
    lo = _EPOCH + timedelta(seconds=int(digits[:cut])) + part
    return precision, zones.UNIVERSAL["UTC"], [Span(lo, lo + shown)]


def _midnight(year: str, month: int, day: str) -> datetime:
    return datetime(int(year), month, int(day), tzinfo=UTC)


def _numeric(one: str, two: str, year: str, *, day_first: bool | None) -> _Dates:
    """Read 04/07/2026, in the source's order if that is known; an order that gives no date is none."""
    dates: _Dates = []
    for reason, day, month in (("day_first", one, two), ("month_first", two, one)):
        try:
            dates.append((reason, _midnight(year, int(month), day)))
        except ValueError:
            continue
    if not dates:
        raise ValueError("no such day")
    if len({midnight for _, midnight in dates}) == 1:
        return [("", dates[0][1])]
    settled = {None: "", True: "day_first", False: "month_first"}[day_first]
    return [("" if reason == settled else reason, midnight) for reason, midnight in dates]


def _worded(name: str | None, day: str, month: str, year: str) -> _Dates:
    """Read 4 July 2026; a year of two digits as RFC 2822 4.3 has it."""
    number = _MONTHS.get(month.lower())
    weekday = _DAYS.get(name.lower()) if name else None
    if number is None or (name and weekday is None):
        raise ValueError("no such word")
    if len(year) == _SHORT_YEAR_DIGITS:
        year = ("20" if year < "50" else "19") + year
    midnight = _midnight(year, number, day)
    dates = [("", midnight)]
    if weekday is not None and weekday != midnight.weekday():
        nearest = (weekday - midnight.weekday() + 3) % 7 - 3
        dates.append(("day_name", midnight + timedelta(days=nearest)))
    return dates


def _hand(
    hour: str | None, minute: str | None, second: str | None, fraction: str | None, half: str | None
) -> _Hand:
    """Read a clock; none is a whole day. A leap second is the first second of the next minute, as in POSIX.

    Raises:
        ValueError: no clock shows this.
    """
    if hour is None:
        return "day", timedelta(0), _SHOWN["day"]
    h, m, s = int(hour), int(minute or 0), int(second or 0)
    if half:
        if not 1 <= h <= _NOON:
            raise ValueError("no such hour")
        h = h % _NOON + (_NOON if half in "Pp" else 0)
    elif minute is None:
        raise ValueError("a bare number is no clock")
    # Whatever the zone, a leap second ends a quarter of an hour.
    leap = s == _LEAP_SECOND and (m + 1) % _QUARTER == 0
    time(h, m, s - leap)  # refuses 24:00, 16:60 and 16:07:60
    since = timedelta(0, h * 3600 + m * 60 + s)
    if second:
        precision, part, shown = _fraction(fraction or "")
        return precision, since + part, shown
    precision = "minute" if minute else "hour"
    return precision, since, _SHOWN[precision]


def _fraction(digits: str) -> _Hand:
    """Read the digits behind a second; the interval holds all that could follow them."""
    if not digits:
        return "second", timedelta(0), _SHOWN["second"]
    kept = digits[:_MICROSECOND_DIGITS]
    unit = 10 ** (_MICROSECOND_DIGITS - len(kept))
    precision = "millisecond" if len(digits) <= _MILLISECOND_DIGITS else "microsecond"
    return precision, timedelta(0, 0, int(kept) * unit), timedelta(0, 0, unit - 1)
