"""A report hours away from the others of its story."""

from typing import Any

import pytest


def three(desk: Any, **fields: Any) -> None:
    """Three sources within 20 minutes of noon."""
    for source, time in (("b", "12:00:00"), ("c", "12:10:00"), ("d", "12:20:00")):
        desk.post(f"{source}/1", time, **fields)


@pytest.mark.parametrize(
    ("published", "observed", "fields", "found"),
    [
        pytest.param("06:00:00", "12:15:00", {}, True, id="a wrong stamp of a pushed post"),
        pytest.param("09:20:00", "12:15:00", {}, False, id="less than 3 h"),
        pytest.param("06:00:00", "06:00:05", {}, False, id="an honest early report"),
        pytest.param("06:00:00", "06:20:00", {}, False, id="too soon to come from a wrong stamp"),
        pytest.param("18:00:00", "18:00:05", {}, False, id="an honest late report"),
        pytest.param("06:00:00", "12:15:00", {"absent": "05:30"}, False, id="we did not look in between"),
        pytest.param(
            "06:00:00", "12:15:00", {"delivery": "polled", "absent": "11:45"}, True, id="a feed, looked at"
        ),
        pytest.param(
            "08:00:00", "11:30:00", {"delivery": "polled", "absent": "10:45"}, False, id="a slow feed"
        ),
        pytest.param(
            "18:00:00",
            "23:00:00",
            {"delivery": "polled", "absent": "22:30"},
            False,
            id="late, and late to us",
        ),
        pytest.param("06:00:00", "12:15:00", {"backlog": True}, True, id="stamps alone, pushed"),
        pytest.param("18:00:00", "21:00:00", {"backlog": True}, True, id="stamps alone, late"),
        pytest.param(
            "06:00:00", "12:15:00", {"backlog": True, "delivery": "polled"}, False, id="stamps alone, polled"
        ),
        pytest.param("2026-07-03", "12:15:00", {}, False, id="a day without a zone"),
        pytest.param("2026-07-04 02:20:00", "12:15:00", {}, False, id="a clock without a zone"),
        pytest.param("long ago", "12:15:00", {}, False, id="not read"),
        pytest.param("06:00:00", "12:15:00", {"copy_of": "b/1"}, True, id="a copy has a stamp of its own"),
    ],
)
def test_lag_outlier(
    desk: Any, published: str, observed: str, fields: dict[str, Any], *, found: bool
) -> None:
    three(desk)
    desk.post("a/1", published, observed, **fields)
    assert desk.standing == ({"lag_outlier": [("a/1",)]} if found else {})


@pytest.mark.parametrize(("fields", "found"), [({}, True), ({"backlog": True}, False)])
def test_sight_needs_less_distance_than_stamps_alone(
    desk: Any, fields: dict[str, Any], *, found: bool
) -> None:
    """Five hours before others that are an hour apart themselves."""
    for source, time in (("b", "11:00:00"), ("c", "12:00:00"), ("d", "13:00:00")):
        desk.post(f"{source}/1", time)
    desk.post("a/1", "07:00:00", "13:10:00", **fields)
    assert desk.standing == ({"lag_outlier": [("a/1",)]} if found else {})


def test_reports_that_our_own_sight_confirms_are_the_better_reference(desk: Any) -> None:
    desk.post("b/1", "12:00:00")
    desk.post("c/1", "12:10:00")
    for source in ("d", "e", "f"):
        desk.post(f"{source}/1", "06:05:00", "12:12:00", backlog=True)
    desk.post("a/1", "06:00:00", "12:15:00")
    flag = next(flag for flag in desk.state.flags.values() if flag.source == "a")
    assert "median of 2 independent" in flag.summary


def test_the_evidence(desk: Any) -> None:
    three(desk)
    (flag,) = desk.post("a/1", "06:00:00", "12:15:00")
    assert flag.summary == (
        "a stamped this 6 h 10 min before the median of 3 independent other reports, "
        "yet it surfaced 6 h 15 min behind that stamp."
    )
    assert (flag.severity, flag.source, flag.story_id) == ("high", "a", "s")
    consensus = next(line for line in flag.evidence if line.what == "consensus")
    assert (consensus.instant.isoformat(), consensus.count) == ("2026-07-04T12:10:00.500000+00:00", 3)
    peers = [line.item_id for line in flag.evidence if line.what == "published"]
    assert peers == ["a/1", "b/1", "c/1", "d/1"]
    best = flag.hypotheses[0]
    assert (best.reading, best.item_id) == ("a: wrong in a way that no zone explains", "a/1")
    assert best.offset_seconds == 6 * 3600 + 15 * 60


def test_a_zone_that_fits_is_named(desk: Any) -> None:
    three(desk)
    (flag,) = desk.post("a/1", "08:05:00", "12:05:10")
    best = flag.hypotheses[0]
    assert (best.reading, best.zones) == ("a: US Eastern (UTC-4) labelled UTC", ("America/New_York",))


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"copy_of": "b/1"}, id="a copy"),
        pytest.param({"forward": (None, "12:00:00")}, id="a forward"),
        pytest.param({"kind": "market_opened"}, id="a betting question"),
    ],
)
def test_only_independent_reports_are_references(desk: Any, other: dict[str, Any]) -> None:
    desk.post("b/1", "12:00:00")
    desk.post("b/2", "12:01:00", text="the same source again")
    desk.post("c/1", "12:10:00", **other)
    desk.post("a/1", "06:00:00", "12:15:00", copy_of="b/1")
    assert desk.standing == {}
    desk.post("d/1", "12:20:00")
    assert desk.standing == {"lag_outlier": [("a/1",)]}


def test_a_flagged_stamp_is_no_reference(desk: Any) -> None:
    desk.post("b/1", "12:00:00")
    desk.post("c/1", "23:00:00", "12:10:00")
    desk.post("a/1", "06:00:00", "12:15:00", copy_of="b/1")
    assert desk.standing == {"future_dated": [("c/1",)]}


def test_a_stamp_that_our_own_sight_confirms_remains_a_reference(desk: Any) -> None:
    """The edit's stamp is wrong there; when it was published, we saw."""
    desk.post("b/1", "12:00:00")
    desk.post("c/1", "12:10:00", revised="10:00:00")
    desk.post("a/1", "06:00:00", "12:15:00", copy_of="b/1")
    assert desk.standing == {"edit_before_publish": [("c/1",)], "lag_outlier": [("a/1",)]}


def test_the_worst_goes_first_and_judges_none_of_the_others(desk: Any) -> None:
    desk.post("b/1", "12:00:00")
    desk.post("c/1", "12:10:00")
    desk.post("a/1", "00:30:00", "12:15:00")
    desk.post("e/1", "06:00:00", "12:16:00")
    assert sorted(desk.standing["lag_outlier"]) == [("a/1",), ("e/1",)]
    flag = next(flag for flag in desk.state.flags.values() if flag.source == "e")
    assert "median of 2 independent" in flag.summary


def test_a_stamp_from_the_future_explains_its_distance(desk: Any) -> None:
    three(desk, backlog=True)
    desk.post("a/1", "23:00:00", "12:15:00", backlog=True)
    assert desk.standing == {"future_dated": [("a/1",)]}


def test_the_flag_comes_with_the_second_other_report_and_goes_with_it(desk: Any) -> None:
    desk.post("b/1", "12:00:00")
    desk.post("a/1", "06:00:00", "12:15:00", copy_of="b/1")
    assert desk.standing == {}
    (flag,) = desk.post("c/1", "12:20:00")
    assert (flag.flag, flag.state) == ("lag_outlier", "open")
    (flag,) = desk.change("left", "s", item_id="c/1")
    assert (flag.state, flag.reason) == (
        "withdrawn",
        "fewer than two independent other reports are left",
    )


def test_it_is_withdrawn_when_the_others_turn_out_to_be_copies(desk: Any) -> None:
    desk.post("b/1", "12:00:00")
    desk.post("c/1", "12:10:00")
    desk.post("a/1", "06:00:00", "12:15:00")
    lag, pair = desk.verdict("c/1", "b/1")
    assert (lag.flag, lag.subjects[0].item_id, lag.state) == ("lag_outlier", "a/1", "withdrawn")
    assert (pair.flag, pair.state) == ("pair_conflict", "open")
    assert desk.post("a/2", "06:00:10", "12:30:00", text="The copy is still one") == []


def test_it_is_withdrawn_when_the_item_leaves_or_puts_its_stamp_right(desk: Any) -> None:
    three(desk)
    desk.post("a/1", "06:00:00", "12:15:00")
    (flag,) = desk.change("left", "s", item_id="a/1")
    assert (flag.state, flag.reason) == ("withdrawn", "it is in no story")
    (flag,) = desk.change("split", "s", item_id="a/1", other_story_id="s")
    assert (flag.state, flag.number) == ("open", 3)
    (flag,) = desk.post("a/1", "12:05:00", "13:00:00")
    assert (flag.state, flag.reason) == ("withdrawn", "it lies near the other reports")


def test_a_merged_story_is_judged_as_one(desk: Any) -> None:
    desk.post("b/1", "12:00:00", story="t")
    desk.post("c/1", "12:10:00", story="t")
    desk.post("a/1", "06:00:00", "12:15:00", story="s")
    (flag,) = desk.change("merged", "s", other_story_id="t")
    assert (flag.flag, flag.story_id) == ("lag_outlier", "t")


def test_the_reply_to_an_outlier_is_explained(desk: Any) -> None:
    """The reply is in order; the stamp of what it answers is not."""
    desk.post("a/1", "20:00:00", "20:00:05", sequence=1, story="s", backlog=True)
    desk.post("a/2", "13:00:00", "20:00:05", sequence=2, story=None, reply_to="a/1")
    desk.post("b/1", "12:00:00", "20:00:05")
    desk.post("c/1", "12:10:00", "20:00:05")
    assert desk.standing == {"lag_outlier": [("a/1",)]}
    assert desk.flag("reply_before_parent").state == "explained"


def test_the_severity_grows_with_the_distance(desk: Any) -> None:
    three(desk)
    (flag,) = desk.post("a/1", "08:00:00", "12:15:00")
    assert flag.severity == "warn"
    (flag,) = desk.post("e/1", "2026-07-03T10:00:00Z", "12:15:00")
    assert flag.severity == "high"


def test_a_large_story_is_judged_by_its_last_reports(desk: Any) -> None:
    for number in range(300):
        desk.post(f"s{number}/1", f"12:{number // 60:02}:{number % 60:02}")
    (flag,) = desk.post("a/1", "06:00:00", "12:15:00")
    consensus = next(line for line in flag.evidence if line.what == "consensus")
    assert consensus.count < 50
