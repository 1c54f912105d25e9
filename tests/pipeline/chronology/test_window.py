"""The window: what is kept of items and stories, and for how long."""

from datetime import timedelta
from typing import Any

from pipeline.chronology.report import TEXT_KEPT_CHARACTERS, VERSIONS_KEPT

LATER = "2026-07-07T12:00:00Z"


def members(desk: Any, story: str) -> list[str]:
    return [report.item_id for report in desk.state.window.members(story, 9)]


def test_the_last_touched_member_comes_first(desk: Any) -> None:
    desk.post("a/1", "12:00:00")
    desk.post("b/1", "12:10:00")
    desk.post("a/1", "12:00:00", "13:00:00")
    assert members(desk, "s") == ["a/1", "b/1"]


def test_eviction_leaves_what_came_later_of_the_same_item(desk: Any) -> None:
    desk.post("a/1", "12:00:00", reply_to="a/0")
    desk.post("b/1", "12:10:00")
    desk.post("a/1", "12:00:00", "13:00:00")
    desk.turn(LATER, "12:30")
    assert members(desk, "s") == ["a/1"]
    assert [version.revision for version in desk.state.window.report("a/1").versions] == [2]
    assert desk.state.window.mentions.sets == {}
    desk.turn(LATER, "14:00")
    assert desk.state.window.reports == {}
    assert desk.state.window.stories.sets == {}


def test_only_so_many_versions_are_kept_and_their_links_with_them(desk: Any) -> None:
    for minute in range(VERSIONS_KEPT + 1):
        desk.post("a/1", "12:00:00", f"12:{minute:02}:30", reply_to=None if minute else "a/0")
        assert ("a/0" in desk.state.window.mentions.sets) is (minute < VERSIONS_KEPT)
    kept = [version.revision for version in desk.state.window.report("a/1").versions]
    assert kept == list(range(2, VERSIONS_KEPT + 2))


def test_only_the_newest_text_is_kept_and_not_all_of_it(desk: Any) -> None:
    desk.post("a/1", "12:00:00", text="x" * 10_000)
    desk.post("a/1", "12:00:00", "13:00:00", text="y" * 10_000)
    first, second = desk.state.window.report("a/1").versions
    assert (first.text, second.text) == (None, "y" * TEXT_KEPT_CHARACTERS)


def test_an_item_is_in_one_story_at_a_time(desk: Any) -> None:
    desk.post("a/1", "12:00:00", story="s")
    desk.post("b/1", "12:00:00", story="s")
    desk.change("split", "t", item_id="a/1", other_story_id="s")
    assert (members(desk, "s"), members(desk, "t")) == (["b/1"], ["a/1"])
    desk.change("merged", "s", other_story_id="t")
    assert (members(desk, "s"), members(desk, "t")) == ([], ["b/1", "a/1"])
    desk.change("left", "s", item_id="a/1")
    assert members(desk, "t") == ["b/1", "a/1"]
    desk.change("left", "t", item_id="a/1")
    assert members(desk, "t") == ["b/1"]
    assert desk.state.window.report("a/1").story is None


def test_changes_of_unknown_items_are_passed_over(desk: Any) -> None:
    desk.verdict("x/1", "y/1")
    desk.change("left", "s", item_id="x/1")
    desk.change("split", "t", item_id="x/1", other_story_id="s")
    desk.change("merged", "s", other_story_id="t")
    assert desk.state.window.reports == {}


def test_records_without_a_stamp_or_text_are_taken(desk: Any) -> None:
    desk.now += timedelta(hours=1)
    assert desk.post("a/1", None, "12:00:00", text="", sequence=None, url=None) == []
    assert desk.state.window.report("a/1").span is None
