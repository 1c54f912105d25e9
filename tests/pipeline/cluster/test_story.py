"""Stories after each kind of step: counts, headline, members, times."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pipeline.cluster import story as stories
from schemas.stamp import Stamp
from schemas.story import MEMBERS_SHOWN, Story

AT = datetime(2026, 7, 4, 6, tzinfo=UTC)
COPY = {"role": "copy", "kind": "exact", "original": "one/a", "score": 1.0}


def tally(story: Story) -> tuple[int, int, int, int, int]:
    numbers = story.tally
    return numbers.items, numbers.originals, numbers.sources, numbers.owners, numbers.revisions


@pytest.fixture
def story(tell: Any) -> Story:
    return stories.opened(tell("A ferry is back in Piraeus.", "a", published="2026-07-04T05:50:00Z"), AT)


def test_a_story_opens_with_its_first_item(story: Story) -> None:
    assert story.story_id == "s-fd84451aa7bd2480"
    assert (story.state, story.number, story.headline) == ("open", 1, "A ferry is back in Piraeus.")
    assert (story.sources, story.language) == (("one",), None)
    assert tally(story) == (1, 1, 1, 1, 1)
    assert (story.opened, story.changed, story.closed) == (AT, AT, None)
    assert [member.item_id for member in story.members] == ["one/a"]


def test_the_id_depends_on_item_and_revision_alone(tell: Any) -> None:
    names = [
        stories.identity(tell(text, name, revision=revision).item)
        for text, name, revision in (("x", "a", 1), ("y", "a", 1), ("x", "a", 2), ("x", "b", 1))
    ]
    assert names[0] == names[1]
    assert len(set(names)) == 3


def test_independent_owners_are_sources_with_words_of_their_own(story: Story, tell: Any) -> None:
    story = stories.joined(story, tell("x", "b", source="two", verdict=COPY), AT, 1.0)
    assert tally(story) == (2, 1, 2, 1, 2)
    story = stories.joined(story, tell("x", "c", source="three"), AT, 0.5)
    assert tally(story) == (3, 2, 3, 2, 3)
    story = stories.joined(story, tell("x", "d", source="three"), AT, 0.5)
    assert tally(story) == (4, 3, 3, 2, 4)
    story = stories.joined(story, tell("x", "e", source="two"), AT, 0.5)
    assert tally(story) == (5, 4, 3, 3, 5)
    assert story.sources == ("one", "two", "three")
    assert [member.score for member in story.members] == [None, 1.0, 0.5, 0.5, 0.5]
    assert story.number == 5


def test_the_first_fifty_members_are_shown_and_all_are_counted(story: Story, tell: Any) -> None:
    for number in range(MEMBERS_SHOWN + 9):
        source = f"s{number % 60}" if number >= MEMBERS_SHOWN else "one"
        story = stories.joined(story, tell("x", f"{number}", source=source), AT, 0.5)
    assert [member.item_id for member in story.members] == ["one/a", *(f"one/{n}" for n in range(49))]
    assert tally(story) == (60, 60, 10, 10, 60)


def test_the_headline_is_that_of_the_first_original(tell: Any) -> None:
    story = stories.opened(tell("A copy came first.", "b", source="two", verdict=COPY), AT)
    assert (story.headline, tally(story)) == ("A copy came first.", (1, 0, 1, 0, 1))
    story = stories.joined(story, tell("The original itself.", "a"), AT, 1.0)
    story = stories.joined(story, tell("Another original.", "c"), AT, 0.5)
    assert story.headline == "The original itself."


def test_a_revision_changes_its_member_and_no_count_of_items(story: Story, tell: Any) -> None:
    later = AT + timedelta(minutes=5)
    new = tell("A ferry is back in Aegina.", "a", revision=2, at=later)
    story = stories.revised(story, new, later, "original")
    assert tally(story) == (1, 1, 1, 1, 2)
    assert [(member.revision, member.headline) for member in story.members] == [
        (2, "A ferry is back in Aegina.")
    ]
    assert story.headline == "A ferry is back in Piraeus."
    assert (story.number, story.changed, story.first_observed, story.last_observed) == (2, later, AT, later)


def test_a_withdrawal_takes_no_words_away(story: Story, tell: Any) -> None:
    story = stories.revised(story, tell("", "a", revision=2, status="withdrawn"), AT, "original")
    assert [(member.revision, member.headline) for member in story.members] == [
        (2, "A ferry is back in Piraeus.")
    ]


def test_a_revision_may_bring_another_role(story: Story, tell: Any) -> None:
    story = stories.revised(story, tell("x", "a", revision=2, verdict=COPY), AT, "original")
    assert tally(story) == (1, 0, 1, 0, 2)


@pytest.mark.parametrize(("after", "expected"), [("copy", (2, 1, 2, 1, 2)), ("original", (2, 2, 2, 2, 2))])
def test_a_verdict_changes_the_counts(
    story: Story, tell: Any, after: str, expected: tuple[int, int, int, int, int]
) -> None:
    story = stories.joined(story, tell("x", "b", source="two"), AT, 0.5)
    judged = stories.judged(story, "two/b", "original", after)
    assert tally(judged) == expected
    assert judged.members[1].role == after


def test_owners_stay_as_counted_where_not_all_members_are_shown(story: Story, tell: Any) -> None:
    for number in range(MEMBERS_SHOWN):
        story = stories.joined(story, tell("x", f"{number}", source=f"s{number}"), AT, 0.5)
    story = stories.judged(story, "s3/3", "original", "copy")
    assert tally(story) == (51, 50, 51, 51, 51)


def test_known_stamps_bound_a_story(story: Story, tell: Any) -> None:
    for name, stamp in (("b", "2026-07-04T05:40:00Z"), ("c", "yesterday"), ("d", "2026-07-04 06:10 UTC")):
        story = stories.joined(story, tell("x", name, published=stamp), AT, 0.5)
    assert story.first_published == datetime(2026, 7, 4, 5, 40, tzinfo=UTC)
    assert story.last_published == datetime(2026, 7, 4, 6, 10, 59, 999999, tzinfo=UTC)


@pytest.mark.parametrize(
    ("stamp", "expected"),
    [
        ("2026-07-11T05:50:00Z", False),
        ("2026-07-11T05:50:02Z", True),
        ("2026-06-27T05:50:00Z", False),
        ("2026-06-27T05:49:58Z", True),
        ("2025-07-03T17:30:00Z", True),
        ("2026-07-11", False),
        ("no date", False),
        (None, False),
    ],
)
def test_stamps_more_than_a_week_apart_are_far(story: Story, stamp: str | None, expected: bool) -> None:  # noqa: FBT001 # a table's column
    assert stories.far_apart(story, None if stamp is None else Stamp.parse(stamp)) is expected


def test_a_story_without_known_stamps_is_near_to_all(tell: Any) -> None:
    story = stories.opened(tell("x", "a", published="soon"), AT)
    assert not stories.far_apart(story, Stamp.parse("2020-01-01T00:00:00Z"))


def test_a_late_arrival_moves_no_time_back(story: Story, tell: Any) -> None:
    story = stories.joined(story, tell("x", "b", at=AT - timedelta(hours=1)), AT, 0.5)
    assert story.last_observed == AT


def test_closing_ends_a_story(story: Story) -> None:
    later = AT + timedelta(days=2)
    closed = stories.closed(story, later)
    assert (closed.state, closed.closed, closed.changed, closed.number) == ("closed", later, later, 2)
    assert closed.tally == story.tally
