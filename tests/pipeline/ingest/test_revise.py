"""An edit, the same again, and an old state from a cache are told apart."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.ingest.revise import HASHES_KEPT, Judgement, judge, remember
from schemas.item import Draft
from schemas.records import Seen
from schemas.stamp import Stamp

NOON = datetime(2026, 7, 4, 12, tzinfo=UTC)


def draft(text: str, *, version: int | None = None, revised: str | None = None) -> Draft:
    return Draft(
        item_id="w/1",
        source="w",
        native_id="1",
        text=text,
        version=version,
        revised=Stamp.parse(revised) if revised else None,
    )


class Memory:
    """Ingest's memory of one item, fed observation by observation."""

    def __init__(self) -> None:
        self.seen: Seen | None = None

    def sees(
        self,
        text: str,
        minute: int,
        *,
        version: int | None = None,
        revised: str | None = None,
        late: bool = False,
    ) -> Judgement:
        post = draft(text, version=version, revised=revised)
        observed = NOON + timedelta(minutes=minute)
        judgement = judge(post, post.hashed(), observed, self.seen, late=late)
        if judgement.kind in ("first", "later"):
            self.seen = remember(
                post,
                post.hashed(),
                observed,
                self.seen,
                judgement,
                source="s",
                connector="x/1",
                listed=observed,
            )
        return judgement


def test_a_new_item_is_revision_one() -> None:
    assert Memory().sees("a", 0) == Judgement("first", 1)


def test_the_same_again_is_no_revision() -> None:
    memory = Memory()
    memory.sees("a", 0)
    assert memory.sees("a", 5).kind == "unchanged"


def test_a_changed_edit_date_alone_is_no_revision() -> None:
    memory = Memory()
    memory.sees("a", 0)
    assert memory.sees("a", 5, revised="2026-07-04T12:05:00Z").kind == "unchanged"


def test_edits_are_numbered() -> None:
    memory = Memory()
    assert [memory.sees(text, minute).revision for minute, text in enumerate("abc")] == [1, 2, 3]


@pytest.mark.parametrize(
    ("first", "second", "again"),
    [
        ({"version": 1}, {"version": 2}, {"version": 1}),
        (
            {"revised": "2026-07-04T12:00:00Z"},
            {"revised": "2026-07-04T12:10:00Z"},
            {"revised": "2026-07-04T12:00:00Z"},
        ),
    ],
)
def test_an_old_state_from_a_cache_is_stale(first: dict, second: dict, again: dict) -> None:  # type: ignore[type-arg]
    memory = Memory()
    memory.sees("a", 0, **first)
    memory.sees("b", 10, **second)
    assert memory.sees("a", 20, **again) == Judgement("stale", 1)
    assert memory.sees("b", 30, **second).kind == "unchanged"


def test_an_old_state_by_observed_time_is_stale() -> None:
    memory = Memory()
    memory.sees("a", 0)
    memory.sees("b", 10)
    assert memory.sees("a", 0).kind == "stale"


def test_an_edit_back_to_old_words_is_a_revision_that_says_so() -> None:
    memory = Memory()
    memory.sees("a", 0)
    memory.sees("b", 10)
    assert memory.sees("a", 20) == Judgement("later", 3, returned_to=1)


def test_an_old_state_never_seen_is_kept_as_late_and_the_newest_stays_current() -> None:
    memory = Memory()
    memory.sees("b", 10, version=2)
    assert memory.sees("a", 20, version=1) == Judgement("later", 2, late=True)
    assert memory.sees("b", 30, version=2).kind == "unchanged"
    assert memory.sees("a", 40, version=1).kind == "stale"


def test_what_the_connector_knows_to_be_older_is_late_or_stale_or_the_first() -> None:
    memory = Memory()
    assert memory.sees("a", 0, late=True) == Judgement("first", 1)
    memory.sees("c", 10)
    assert memory.sees("b", 20, version=3, late=True) == Judgement("later", 3, late=True)
    assert memory.sees("a", 30, version=4, late=True) == Judgement("stale", 1)
    assert memory.sees("c", 40).kind == "unchanged"


def test_memory_of_hashes_is_bounded_and_keeps_the_newest() -> None:
    memory = Memory()
    for number in range(20):
        memory.sees(f"text {number}", number)
    assert memory.seen is not None
    assert len(memory.seen.hashes) == HASHES_KEPT
    assert memory.seen.current in memory.seen.hashes


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 20)), max_size=25))
def test_numbers_have_no_hole_and_reading_all_again_adds_nothing_new(looks: list[tuple[str, int]]) -> None:
    memory = Memory()
    judgements = [memory.sees(text, minute) for text, minute in looks]
    revisions = [one.revision for one in judgements if one.kind in ("first", "later")]
    assert revisions == list(range(1, len(revisions) + 1))
    if memory.seen is not None:
        before = memory.seen
        ordered = sorted(set(looks), key=lambda look: look[1])
        for text, minute in ordered:
            if NOON + timedelta(minutes=minute) < before.observed:
                memory.sees(text, minute)
        assert memory.seen.revision == before.revision
