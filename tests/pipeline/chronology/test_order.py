"""Rules on two times whose order cannot be, record by record."""

from typing import Any

import pytest


@pytest.mark.parametrize(
    ("published", "observed", "fields", "severity"),
    [
        ("12:00:00", "12:00:00", {}, None),
        ("12:00:02", "12:00:00", {}, None),
        ("12:00:03", "12:00:00", {}, "warn"),
        ("12:05:00", "12:00:00", {}, "warn"),
        ("12:05:01", "12:00:00", {}, "critical"),
        ("12:01:00", "12:00:00", {"delivery": "polled"}, None),
        ("12:01:01", "12:00:00", {"delivery": "polled"}, "warn"),
        ("13:00:00", "12:00:00", {"observed_assumed": True}, None),
        ("13:00:00", "12:00:00", {"backlog": True}, "critical"),
        ("2026-07-04", "12:00:00", {}, None),
        ("2026-07-04 14:20:00", "12:00:00", {}, None),
        ("2026-07-06", "12:00:00", {}, "critical"),
        ("soon", "12:00:00", {}, None),
        (None, "12:00:00", {}, None),
    ],
)
def test_future_dated(
    desk: Any, published: str | None, observed: str, fields: dict[str, Any], severity: str | None
) -> None:
    flags = desk.post("a/1", published, observed, **fields)
    assert [(flag.flag, flag.severity) for flag in flags] == (
        [("future_dated", severity)] if severity else []
    )


def test_future_dated_carries_its_evidence(desk: Any) -> None:
    (flag,) = desk.post("a/1", "15:00:00", "12:00:00", absent="11:45", delivery="polled", story=None)
    assert flag.summary == "a stamped this 3 h later than we saw it."
    assert (flag.apart_seconds, flag.source, flag.scope, flag.state) == (10_800, "a", "item", "open")
    assert [line.what for line in flag.evidence] == ["published", "observed", "absent"]
    assert flag.evidence[0].stamp.raw == "2026-07-04T15:00:00+00:00"
    assert (flag.rule, flag.number, flag.cause) == ("future_dated/1", 1, "r0")
    assert flag.subjects[0].url == "https://example.org/a/1"


@pytest.mark.parametrize(
    ("published", "revised", "found"),
    [
        ("12:00:00", None, False),
        ("12:00:00", "12:30:00", False),
        ("12:00:00", "11:59:00", False),
        ("12:00:00", "11:58:59", True),
        ("2026-07-04 12:00 UTC", "11:58:59", True),
        ("2026-07-04", "11:00:00", False),
        (None, "11:00:00", False),
        ("12:00:00", "yesterday", False),
    ],
)
def test_edit_before_publish(desk: Any, published: str | None, revised: str | None, *, found: bool) -> None:
    desk.post("a/1", published, "13:00:00", revised=revised)
    assert desk.standing == ({"edit_before_publish": [("a/1",)]} if found else {})


@pytest.mark.parametrize(
    ("published", "observed", "numbers", "scope"),
    [
        pytest.param("12:10:00", "12:10:05", (6, 5), None, id="lawful"),
        pytest.param("11:59:58", "12:10:05", (6, 5), None, id="within the tolerance"),
        pytest.param("11:59:57", "12:10:05", (6, 5), "pair", id="just beyond it"),
        pytest.param("2026-07-04", "12:10:05", (6, 5), None, id="a day is no contradiction"),
        pytest.param("11:50:00", "11:50:05", (4, 5), "item", id="number and sight agree"),
        pytest.param("11:50:00", "11:50:05", (None, None), "item", id="sight alone agrees"),
        pytest.param("11:50:00", "12:10:05", (4, 5), "item", id="the number alone agrees"),
        pytest.param("11:50:00", "12:10:05", (6, 5), "pair", id="number and sight contradict"),
    ],
)
def test_reply_before_parent(
    desk: Any, published: str, observed: str, numbers: tuple[int, int], scope: str | None
) -> None:
    """It can be judged once both are there, whichever comes first."""

    def reply() -> list[Any]:
        found: list[Any] = desk.post(
            "a/reply", published, observed, reply_to="a/parent", sequence=numbers[0], story=None
        )
        return found

    flags = reply() if observed < "12" else []
    flags += desk.post("a/parent", "12:00:00", sequence=numbers[1], story=None)
    flags += reply() if observed > "12" else []
    assert [(flag.flag, flag.scope) for flag in flags] == ([("reply_before_parent", scope)] if scope else [])
    if scope:
        assert [subject.item_id for subject in flags[0].subjects] == ["a/reply", "a/parent"]
        assert flags[0].severity == "critical"
        assert flags[0].apart_seconds == (3 if published > "11:55" else 600)


def test_a_reply_to_another_source_is_not_judged(desk: Any) -> None:
    """Two clocks, and whose is right is not known."""
    desk.post("b/parent", "12:00:00", story=None)
    desk.post("a/reply", "11:00:00", "12:10:00", reply_to="b/parent", story=None)
    assert desk.standing == {}


def test_a_parent_whose_own_stamp_is_wrong_proves_nothing(desk: Any) -> None:
    desk.post("a/parent", "15:00:00", "12:00:00", story=None)
    desk.post("a/reply", "12:10:00", reply_to="a/parent", story=None)
    assert desk.standing == {"future_dated": [("a/parent",)]}


@pytest.mark.parametrize(("backlog", "flags"), [(True, 1), (False, 2)])
def test_a_parent_edited_before_publication_counts_only_if_we_saw_it_appear(
    desk: Any, *, backlog: bool, flags: int
) -> None:
    """One of its two stamps is wrong; if we were looking, we know that `published` is right."""
    desk.post("a/parent", "12:00:00", story=None, revised="10:00:00", backlog=backlog)
    desk.post("a/reply", "11:50:00", "12:10:00", reply_to="a/parent", story=None)
    assert len(desk.standing) == flags


def test_the_reply_is_explained_once_its_parent_is_flagged(desk: Any) -> None:
    desk.post("a/parent", "11:30:00", "11:30:05", story=None, sequence=1)
    desk.post("a/reply", "11:10:00", "11:40:00", reply_to="a/parent", story=None, sequence=2)
    assert desk.flag("reply_before_parent").state == "open"
    desk.post("a/parent", "19:00:00", "11:50:00", story=None, sequence=1, text="other")
    flag = desk.flag("reply_before_parent")
    assert (flag.state, flag.number) == ("explained", 2)
    assert desk.flag("future_dated").flag_id in flag.reason


@pytest.mark.parametrize(
    ("published", "date", "original", "words"),
    [
        ("12:10:00", "12:00:00", "12:00:00", None),
        ("12:00:00", "12:00:02", None, None),
        ("12:00:00", "12:00:03", None, "forwarded a post 3 s before it was published"),
        ("12:00:00", "12:20:00", None, "forwarded a post 20 min before it was published"),
        ("12:00:00", "2026-07-04", None, None),
        ("12:00:00", "soon", None, None),
        ("12:50:00", "12:40:00", "12:00:00", "dates the post that it forwards 39 min 55 s later"),
        ("12:50:00", "12:40:00", None, None),
    ],
)
def test_forward_before_original(
    desk: Any, published: str, date: str, original: str | None, words: str | None
) -> None:
    if original:
        desk.post("b/1", original)
    desk.post("a/1", published, "12:55:00", forward=("b/1", date), copy_of="b/1")
    assert desk.standing == ({"forward_before_original": [("a/1",)]} if words else {})
    if words:
        flag = desk.flag("forward_before_original")
        assert words in flag.summary
        assert flag.severity == "critical"
        assert [line.what for line in flag.evidence][:2] == ["published", "forward_date"]


def test_a_forward_seen_before_its_original_is_lawful(desk: Any) -> None:
    """We may meet the forward first; that says nothing of the stamps."""
    desk.post("a/1", "12:10:00", "12:10:05", forward=("b/1", "12:00:00"), copy_of="b/1")
    desk.post("b/1", "12:00:00", "12:30:00", delivery="polled")
    assert desk.standing == {}


def test_the_original_of_a_forward_may_come_later(desk: Any) -> None:
    desk.post("a/1", "12:50:00", forward=("b/1", "12:40:00"), copy_of="b/1")
    desk.post("b/1", "11:00:00", "11:00:05")
    assert desk.standing == {"forward_before_original": [("a/1",)]}


def test_a_stamp_put_right_withdraws_the_flag_and_a_wrong_one_raises_it_again(desk: Any) -> None:
    desk.post("a/1", "15:00:00", "12:00:00")
    assert desk.post("a/1", "15:00:00", "15:30:00") == []
    (flag,) = desk.post("a/1", "12:00:00", "16:00:00")
    assert (flag.state, flag.number, flag.reason) == ("withdrawn", 2, "its stamp no longer lies ahead")
    (flag,) = desk.post("a/1", "19:00:00", "16:10:00")
    assert (flag.state, flag.number, flag.reason) == ("open", 3, None)
    assert flag.raised < flag.changed


def test_a_reply_that_names_another_parent_is_let_go(desk: Any) -> None:
    desk.post("a/9", "12:00:00", story=None, sequence=9)
    desk.post("a/8", "11:00:00", "11:00:05", reply_to="a/9", story=None, sequence=8)
    (flag,) = desk.post("a/8", "11:00:00", "12:30:00", story=None, sequence=8)
    assert (flag.flag, flag.state) == ("reply_before_parent", "withdrawn")
