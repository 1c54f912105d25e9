"""Words that changed without a shown edit."""

from typing import Any

import pytest

from pipeline.chronology.report import TEXT_KEPT_CHARACTERS
from pipeline.chronology.rules.edits import COMPARED_WORDS, changes, severity

OLD = "Ferry catches fire off Halcyon Bay, 12 people missing."


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        ("Ferry catches fire off Halcyon Bay, 21 people missing.", "high"),
        ("Ferry catches fire off Marlow Bay, 12 people missing.", "high"),
        ("Ferry never catches fire off Halcyon Bay, 12 people missing.", "high"),
        ("Ferry does not catch fire off Halcyon Bay, 12 people missing.", "high"),
        ("Ferry burns off Halcyon Bay, 12 people missing.", "warn"),
        ("fire catches Ferry off Halcyon Bay, 12 people missing.", "warn"),
        ("Ferry catches fire off Halcyon Bay - 12 people missing!", "info"),
        ("Ferry catches fire off Halcyon Bay, 12 people missing. https://x.org/?utm=1", "info"),
        ("Ferry  catches fire\noff Halcyon Bay, 12 people missing.", None),
        (OLD, None),
    ],
)
def test_severity_by_what_changed(desk: Any, new: str, expected: str | None) -> None:
    desk.post("a/1", "12:00:00", text=OLD)
    flags = desk.post("a/1", "12:00:00", "13:00:00", text=new)
    assert [(flag.flag, flag.severity) for flag in flags] == ([("silent_edit", expected)] if expected else [])


@pytest.mark.parametrize(
    ("first", "second", "hidden", "silent"),
    [
        pytest.param(None, None, False, True, id="no mark"),
        pytest.param(None, "12:30:00", False, False, id="a visible edit"),
        pytest.param("12:30:00", "12:40:00", False, False, id="a second visible edit"),
        pytest.param("12:30:00", "12:30:00", False, True, id="the mark of the last edit"),
        pytest.param(None, "12:00:00", False, True, id="a mark that repeats published"),
        pytest.param(None, "12:30:00", True, True, id="a hidden edit"),
        pytest.param(None, "just now", False, False, id="a mark that cannot be read"),
    ],
)
def test_what_counts_as_shown(
    desk: Any, first: str | None, second: str | None, *, hidden: bool, silent: bool
) -> None:
    desk.post("a/1", "12:00:00", "12:35:00", text=OLD, revised=first)
    desk.post("a/1", "12:00:00", "13:00:00", text="Other words", revised=second, revised_hidden=hidden)
    assert ("silent_edit" in desk.standing) is silent


def test_an_edit_before_publication_is_shown_all_the_same(desk: Any) -> None:
    """One cause, one flag: the mark is there, only its time is impossible."""
    desk.post("a/1", "12:00:00", text=OLD)
    desk.post("a/1", "12:00:00", "13:00:00", text="Other words", revised="10:00:00")
    assert desk.standing == {"edit_before_publish": [("a/1",)]}


def test_the_evidence_shows_what_went_and_what_came(desk: Any) -> None:
    desk.post("a/1", "12:00:00", text=OLD)
    (flag,) = desk.post("a/1", "12:00:00", "13:00:00", text=OLD.replace("12", "21"), absent="12:55")
    assert [line.text for line in flag.evidence if line.what == "text"] == ["removed: 12", "added: 21"]
    assert [line.what for line in flag.evidence[2:]] == ["published", "observed", "observed", "absent"]
    assert flag.subjects[0].revision == 2


def test_each_revision_has_its_own_flag_and_its_own_predecessor(desk: Any) -> None:
    desk.post("a/1", "12:00:00", text=OLD)
    (first,) = desk.post("a/1", "12:00:00", "13:00:00", text=OLD.replace("12", "21"))
    (second,) = desk.post("a/1", "12:00:00", "14:00:00", text=OLD.replace("12", "31"))
    assert first.flag_id != second.flag_id
    assert second.evidence[0].text == "removed: 21"


def test_a_return_explains_the_edit_that_it_undoes(desk: Any) -> None:
    desk.post("a/1", "12:00:00", text=OLD)
    desk.post("a/1", "12:00:00", "13:00:00", text=OLD.replace("12", "21"))
    (flag,) = desk.post("a/1", "12:00:00", "14:00:00", text=OLD, returned_to=1)
    assert (flag.state, flag.reason) == ("explained", "the source went back to revision 1")


def test_an_older_state_seen_late_is_no_edit_and_no_predecessor(desk: Any) -> None:
    desk.post("a/1", "12:00:00", "12:40:00", text=OLD, revised="12:30:00")
    assert desk.post("a/1", "12:00:00", "13:00:00", text="Ferry burns", late=True) == []
    (flag,) = desk.post("a/1", "12:00:00", "14:00:00", text=OLD.replace("12", "21"), revised="12:30:00")
    assert flag.evidence[0].text == "removed: 12"


def test_a_withdrawn_post_has_no_words_to_compare(desk: Any) -> None:
    desk.post("a/1", "12:00:00", text=OLD)
    assert desk.post("a/1", "12:00:00", "13:00:00", text="", status="withdrawn") == []
    assert desk.post("a/1", "12:00:00", "14:00:00", text="Back again") == []


def test_a_change_behind_the_kept_text_is_noticed(desk: Any) -> None:
    long = "word " * (TEXT_KEPT_CHARACTERS // 5 + 10)
    desk.post("a/1", "12:00:00", text=long + "12")
    (flag,) = desk.post("a/1", "12:00:00", "13:00:00", text=long + "21")
    assert flag.severity == "warn"
    assert flag.evidence[0].text == f"changed: behind the first {TEXT_KEPT_CHARACTERS} characters"


def test_a_rewrite_is_shown_whole_and_not_compared_word_by_word() -> None:
    old, new = [f"a{n}" for n in range(COMPARED_WORDS + 1)], ["b"]
    assert changes(" ".join(["x", *old, "y"]), " ".join(["x", *new, "y"])) == (old, new)


def test_repeated_words_at_both_ends_count_once() -> None:
    assert changes("a a", "a a a") == ([], ["a"])
    assert severity("a a", [], "a a a", ["a"]) == "warn"
