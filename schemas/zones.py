"""What a printed time zone means, and which UTC interval a wall clock showed.

A closed list: explicit offsets, words for a region's clock (ET: whatever New York observes on that day),
abbreviations that fix an offset (EST: five hours west, even when printed in July), and four abbreviations
that nobody can read without knowing the source (AST, BST, CST, IST).
"""

import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from importlib.resources import files
from typing import NamedTuple
from zoneinfo import ZoneInfo

EASTMOST = timedelta(hours=14)
"""Kiritimati is the first to see a day."""
WESTMOST = timedelta(hours=-12)
"""Ships at the date line are the last to leave it."""

_HOUR = timedelta(hours=1)
_ZONE_NAME = re.compile(r"[A-Za-z0-9_+-]+(?:/[A-Za-z0-9_+-]+)*")
_OFFSET = re.compile(
    r"(UTC|GMT)?\s?([+\-\u2212])((?(1)[0-9]{1,2}|[0-9]{2}))(?::?([0-5][0-9]))?(?:\s*\([ -'*-~]*\))?",
    re.IGNORECASE,
)
_MOST_HOURS = 23


class Span(NamedTuple):
    """One meaning of a time: a UTC interval, both ends included; `reason` is empty for what is printed."""

    lo: datetime
    hi: datetime
    reason: str = ""

    def because(self, reason: str) -> "Span":
        """Give the same interval with a reason in front of its own; an empty one changes nothing."""
        if not reason:
            return self
        return Span(self.lo, self.hi, f"{reason}+{self.reason}" if self.reason else reason)


class Clock(NamedTuple):
    """A way to set clocks.

    `minutes` east of UTC alone is a fixed offset; `region` alone (an IANA name) is whatever that region
    observes; both are an abbreviation, whose region tells whether the letters fit the season; neither means
    that the clock may hang anywhere on Earth.
    """

    minutes: int | None = None
    region: str | None = None


class Zone(NamedTuple):
    """What a printed zone, or the want of one, says of a time.

    `origin` and `name` are `Stamp.zone` and `Stamp.zone_name`. `clocks` are the meanings with their
    reasons; the one without a reason, if there is one, is what is printed.
    """

    origin: str
    name: str | None
    clocks: tuple[tuple[str, Clock], ...]

    def spans(self, start: datetime, end: datetime) -> list[Span]:
        """Give every meaning of the local interval from `start` to `end`, both included.

        A wall clock's time is handed about as the UTC time with the same digits: take the offset off, and it
        is the instant.

        Raises:
            OverflowError: a meaning lies outside the years 1 to 9999.
        """
        return [span.because(reason) for reason, clock in self.clocks for span in _spans(clock, start, end)]


REGIONS: Mapping[str, str] = {
    "et": "America/New_York",
    "eastern": "America/New_York",
    "ct": "America/Chicago",
    "central": "America/Chicago",
    "mt": "America/Denver",
    "mountain": "America/Denver",
    "pt": "America/Los_Angeles",
    "pacific": "America/Los_Angeles",
    "uk": "Europe/London",
    "london": "Europe/London",
    "paris": "Europe/Paris",
    "berlin": "Europe/Berlin",
    "kyiv": "Europe/Kyiv",
    "kiev": "Europe/Kyiv",
    "по киеву": "Europe/Kyiv",
    "msk": "Europe/Moscow",
    "moscow": "Europe/Moscow",
    "мск": "Europe/Moscow",
    "по москве": "Europe/Moscow",
    "istanbul": "Europe/Istanbul",
    "jerusalem": "Asia/Jerusalem",
    "israel": "Asia/Jerusalem",
    "tehran": "Asia/Tehran",
    "beijing": "Asia/Shanghai",
}
"""Words for a region's clock, in lower case; " time" may follow."""

ABBREVIATIONS: Mapping[str, tuple[Clock, ...]] = {
    "nst": (Clock(-210, "America/St_Johns"),),
    "ndt": (Clock(-150, "America/St_Johns"),),
    "ast": (Clock(-240, "America/Halifax"), Clock(180, "Asia/Riyadh")),
    "adt": (Clock(-180, "America/Halifax"),),
    "est": (Clock(-300, "America/New_York"),),
    "edt": (Clock(-240, "America/New_York"),),
    "cst": (Clock(-360, "America/Chicago"), Clock(480, "Asia/Shanghai"), Clock(-300, "America/Havana")),
    "cdt": (Clock(-300, "America/Chicago"),),
    "mst": (Clock(-420, "America/Denver"),),
    "mdt": (Clock(-360, "America/Denver"),),
    "pst": (Clock(-480, "America/Los_Angeles"),),
    "pdt": (Clock(-420, "America/Los_Angeles"),),
    "akst": (Clock(-540, "America/Anchorage"),),
    "akdt": (Clock(-480, "America/Anchorage"),),
    "hst": (Clock(-600, "Pacific/Honolulu"),),
    "brt": (Clock(-180, "America/Sao_Paulo"),),
    "art": (Clock(-180, "America/Argentina/Buenos_Aires"),),
    "wet": (Clock(0, "Europe/Lisbon"),),
    "west": (Clock(60, "Europe/Lisbon"),),
    "bst": (Clock(60, "Europe/London"), Clock(360, "Asia/Dhaka")),
    "cet": (Clock(60, "Europe/Paris"),),
    "cest": (Clock(120, "Europe/Paris"),),
    "met": (Clock(60, "Europe/Berlin"),),
    "mest": (Clock(120, "Europe/Berlin"),),
    "mez": (Clock(60, "Europe/Berlin"),),
    "mesz": (Clock(120, "Europe/Berlin"),),
    "eet": (Clock(120, "Europe/Athens"),),
    "eest": (Clock(180, "Europe/Athens"),),
    "trt": (Clock(180, "Europe/Istanbul"),),
    "idt": (Clock(180, "Asia/Jerusalem"),),
    "irst": (Clock(210, "Asia/Tehran"),),
    "irdt": (Clock(270, "Asia/Tehran"),),
    "gst": (Clock(240, "Asia/Dubai"),),
    "pkt": (Clock(300, "Asia/Karachi"),),
    "ist": (Clock(330, "Asia/Kolkata"), Clock(120, "Asia/Jerusalem"), Clock(60, "Europe/Dublin")),
    "npt": (Clock(345, "Asia/Kathmandu"),),
    "ict": (Clock(420, "Asia/Bangkok"),),
    "wib": (Clock(420, "Asia/Jakarta"),),
    "hkt": (Clock(480, "Asia/Hong_Kong"),),
    "sgt": (Clock(480, "Asia/Singapore"),),
    "pht": (Clock(480, "Asia/Manila"),),
    "awst": (Clock(480, "Australia/Perth"),),
    "jst": (Clock(540, "Asia/Tokyo"),),
    "kst": (Clock(540, "Asia/Seoul"),),
    "acst": (Clock(570, "Australia/Adelaide"),),
    "acdt": (Clock(630, "Australia/Adelaide"),),
    "aest": (Clock(600, "Australia/Sydney"),),
    "aedt": (Clock(660, "Australia/Sydney"),),
    "nzst": (Clock(720, "Pacific/Auckland"),),
    "nzdt": (Clock(780, "Pacific/Auckland"),),
    "wat": (Clock(60, "Africa/Lagos"),),
    "cat": (Clock(120, "Africa/Maputo"),),
    "sast": (Clock(120, "Africa/Johannesburg"),),
    "eat": (Clock(180, "Africa/Nairobi"),),
}
"""Letters that fix an offset, in lower case; more than one clock: the letters alone cannot be read."""

UNIVERSAL: Mapping[str, Zone] = {
    word: Zone("offset", word, (("", Clock(0)),)) for word in ("Z", "UTC", "GMT", "UT")
}


@cache
def zone(name: str) -> ZoneInfo:
    """Give the zone of that IANA name, as the pinned tzdata package has it, never the host.

    Raises:
        ValueError: there is no such zone.
    """
    if _ZONE_NAME.fullmatch(name):
        with suppress(OSError, ValueError), files("tzdata").joinpath("zoneinfo", name).open("rb") as file:
            return ZoneInfo.from_file(file, key=name)
    raise ValueError(f"no such time zone: {name!r}")


@lru_cache(maxsize=256)
def find(word: str, assumed: str | None) -> Zone | None:
    """Say what the printed zone `word` means; none when it is not on the list.

    Args:
        word: as printed, spaces around it removed; empty when no zone is printed.
        assumed: IANA name of the source's zone. It stands in for a missing zone and settles an abbreviation
            that is used there.
    """
    if universal := UNIVERSAL.get(word.upper()):
        return universal
    if not word:
        return Zone("none", None, (("", Clock()),)) if assumed is None else _assumed(assumed)
    if match := _OFFSET.fullmatch(word):
        return _offset(match, assumed)
    key = " ".join(word.lower().split()).removesuffix(" time")
    if region := REGIONS.get(key):
        return Zone("abbreviation", word, (("", Clock(region=region)),))
    return _abbreviation(word, ABBREVIATIONS.get(key, ()), assumed)


def _assumed(name: str) -> Zone:
    return Zone("assumed", name, (("", Clock(region=name)),))


def _offset(match: re.Match[str], assumed: str | None) -> Zone | None:
    universal, sign, hours, minutes = match.groups("")
    east = int(hours) * 60 + int(minutes or 0)
    if int(hours) > _MOST_HOURS:
        return None
    west = sign != "+"
    name = f"{'-' if west else '+'}{int(hours):02}:{minutes or '00'}"
    if west and not east and not universal:
        # RFC 2822 3.3 and RFC 3339 4.3: the time is UTC, where it was printed is unknown. Sloppy printers
        # write it behind a local time, so that reading is kept.
        local = ("zone_unknown", Clock()) if assumed is None else (f"zone:{assumed}", Clock(region=assumed))
        return Zone("none", name, (("", Clock(0)), local))
    return Zone("offset", name, (("", Clock(-east if west else east)),))


def _abbreviation(word: str, clocks: tuple[Clock, ...], assumed: str | None) -> Zone | None:
    if len(clocks) == 1:
        return Zone("abbreviation", word, (("", clocks[0]),))
    meanings = tuple(("" if clock.region == assumed else f"zone:{clock.region}", clock) for clock in clocks)
    if any(not reason for reason, _ in meanings):
        return Zone("assumed", assumed, meanings)
    return Zone("abbreviation", word, meanings) if meanings else None


def _spans(clock: Clock, start: datetime, end: datetime) -> list[Span]:
    minutes, region = clock
    if minutes is not None:
        offset = timedelta(0, minutes * 60)
        printed = Span(start - offset, end - offset)
        return [printed] if region is None else [printed, *_other_season(printed, offset, region)]
    if region is not None:
        return _observed(region, start, end)
    return [Span(start - EASTMOST, end - WESTMOST)]


def _other_season(printed: Span, offset: timedelta, region: str) -> list[Span]:
    """Give what was meant if the letters are those of the wrong season, as in EST printed in July."""
    observed = printed.lo.astimezone(zone(region)).replace(tzinfo=UTC) - printed.lo
    ahead = observed - offset
    if abs(ahead) != _HOUR:
        return []
    reason = "daylight_time" if ahead > timedelta(0) else "standard_time"
    return [Span(printed.lo - ahead, printed.hi - ahead, reason)]


def _observed(region: str, start: datetime, end: datetime) -> list[Span]:
    """Read a local interval as the region's clocks showed it.

    Where they were set back and showed it twice, the interval runs from the first showing to the last. Where
    they were set forward and never showed it, what is printed means nothing. In both cases the offsets before
    and after the change are readings. A whole day is from its first instant to its last, however long.
    """
    tz, length = zone(region), end - start
    first = start.replace(tzinfo=tz, fold=0).astimezone(UTC)
    last = end.replace(tzinfo=tz, fold=1).astimezone(UTC)
    shown = [Span(first, last)] if first <= last else []
    if last - first == length or (shown and length > _HOUR):
        return shown
    return [*shown, Span(first, first + length, "before_change"), Span(last - length, last, "after_change")]
