"""What is normal for a source, and for the class of sources that it belongs to, in seconds."""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from schemas.records import Baseline

GATHERED = 500
"""A series keeps so many values of an epoch, the last ones."""
KEPT = 100
"""A written series has at most so many values: its quantiles where it had more."""
FULL_WEIGHT = 4
"""A full series of quantiles stands for GATHERED - KEPT earlier values when it meets new ones."""
ENOUGH = 50
"""From so many values on, a source's own series counts."""
SHARE = 0.9
TAIL = 3.0
"""A value is unusual beyond TAIL times the SHARE quantile. On real lags that is near p99 (2 to 4 times p90),
which of a hundred values is one of the largest two: a single wrong stamp would lift it."""


@dataclass(frozen=True, slots=True)
class Norm:
    """Limits for one source.

    Attributes:
        lag: two reports of one event are seldom further apart than this.
        late: an item seldom surfaces later than this behind its stamp.
        lags: how many values of its own the first limit rests on.
        deliveries: how many the second.
    """

    lag: float
    late: float
    lags: int = 0
    deliveries: int = 0


CLASSES: Mapping[str, Norm] = {
    "pushed": Norm(lag=7_920.0, late=900.0),
    "polled": Norm(lag=48_960.0, late=10_800.0),
}
"""Measured on Telegram channels and on RSS outlets: lags at p99 are 2.2 h and 13.6 h; items of outlets
surface over 3 h late in 4 % of cases."""
SCALES: Mapping[str, float] = {"pushed": 1_800.0, "polled": 8_100.0}
"""Student-t3 scales that give those classes' lag quantiles; pushed: between Telegram's 20 min and the 45 min
of news accounts on Twitter."""
DELIVERY_SCALES: Mapping[str, float] = {"pushed": 30.0, "polled": 1_800.0}
"""The same of the time from a stamp to our sight of it."""


Series = deque[tuple[str, float]]
"""The item_id with each value."""


def _series() -> Series:
    return deque(maxlen=GATHERED)


@dataclass(slots=True)
class Gathered:
    """Values of one epoch and one source."""

    lag: Series = field(default_factory=_series)
    delivery: Series = field(default_factory=_series)
    edit: Series = field(default_factory=_series)


def norm_of(baseline: Baseline | None, delivery: str) -> Norm:
    """Give the limits of a source of a class: the class's, mixed with its own from ENOUGH values on."""
    of_class = CLASSES[delivery]
    if baseline is None:
        return of_class
    return Norm(
        lag=_mixed(baseline.lag, of_class.lag),
        late=_mixed(baseline.delivery, of_class.late),
        lags=len(baseline.lag),
        deliveries=len(baseline.delivery),
    )


def merged(known: Sequence[float], new: Iterable[float]) -> tuple[float, ...]:
    """Put new values to a written series: all of them sorted, or KEPT quantiles where they are more."""
    fresh = list(new)
    if len(known) + len(fresh) <= KEPT:
        return tuple(sorted([*known, *fresh]))
    weight = FULL_WEIGHT if len(known) == KEPT else 1
    pool = sorted([*((value, weight) for value in known), *((value, 1) for value in fresh)])
    total = sum(share for _, share in pool)
    kept: list[float] = []
    passed = 0
    for value, share in pool:
        passed += share
        while len(kept) < KEPT and (2 * len(kept) + 1) * total <= 2 * KEPT * passed:
            kept.append(value)
    return tuple(kept)


def _mixed(own: Sequence[float], of_class: float) -> float:
    """Give the limit: the source's own, drawn towards its class's (n to ENOUGH)."""
    if len(own) < ENOUGH:
        return of_class
    magnitudes = sorted(map(abs, own))
    limit = TAIL * magnitudes[int(SHARE * len(magnitudes))]
    return (len(own) * limit + ENOUGH * of_class) / (len(own) + ENOUGH)
