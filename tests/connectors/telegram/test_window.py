"""What a look changes, as tables and for all looks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.telegram.window import (
    Bounds,
    Change,
    Prints,
    after,
    compare,
    covers,
    newest,
    read_spelled,
    spell,
)

IDS = st.integers(1, 60)
PRINTS = st.dictionaries(IDS, st.sampled_from(["a", "b", None]), max_size=30)
BOUNDS = st.tuples(IDS, st.none() | IDS)

TABLE: list[tuple[Prints, Prints, Bounds, Change]] = [
    ({}, {1: "a"}, (1, None), Change((1,), (), ())),
    ({1: "a"}, {1: "a"}, (1, None), Change((), (), ())),
    ({1: "a"}, {1: "b"}, (1, None), Change((), (1,), ())),
    ({1: None}, {1: "a"}, (1, None), Change((), (1,), ())),
    ({1: "a", 2: "b"}, {1: "a"}, (1, None), Change((), (), (2,))),
    ({1: "a", 2: "b"}, {1: "a"}, (1, 1), Change((), (), ())),
    ({1: "a", 5: "b", 9: "c"}, {4: "a", 6: "b"}, (4, 6), Change((4, 6), (), (5,))),
    ({1: "a", 5: "b", 9: "c"}, {}, (5, 5), Change((), (), (5,))),
    ({3: "a"}, {}, (4, None), Change((), (), ())),
]


@pytest.mark.parametrize(("known", "shown", "bounds", "change"), TABLE)
def test_what_a_look_changes(known: Prints, shown: Prints, bounds: Bounds, change: Change) -> None:
    assert compare(known, shown, bounds) == change


@given(PRINTS, PRINTS, BOUNDS)
def test_gone_is_only_what_was_covered_and_not_shown(known: Prints, shown: Prints, bounds: Bounds) -> None:
    change = compare(known, shown, bounds)
    assert all(covers(bounds, one) and one in known and one not in shown for one in change.gone)
    assert set(change.new) | set(known) >= set(shown)
    assert not set(change.new) & set(known)


@given(PRINTS, st.dictionaries(IDS, st.sampled_from(["a", "b"])), BOUNDS)
def test_the_same_look_again_changes_nothing(known: Prints, shown: Prints, bounds: Bounds) -> None:
    assert compare(after(known, shown, bounds, keep=100), shown, bounds) == Change((), (), ())


@given(PRINTS, st.integers(0, 40))
def test_the_newest_are_kept(known: Prints, keep: int) -> None:
    kept = newest(known, keep)
    assert len(kept) == min(keep, len(known))
    assert not kept or min(kept) >= max((one for one in known if one not in kept), default=0)


@given(st.sets(st.integers(1, 10**6), max_size=200))
def test_what_is_spelled_is_read(posts: set[int]) -> None:
    assert set(read_spelled(spell(posts))) == posts
    assert list(read_spelled(spell(posts))) == sorted(posts)


def test_runs_are_spelled_as_ranges() -> None:
    assert spell([*range(35201, 35241), 35243]) == "35201-35240,35243"
    assert spell([]) == ""


@pytest.mark.parametrize("wrong", ["a", "1-", "-1", "1--2", "1-2-3", "1;2", "1-99999999999", "²"])
def test_a_damaged_window_is_told(wrong: str) -> None:
    with pytest.raises(ValueError, match="window: "):
        read_spelled(wrong)
