"""What could explain that two times of one event are far apart, and how the explanations compare.

The model: a stamp is right, or it shows the local time of a newsroom zone under another label. The lag that
an explanation leaves between the two reports follows a Student-t with 3 degrees of freedom, with gross lags
mixed in; the time from a stamp to our sight of it likewise. Prior: 2 % for a wrong label, spread over
newsroom zones by how much news comes out of them. From one pair no explanation can be shown to be true.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from schemas.flag import Hypothesis
from schemas.stamp import Stamp
from schemas.zones import zone

MISLABELLED = 0.02
"""Prior that one of the two stamps carries the wrong zone."""
MISPLACED = 0.05
"""Prior that reports this far apart tell of two events."""
GROSS_LAGS = 0.1
"""Share of honest lags that follow no scale."""
GROSS_DELIVERIES = 0.02
REACH_SECONDS = 72 * 3_600.0
"""Gross values and other events lie anywhere in so much time."""
AHEAD_SECONDS = 60.0
"""A reading that puts a stamp further than this behind our sight of it is impossible."""
OFF_SEASON = 0.1
"""Newsrooms that print standard time all year, as a share of those that do not."""
SHOWN = 2
"""So many readings of each stamp are listed, and the mirror image of the other's best."""


class Newsroom(NamedTuple):
    """A zone that news is written in.

    Attributes:
        label: for people.
        name: IANA.
        share: of the world's wrong labels, in parts; a judgement, not a measurement.
    """

    label: str
    name: str
    share: float


NEWSROOMS = (
    Newsroom("US Eastern", "America/New_York", 12),
    Newsroom("UK", "Europe/London", 6),
    Newsroom("Central Europe", "Europe/Berlin", 5),
    Newsroom("Moscow", "Europe/Moscow", 5),
    Newsroom("Kyiv", "Europe/Kyiv", 3),
    Newsroom("US Pacific", "America/Los_Angeles", 2),
    Newsroom("India", "Asia/Kolkata", 2),
    Newsroom("Gulf", "Asia/Dubai", 2),
    Newsroom("Turkey", "Europe/Istanbul", 1.5),
    Newsroom("Israel", "Asia/Jerusalem", 1.5),
    Newsroom("China", "Asia/Shanghai", 1.5),
    Newsroom("US Central", "America/Chicago", 1),
    Newsroom("Brazil", "America/Sao_Paulo", 1),
    Newsroom("Iran", "Asia/Tehran", 1),
    Newsroom("Japan", "Asia/Tokyo", 1),
    Newsroom("Pakistan", "Asia/Karachi", 0.5),
    Newsroom("Vietnam", "Asia/Ho_Chi_Minh", 0.5),
    Newsroom("Eastern Australia", "Australia/Sydney", 0.5),
    Newsroom("US Mountain", "America/Denver", 0.3),
)


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two times that are apart.

    Attributes:
        time: as printed, the early end.
        scale: of the lags of its class, in seconds.
        item_id: of the report; none: a median of reports, which has no zone to be wrong about.
        source: its wire's name.
        stamp: the report's.
        observed: when we first had it.
        delivery: scale of its delivery delays in seconds; none: we were not looking when it appeared.
        suspect: third parties speak against it, so that it may be wrong in any way.
    """

    time: datetime
    scale: float
    item_id: str | None = None
    source: str = ""
    stamp: Stamp | None = None
    observed: datetime | None = None
    delivery: float | None = None
    suspect: bool = False


class Reading(NamedTuple):
    """Another meaning of a stamp: what to add to it, and how likely that is beforehand."""

    words: str
    seconds: int
    share: float
    zones: tuple[str, ...] = ()


Weighed = tuple[float, Hypothesis]


def rank(early: Side, late: Side) -> tuple[Hypothesis, ...]:
    """List what can explain the distance between two times, the best first.

    Args:
        early: the one that is printed as earlier.
        late: the other.
    """
    apart = (late.time - early.time).total_seconds()
    scale = math.hypot(early.scale, late.scale)
    ahead = _weighed(early, late, apart, scale)
    behind = _weighed(late, early, -apart, scale)
    rows = [*_listed(ahead, behind), *_listed(behind, ahead)]
    right = (1 - MISLABELLED) * _seen(early, 0) * _seen(late, 0)
    rows.append((right * (1 - MISPLACED) * _lag(apart, scale), _none_wrong(apart)))
    rows.append((right * MISPLACED / REACH_SECONDS, _two_events()))
    return _ranked(rows)


def _weighed(side: Side, other: Side, apart: float, scale: float) -> list[Weighed]:
    """Weigh the readings that bring a side's time nearer to the other's, the best first.

    `apart` is what would have to be added to this side's time.
    """
    whole = sum(room.share for room in NEWSROOMS)
    rows = []
    for reading in readings(side):
        left = apart - reading.seconds
        if abs(left) < abs(apart):
            prior = MISLABELLED / 2 * reading.share / whole
            weight = prior * _lag(left, scale) * _seen(side, reading.seconds) * _seen(other, 0)
            rows.append((weight, _of(side, reading, left)))
    if side.suspect:
        rows.append(_otherwise(side, apart, scale))
    return sorted(rows, key=lambda row: (-row[0], row[1].reading))


def _otherwise(side: Side, apart: float, scale: float) -> Weighed:
    """Weigh that a stamp is off by any amount: by that at which it surfaced, if we were looking."""
    words, prior = "wrong in a way that no zone explains", MISLABELLED / 2 / REACH_SECONDS
    if side.observed is None or side.delivery is None:
        reading = f"{side.source}: {words}"
        return prior, Hypothesis(rank=1, reading=reading, item_id=side.item_id, weight=0)
    moved = round((side.observed - side.time).total_seconds())
    return prior * _lag(apart - moved, scale), _of(side, Reading(words, moved, 0), apart - moved)


def _listed(rows: list[Weighed], others: list[Weighed]) -> list[Weighed]:
    """Give the best rows of a side, and what says the same of it as the other side's best says of that."""
    mirrored = [row for row in rows[SHOWN:] if others and row[1].offset_seconds == -_offset(others[0])]
    return [*rows[:SHOWN], *mirrored]


def _offset(row: Weighed) -> int:
    return row[1].offset_seconds or 0


def readings(side: Side) -> Iterator[Reading]:
    """Give the other meanings of a side's stamp: its own readings, and local times under its label."""
    if side.stamp is None or side.stamp.lo is None:
        return
    for reading in side.stamp.readings:
        seconds = round((reading.lo - side.stamp.lo).total_seconds())
        yield Reading(f"read as {reading.reason}", seconds, NEWSROOMS[0].share)
    stated = _stated(side.stamp)
    if stated is None:
        return
    offset, label = stated
    for minutes, rooms in sorted(_offsets(side.stamp.lo).items()):
        words = " or ".join(words for words, _, _ in rooms[:2])
        yield Reading(
            f"{words} ({_utc(minutes)}) labelled {label}",
            (offset - minutes) * 60,
            sum(share for _, _, share in rooms),
            tuple(name for _, name, _ in rooms if name),
        )


def _offsets(day: datetime) -> dict[int, list[tuple[str, str, float]]]:
    """Give the newsrooms by their offset on a day, in minutes: label, IANA name, share; the largest first.

    A newsroom that prints standard time in summer has no name: the zone does not use that offset then.
    """
    found: dict[int, list[tuple[str, str, float]]] = {}
    for label, name, share in NEWSROOMS:
        local = day.astimezone(zone(name))
        east = round((local.utcoffset() or timedelta(0)).total_seconds()) // 60
        saving = round((local.dst() or timedelta(0)).total_seconds()) // 60
        found.setdefault(east, []).append((label, name, share))
        if saving:
            found.setdefault(east - saving, []).append((f"{label} standard time", "", share * OFF_SEASON))
    return {east: sorted(rooms, key=lambda room: -room[2]) for east, rooms in found.items()}


def _stated(stamp: Stamp) -> tuple[int, str] | None:
    """Give the offset in minutes under which a stamp was read, and its label; none if there is none."""
    name = stamp.zone_name
    if name is None or stamp.lo is None or stamp.zone not in ("offset", "assumed"):
        return None
    if stamp.zone == "assumed":
        try:
            offset = stamp.lo.astimezone(zone(name)).utcoffset() or timedelta(0)
        except ValueError:  # a recorder's word, not a zone
            return None
        return round(offset.total_seconds()) // 60, name
    if name[0] not in "+-":
        return 0, "UTC"
    hours, _, minutes = name[1:].partition(":")
    east = int(f"{name[0]}1") * (int(hours) * 60 + int(minutes or 0))
    return east, _utc(east)


def _of(side: Side, reading: Reading, left: float) -> Hypothesis:
    return Hypothesis(
        rank=1,
        reading=f"{side.source}: {reading.words}",
        item_id=side.item_id,
        offset_seconds=reading.seconds,
        zones=reading.zones,
        apart_seconds=abs(left),
        weight=0,
    )


def _none_wrong(apart: float) -> Hypothesis:
    words = "no stamp is wrong: one source reported hours earlier"
    return Hypothesis(rank=1, reading=words, apart_seconds=apart, weight=0)


def _two_events() -> Hypothesis:
    return Hypothesis(rank=1, reading="two different events (the story should be split)", weight=0)


def _ranked(rows: Iterable[tuple[float, Hypothesis]]) -> tuple[Hypothesis, ...]:
    """Sort by weight, and give each its share, rounded down to four digits."""
    ordered = sorted(rows, key=lambda row: -row[0])
    total = math.fsum(weight for weight, _ in ordered) or 1.0
    return tuple(
        hypothesis.model_copy(update={"rank": n, "weight": math.floor(weight / total * 10_000) / 10_000})
        for n, (weight, hypothesis) in enumerate(ordered, 1)
    )


def _lag(seconds: float, scale: float) -> float:
    """Density of the distance between two honest reports."""
    return (1 - GROSS_LAGS) * _t3(seconds, scale) + GROSS_LAGS / REACH_SECONDS


def _seen(side: Side, moved: float) -> float:
    """Density of the time from a stamp, moved by so many seconds, to our sight of it."""
    if side.observed is None:
        return 1.0
    delay = (side.observed - side.time).total_seconds() - moved
    if delay < -AHEAD_SECONDS:
        return 0.0
    if side.delivery is None:
        return 1.0
    return (1 - GROSS_DELIVERIES) * 2 * _t3(delay, side.delivery) + GROSS_DELIVERIES / REACH_SECONDS


def _t3(seconds: float, scale: float) -> float:
    """Density of Student's t with 3 degrees of freedom."""
    x = seconds / scale
    return 2 / (math.pi * math.sqrt(3) * scale * (1 + x * x / 3) ** 2)


def _utc(minutes: int) -> str:
    if not minutes:
        return "UTC"
    hours, rest = divmod(abs(minutes), 60)
    sign = "-" if minutes < 0 else "+"
    return f"UTC{sign}{hours}" + (f":{rest:02}" if rest else "")
