"""Which config is in force, what differs, what is remembered of sources: tables of decisions."""

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.control.changes import Hand, applied, moved, paused
from pipeline.control.difference import difference
from pipeline.control.orders import FORGOTTEN_AFTER, Orders, heard, sources_in
from pipeline.control.settling import JUST_NOW, settle
from schemas.records import Control

Make = Callable[..., dict[str, Any]]


def behind(orders: Orders, records: Iterable[Control]) -> Orders:
    for record in records:
        orders = heard(orders, record.name, record)
    return orders


def in_force(config: dict[str, Any], hand: Hand) -> Orders:
    return behind(Orders(), applied(Orders(), config, hand))


@pytest.mark.parametrize(
    ("own", "others", "later", "insist", "verdict"),
    [
        ("same", True, 0, False, "run"),
        ("same", False, 3600, True, "run"),
        ("other", True, 3600, False, "wait"),
        ("other", True, 3600, True, "apply"),
        ("other", False, 3600, False, "apply"),
        ("other", False, 1, False, "wait"),  # who applied it just now is about to join
        ("other", False, -1, False, "wait"),  # the same, with a clock that is ahead
    ],
)
def test_who_starts_runs_applies_or_waits(
    config: Make, hand: Hand, *, own: str, others: bool, later: int, insist: bool, verdict: str
) -> None:
    orders = in_force(config("a"), hand)
    mine = config("a") if own == "same" else config("b")
    now = hand.at + timedelta(seconds=later)
    assert settle(mine, orders, others=others, now=now, insist=insist) == verdict


@pytest.mark.parametrize("others", [True, False])
def test_with_nothing_in_force_the_file_is_applied(config: Make, hand: Hand, *, others: bool) -> None:
    assert settle(config("a"), Orders(), others=others, now=hand.at) == "apply"
    assert timedelta(seconds=6) < JUST_NOW, "longer than a group's session"


def test_a_difference_names_each_setting_and_hides_logins(config: Make) -> None:
    before = config(
        "kept", "gone", {"name": "feed", "url": "https://me:hunter2@a.example/x", "poll_seconds": 5}
    )
    after = config(
        {"name": "feed", "url": "https://a.example/x", "poll_seconds": 5, "unit": "eu"}, "new", "kept"
    )
    assert difference(before, after) == [
        "~ sources.feed.unit: main -> eu",
        "~ sources.feed.url: https://...@a.example/x -> https://a.example/x",
        "- sources.gone.kind: recording",
        "- sources.gone.unit: main",
        "+ sources.new.kind: recording",
        "+ sources.new.unit: main",
    ]
    assert difference(None, config()) == ["+ kafka.replication_factor: 1"]


NAMES = st.lists(st.sampled_from("abcd"), unique=True)


@given(NAMES, NAMES)
def test_nothing_differs_only_between_the_same_sources(one: list[str], two: list[str]) -> None:
    row = {"kind": "recording"}
    first, second = ({"sources": [{"name": name, **row} for name in names]} for names in (one, two))
    assert (difference(first, second) == []) == (set(one) == set(two))


def test_a_config_is_applied_once_and_counts_up(config: Make, hand: Hand) -> None:
    orders = in_force(config("a"), hand)
    assert (orders.generation, orders.shared) == (1, config("a"))
    assert applied(orders, config("a"), hand) == []
    orders = behind(orders, applied(orders, config("a", "b"), hand))
    assert (orders.generation, list(sources_in(orders.shared))) == (2, ["a", "b"])


def test_a_source_that_moves_leaves_its_unit_behind(config: Make, hand: Hand) -> None:
    orders = in_force(config("a", "b"), hand)
    orders = behind(orders, applied(orders, moved(config("a", "b"), "a", "eu"), hand))
    assert (orders.former_unit("a"), orders.former_unit("b")) == ("main", None)
    assert sources_in(orders.shared)["a"]["unit"] == "eu"
    orders = behind(orders, applied(orders, config("a", "b"), hand))
    assert orders.former_unit("a") == "eu"


@pytest.mark.parametrize(
    ("days", "renamed", "back", "forgotten"),
    [
        (29, False, False, []),
        (30, False, False, ["a"]),
        (400, True, False, []),  # its memory is the new name's
        (400, False, True, []),
    ],
)
def test_a_removed_source_is_forgotten_after_thirty_days(
    config: Make, hand: Hand, *, days: int, renamed: bool, back: bool, forgotten: list[str]
) -> None:
    orders = in_force(config({"name": "a", "unit": "eu"}, "b"), hand)
    orders = behind(orders, applied(orders, config("b"), hand))
    if renamed:
        orders = behind(orders, applied(orders, config("b", {"name": "n", "renamed_from": "a"}), hand))
    if back:
        orders = behind(orders, applied(orders, config("b", "a"), hand))
    now = hand.at + timedelta(days=days)
    assert dict(orders.forgettable(now)) == dict.fromkeys(forgotten, "eu")
    assert timedelta(days=30) == FORGOTTEN_AFTER


def test_pauses_come_and_go_and_outlive_other_changes(config: Make, hand: Hand) -> None:
    orders = in_force(config("a", "b"), hand)
    orders = behind(orders, paused(orders, "a", hand, rest=True))
    assert orders.paused == {"a"}
    assert paused(orders, "a", hand, rest=True) == []
    orders = behind(orders, applied(orders, config("b"), hand))
    orders = behind(orders, applied(orders, config("b", "a"), hand))
    assert orders.paused == {"a"}
    orders = behind(orders, paused(orders, "a", hand, rest=False))
    assert orders.paused == frozenset()


def test_a_tombstone_takes_an_order_back_and_strange_keys_say_nothing(config: Make, hand: Hand) -> None:
    orders = behind(in_force(config("a"), hand), paused(Orders(), "a", hand, rest=True))
    assert heard(orders, "source/a", None).paused == frozenset()
    assert heard(orders, "from/the/future", None) == orders
    assert heard(orders, "config", None).generation == 0
