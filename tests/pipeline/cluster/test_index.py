"""The window: what is counted, listed, compared and dropped."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pipeline.cluster.index import MEMBERS_COMPARED, STORIES_LISTED, Index, Rarity, Search, rounded

AT = datetime(2026, 7, 4, 6, tzinfo=UTC)


Item = tuple[str, str | None, str, datetime, dict[str, float]]


def entry(item_id: str, story_id: str | None, words: str, minute: int = 0) -> Item:
    weight = 1 / max(len(words.split()), 1) ** 0.5
    at = AT + timedelta(minutes=minute)
    return item_id, story_id, "original", at, dict.fromkeys(words.split(), weight)


def filled(*entries: Item) -> Index:
    index = Index()
    for each in entries:
        index.put(*each)
    return index


def search(index: Index, words: str) -> Search:
    return Search(index, Rarity(index.documents), entry("q", None, words)[-1])


def counts(index: Index) -> dict[str, int]:
    return {word: term.count for word, term in index.terms.items()}


def users(index: Index, word: str) -> list[str]:
    return [story.story_id for story in index.terms[word].users]


def members(index: Index, story_id: str) -> list[str]:
    return [member.item_id for member in index.stories[story_id].members]


def test_only_items_in_stories_count_for_words() -> None:
    index = filled(entry("a", "s", "ferry greece"), entry("b", None, "ferry spain"), entry("c", "s", ""))
    assert index.documents == 1
    assert counts(index) == {"ferry": 1, "greece": 1}
    assert set(index.entries) == {"a", "b", "c"}


def test_a_revision_replaces_the_item() -> None:
    index = filled(entry("a", "s", "ferry greece"), entry("b", "s", "ferry"), entry("a", "s", "quake", 1))
    assert index.documents == 2
    assert counts(index) == {"ferry": 1, "quake": 1}
    assert list(index.entries) == ["b", "a"]
    assert members(index, "s") == ["b", "a"]


def test_eviction_leaves_what_would_have_been_without(shape: Any) -> None:
    old = [entry("a", "s", "ferry greece"), entry("b", "t", "ferry spain", 1)]
    new = [entry("c", "s", "ferry quake", 2), entry("d", "u", "spain", 3)]
    index = filled(*old, *new)
    index.evict(AT + timedelta(minutes=2))
    fresh = filled(*new)
    assert shape(index) == shape(fresh)
    assert users(index, "ferry") == users(fresh, "ferry") == ["s"]
    index.evict(AT + timedelta(minutes=9))
    assert index == Index()


def test_a_story_whose_last_members_went_is_not_listed_twice_when_it_goes_on() -> None:
    later = [f"i{n}" for n in range(MEMBERS_COMPARED)]
    index = filled(entry("first", "s", "spain madrid"), *(entry(name, "s", "ferry greece") for name in later))
    for name in later:
        index.put(*entry(name, "s", ""))
    assert members(index, "s") == []
    assert search(index, "spain madrid").candidates() == ["s"]
    assert search(index, "spain madrid").fit("s").score == 0
    index.put(*entry("new", "s", "spain madrid"))
    assert users(index, "spain") == ["s"]
    assert search(index, "spain madrid").fit("s").score == pytest.approx(1)


def test_a_term_lists_the_stories_that_used_it_last() -> None:
    index = filled(*(entry(f"i{n}", f"s{n}", "ferry") for n in range(STORIES_LISTED)))
    index.put(*entry("again", "s0", "ferry"))
    index.put(*entry("new", "new", "ferry"))
    assert users(index, "ferry") == [*(f"s{n}" for n in range(2, STORIES_LISTED)), "s0", "new"]


def test_the_last_members_are_compared() -> None:
    index = filled(*(entry(f"i{n}", "s", "ferry") for n in range(MEMBERS_COMPARED + 3)))
    assert members(index, "s") == [f"i{n}" for n in range(3, MEMBERS_COMPARED + 3)]


def test_candidates_share_at_least_two_terms() -> None:
    index = filled(
        entry("a", "one", "ferry greece fault"),
        entry("b", "two", "ferry greece"),
        entry("c", "three", "ferry"),
    )
    assert search(index, "ferry greece fault").candidates() == ["one", "two"]


def test_the_same_words_fit_fully_and_others_not_at_all() -> None:
    index = filled(entry("a", "s", "ferry greece fault"))
    same = search(index, "ferry greece fault").fit("s")
    assert same.score == pytest.approx(1)
    assert same.words == ["fault", "ferry", "greece"]
    assert search(index, "quake manila").fit("s").score == 0
    assert search(index, "ferry manila").fit("s").score == 0


def test_rare_words_weigh_more() -> None:
    common = [entry(f"i{n}", f"s{n}", "trump says") for n in range(20)]
    index = filled(
        *common, entry("a", "rare", "natanz inspectors trump"), entry("b", "often", "trump says natanz")
    )
    one = search(index, "natanz inspectors return")
    assert one.fit("rare").score > one.fit("often").score
    assert search(index, "natanz inspectors trump").fit("rare").words[-1] == "trump"


def test_a_story_fits_by_its_centroid_and_its_best_member() -> None:
    one = filled(entry("a", "s", "ferry greece fault"))
    two = filled(entry("a", "s", "ferry greece fault"), entry("b", "s", "quake manila davao"))
    alone, mixed = (search(index, "ferry greece fault").fit("s").score for index in (one, two))
    assert 0.8 < mixed < alone


@pytest.mark.parametrize(
    ("documents", "expected"), [(0, 0), (7, 7), (8, 8), (9, 8), (1000, 896), (1024, 1024), (50_000, 49_152)]
)
def test_the_size_of_the_window_is_taken_in_steps(documents: int, expected: int) -> None:
    assert rounded(documents) == expected


def test_roles_follow_the_verdict() -> None:
    index = filled(entry("a", "s", "ferry"))
    index.judge("a", "copy")
    index.judge("unknown", "copy")
    assert index.entries["a"].role == "copy"
