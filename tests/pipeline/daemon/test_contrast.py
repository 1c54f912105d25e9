"""Where two desks differ, by kind."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pipeline.daemon.contrast import Outcome, Span, counted, differences
from schemas.flag import Flag
from schemas.item import Verdict
from schemas.story import StoryChange

NOON = datetime(2026, 7, 4, 12, tzinfo=UTC)
SPAN = Span(NOON, NOON + timedelta(hours=1))


def verdict(**changes: Any) -> Verdict:
    return Verdict(**{"number": 1, "role": "original", "group": "w/1", "rule": "none/1", **changes})


def place(**changes: Any) -> StoryChange:
    fields = {
        "change": "opened",
        "story_id": "s",
        "at": NOON,
        "reason": "r",
        "cause": "c",
        "rule": "centroid/1",
    }
    return StoryChange(**{**fields, **changes})


def flag(**changes: Any) -> Flag:
    fields = {
        "flag_id": "f",
        "flag": "future_dated",
        "state": "open",
        "number": 1,
        "severity": "warn",
        "scope": "item",
        "subjects": (),
        "summary": "s",
        "evidence": (),
        "rule": "future/1",
        "raised": NOON,
        "changed": NOON,
        "cause": "c",
    }
    return Flag.model_construct(**{**fields, **changes})


def kinds(live: Outcome, shadow: Outcome) -> list[tuple[str, str]]:
    return [(one.what, one.kind) for one in differences(live, shadow, SPAN)]


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({}, []),
        ({"evidence": ("x",), "number": 2}, []),
        ({"rule": "none/2"}, ["rule"]),
        ({"role": "copy", "kind": "near", "original": "w/2", "rule": "near/1"}, ["role"]),
    ],
)
def test_verdicts_by_the_weightiest_difference(changes: dict[str, Any], kind: list[str]) -> None:
    live, shadow = Outcome({("w/1", 1): verdict()}), Outcome({("w/1", 1): verdict(**changes)})
    assert kinds(live, shadow) == [("verdict", one) for one in kind]


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"reason": "other words", "score": 0.5}, []),
        ({"story_id": "t", "change": "joined"}, ["story_id"]),
        ({"change": "revised"}, ["change"]),
    ],
)
def test_places(changes: dict[str, Any], kind: list[str]) -> None:
    live, shadow = Outcome(places={("w/1", 1): place()}), Outcome(places={("w/1", 1): place(**changes)})
    assert kinds(live, shadow) == [("story", one) for one in kind]


@pytest.mark.parametrize(
    ("live", "shadow", "kind"),
    [
        ({}, {}, []),
        ({}, {"severity": "high"}, ["severity"]),
        ({"state": "confirmed"}, {}, ["state"]),
        ({"state": "confirmed", "changed": SPAN.until}, {}, []),
        ({"state": "confirmed", "changed": SPAN.until}, {"rule": "future/2"}, ["rule"]),
    ],
)
def test_a_flag_that_was_changed_behind_the_span_is_compared_by_its_rule_alone(
    live: dict[str, Any], shadow: dict[str, Any], kind: list[str]
) -> None:
    before, after = Outcome(flags={"f": flag(**live)}), Outcome(flags={"f": flag(**shadow)})
    assert kinds(before, after) == [("flag", one) for one in kind]


def test_what_only_one_of_them_has_comes_in_order_and_is_counted() -> None:
    live = Outcome({("w/1", 1): verdict(), ("w/2", 1): verdict()}, {("w/1", 1): place()}, {"f": flag()})
    shadow = Outcome({("w/2", 1): verdict(), ("w/3", 2): verdict()}, {}, {"g": flag()})
    found = differences(live, shadow, SPAN)
    assert [(one.what, one.kind, one.subject) for one in found] == [
        ("verdict", "missing", "w/1 r1"),
        ("verdict", "new", "w/3 r2"),
        ("story", "missing", "w/1 r1"),
        ("flag", "missing", "f"),
        ("flag", "new", "g"),
    ]
    assert found[0][3:] == ("original, none/1", None)
    assert counted([*found, found[0]]) == {
        ("verdict", "missing"): 2,
        ("verdict", "new"): 1,
        ("story", "missing"): 1,
        ("flag", "missing"): 1,
        ("flag", "new"): 1,
    }


def test_the_end_of_a_span_is_not_in_it() -> None:
    assert SPAN.since in SPAN
    assert SPAN.until not in SPAN
