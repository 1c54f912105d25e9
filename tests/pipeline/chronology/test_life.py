"""What becomes of a flag: confirmed, explained, ruled on, forgotten."""

from typing import Any

import pytest

from schemas.item import Look, SourceLook


def outlier(desk: Any) -> str:
    """Raise a lag_outlier on a/1 in story s."""
    desk.post("b/1", "12:00:00")
    desk.post("c/1", "12:10:00")
    (flag,) = desk.post("a/1", "06:00:00", "12:15:00")
    ident: str = flag.flag_id
    return ident


def test_nothing_is_written_where_nothing_is_wrong(desk: Any) -> None:
    desk.post("a/1", "12:00:00")
    desk.post("b/1", "12:10:00")
    desk.post("a/1", "12:00:00", "12:30:00", text="Ferry burns", revised="12:29:00")
    desk.post("a/2", "12:40:00", reply_to="a/1")
    look = Look(unit="main", observed=desk.now, sources={"a": SourceLook(result="ok", complete=desk.now)})
    desk.feed(look)
    desk.change("closed", "s")
    assert desk.written == []


def test_a_flag_is_known_by_its_rule_and_subjects(desk: Any) -> None:
    ident = outlier(desk)
    assert ident == "f-57c85d2a15b9955d"
    assert desk.written[-1].key == ident
    assert desk.written[-1].type == "dateline.flag"


def test_the_story_closes_and_its_flags_are_confirmed(desk: Any) -> None:
    outlier(desk)
    desk.post("d/1", "19:00:00", "12:20:00")
    (flag,) = desk.change("closed", "s")
    assert (flag.flag, flag.state, flag.number) == ("lag_outlier", "confirmed", 2)
    assert desk.flag("future_dated").state == "open"
    assert desk.change("closed", "s") == []


def test_a_confirmed_flag_needs_another_stamp_to_go(desk: Any) -> None:
    outlier(desk)
    desk.change("closed", "s")
    assert desk.change("left", "s", item_id="c/1") == []
    (flag,) = desk.post("a/1", "12:05:00", "14:00:00")
    assert flag.state == "withdrawn"


def test_flags_that_leave_the_window_are_confirmed(desk: Any) -> None:
    outlier(desk)
    assert desk.turn("18:00", "06:00") == []
    (flag,) = desk.turn("2026-07-07T18:00:00Z", "2026-07-04T18:00:00Z")
    assert (flag.state, flag.reason) == ("confirmed", "it left the window, and nothing resolved it")
    assert flag.cause == "chronology/1783447200"
    assert desk.state.window.reports == {}
    assert desk.turn("2026-07-08T00:00:00Z", "2026-07-05T00:00:00Z") == []


@pytest.mark.parametrize("settle", ["left", "window"])
def test_a_settled_flag_is_forgotten_after_thirty_days(desk: Any, settle: str) -> None:
    ident = outlier(desk)
    if settle == "left":
        desk.change("left", "s", item_id="a/1")
    desk.turn("2026-07-08T00:00:00Z", "2026-07-05T00:00:00Z")
    changed = desk.state.flags[ident].changed
    desk.turn("2026-08-04T00:00:00Z", "2026-08-01T00:00:00Z")
    gone = settle == "left"
    assert changed.day == (4 if gone else 8)
    assert (ident not in desk.state.flags) is gone
    desk.turn("2026-08-08T00:00:00Z", "2026-08-05T00:00:00Z")
    assert desk.state.flags == {}
    assert desk.state.flagged == {}
    assert (desk.written[-1].key, desk.written[-1].value) == (ident, None)


def test_evidence_that_left_the_window_is_no_reason_to_withdraw(desk: Any) -> None:
    """The others are gone; that they agreed with each other stays true."""
    desk.post("b/1", "12:00:00")
    desk.post("c/1", "12:10:00")
    desk.post("a/1", "06:00:00", "12:15:00")
    desk.post("a/1", "06:00:00", "20:00:00", text="More", revised="19:59:00")
    desk.turn("2026-07-07T18:00:00Z", "2026-07-04T18:00:00Z")
    assert desk.post("d/1", "2026-07-07T18:10:00Z") == []
    assert desk.standing == {"lag_outlier": [("a/1",)]}
    desk.post(
        "a/1", "2026-07-07T18:20:00Z", "2026-07-07T19:00:00Z", text="More", revised="2026-07-07T18:59:00Z"
    )
    assert desk.standing == {}


def test_a_first_sight_that_left_the_window_is_no_reason_to_withdraw(desk: Any) -> None:
    desk.post("a/1", "15:00:00", "12:00:00")
    desk.post("a/1", "15:00:00", "20:00:00", text="More", revised="19:59:00")
    desk.turn("2026-07-07T18:00:00Z", "2026-07-04T18:00:00Z")
    desk.post("a/1", "15:00:00", "2026-07-07T18:30:00Z", text="Still more", revised="2026-07-07T18:29:00Z")
    assert desk.standing == {"future_dated": [("a/1",)]}


@pytest.mark.parametrize(
    ("verdict", "state"), [("acknowledged", "confirmed"), ("disputed", "explained"), ("not_same_story", None)]
)
def test_an_operators_word(desk: Any, verdict: str, state: str | None) -> None:
    ident = outlier(desk)
    flags = desk.rule(ident, verdict)
    assert [(flag.state, flag.reason) for flag in flags] == (
        [(state, f"{verdict} by desk: seen")] if state else []
    )


def test_an_operators_word_stands_against_later_records(desk: Any) -> None:
    ident = outlier(desk)
    desk.rule(ident, "disputed")
    desk.post("e/1", "12:20:00")
    desk.change("left", "s", item_id="e/1")
    assert desk.state.flags[ident].state == "explained"
    assert desk.change("closed", "s") == []


def test_a_word_on_what_is_no_flag_changes_nothing(desk: Any) -> None:
    outlier(desk)
    assert desk.rule("s", "disputed") == []


def test_evidence_that_grows_is_no_news(desk: Any) -> None:
    outlier(desk)
    assert desk.post("d/1", "12:12:00") == []


def test_another_wrong_stamp_is_news(desk: Any) -> None:
    desk.post("a/1", "15:00:00", "12:00:00")
    (flag,) = desk.post("a/1", "15:10:00", "12:30:00")
    assert (flag.state, flag.number, flag.apart_seconds) == ("open", 2, 9_600)


def test_another_severity_is_news(desk: Any) -> None:
    desk.post("b/1", "12:00:00")
    desk.post("c/1", "12:00:00")
    (flag,) = desk.post("a/1", "06:10:00", "12:15:00")
    assert (flag.severity, flag.number) == ("warn", 1)
    assert desk.post("d/1", "12:45:00") == []
    (flag,) = desk.post("e/1", "12:45:00")
    assert (flag.severity, flag.number) == ("high", 2)
