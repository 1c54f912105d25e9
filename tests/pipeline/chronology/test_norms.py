"""What is normal for a source: gathered, written at boundaries, mixed with its class."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.chronology.norms import CLASSES, ENOUGH, GATHERED, KEPT, merged, norm_of
from schemas.records import Baseline

VALUES = st.lists(st.floats(-1e6, 1e6), max_size=250)


@given(known=VALUES, new=VALUES)
def test_a_series_stays_sorted_short_and_within_its_values(known: list[float], new: list[float]) -> None:
    before = merged((), known)
    after = merged(before, new)
    assert list(after) == sorted(after)
    assert len(after) == min(KEPT, len(before) + len(new))
    assert set(after) <= {*before, *new}


def test_quantiles_of_many_values() -> None:
    series = merged((), [float(n) for n in range(GATHERED)])
    assert (series[0], series[49], series[99]) == (2.0, 247.0, 497.0)


def test_old_values_weigh_more_than_few_new_ones_and_fade() -> None:
    series = merged((), [0.0] * KEPT)
    series = merged(series, [1.0] * 100)
    assert series.count(1.0) == 20
    for _ in range(20):
        series = merged(series, [1.0] * 100)
    assert series.count(1.0) > 90


def baseline(desk: Any, lag: tuple[float, ...], delivery: tuple[float, ...] = ()) -> Baseline:
    return Baseline(source="a", boundary=desk.now, count=len(delivery), lag=lag, delivery=delivery)


def test_below_fifty_values_the_class_decides(desk: Any) -> None:
    norm = norm_of(baseline(desk, (90_000.0,) * (ENOUGH - 1)), "pushed")
    assert (norm.lag, norm.lags) == (CLASSES["pushed"].lag, ENOUGH - 1)
    assert norm_of(None, "polled") == CLASSES["polled"]


@pytest.mark.parametrize(("count", "own"), [(ENOUGH, 0.5), (100, 2 / 3)])
def test_from_fifty_values_on_the_sources_own_share_grows(desk: Any, count: int, own: float) -> None:
    norm = norm_of(baseline(desk, (-30_000.0,) * count, (20.0,) * count), "pushed")
    assert norm.lag == pytest.approx(own * 90_000 + (1 - own) * CLASSES["pushed"].lag)
    assert norm.late == pytest.approx(own * 60 + (1 - own) * CLASSES["pushed"].late)


def test_a_few_wrong_stamps_do_not_widen_the_limit(desk: Any) -> None:
    clean = norm_of(baseline(desk, (), (4.0,) * 60), "pushed")
    assert norm_of(baseline(desk, (), (*(4.0,) * 55, *(2e7,) * 5)), "pushed") == clean


def test_deliveries_edits_and_lags_are_written_at_the_boundary(desk: Any) -> None:
    desk.post("a/1", "01:00:00", "01:00:05")
    desk.post("a/1", "01:00:00", "01:30:00", revised="01:20:00")
    desk.post("b/1", "01:10:00", "01:10:02")
    desk.post("c/1", "01:30:00", "01:30:09")
    assert desk.state.baselines == {}
    desk.turn("06:00", "00:00")
    assert {
        source: (line.lag, line.delivery, line.edit, line.count)
        for source, line in desk.state.baselines.items()
    } == {
        "a": ((-1200.0,), (5.0,), (1200.0,), 1),
        "b": ((-300.0,), (2.0,), (), 1),
        "c": ((1500.0,), (9.0,), (), 1),
    }
    desk.post("d/1", "06:10:00")
    assert "d" not in desk.state.baselines
    desk.turn("12:00", "06:00")
    assert desk.state.baselines["d"].lag == (18_000.0,)
    assert desk.state.baselines["a"].lag == (-1200.0,)


@pytest.mark.parametrize(
    "fields",
    [
        {"backlog": True},
        {"observed_assumed": True},
        {"published": "long ago"},
        {"late": True},
    ],
)
def test_what_tells_nothing_of_delivery_is_left_out(desk: Any, fields: dict[str, Any]) -> None:
    desk.post("a/1", **{"published": "01:00:00", "observed": "02:00:00", **fields})
    desk.turn("06:00", "00:00")
    assert all(line.delivery == () for line in desk.state.baselines.values())


def test_a_follow_up_is_no_lag(desk: Any) -> None:
    for source, time in (("a", "01:00:00"), ("b", "01:10:00"), ("c", "01:20:00"), ("c", "05:00:00")):
        desk.post(f"{source}/{time}", time)
    desk.turn("06:00", "00:00")
    assert desk.state.baselines["c"].lag == (900.0,)


def test_a_sources_own_lag_decides_what_conflicts(desk: Any) -> None:
    """A channel that is often five hours late is no conflict when it is again."""
    slow = Baseline(source="b", boundary=desk.now, count=100, lag=tuple(7_000.0 + n for n in range(100)))
    for number, baseline in enumerate((None, slow)):
        desk.state.learn("b", baseline)
        desk.post(f"a/{number}", "09:00:00", "13:10:00", backlog=True, story=f"s{number}")
        desk.post(f"b/{number}", "13:00:00", "13:10:00", backlog=True, story=f"s{number}")
    assert desk.standing == {"pair_conflict": [("a/0", "b/0")]}


def test_stamps_in_doubt_teach_nothing(desk: Any) -> None:
    desk.post("b/1", "01:00:00")
    desk.post("c/1", "01:10:00")
    desk.post("a/1", "01:20:00", "05:30:00", text="one")
    desk.post("a/2", "2026-07-03T20:00:00Z", "05:31:00", text="two")
    assert desk.standing == {"lag_outlier": [("a/2",)]}
    desk.turn("06:00", "00:00")
    assert desk.state.baselines["a"].delivery == (15_000.0,)
