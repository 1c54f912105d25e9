"""What one account may ask when: hours pass here as numbers."""

from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.telegram.api.schedule import RESOLVE, Lane, MustWait, Rate, Schedule

HISTORY = "GetHistoryRequest"
FREE = Rate(per_hour=1_000_000, spacing=0.0)


def served(schedule: Schedule, since: float, until: float) -> Iterator[tuple[float, str]]:
    """Let time pass, from one turn to the next."""
    due = schedule.due(since)
    while due is not None and due <= until:
        ticket = schedule.next(due)
        assert ticket is not None
        yield due, ticket.source
        due = schedule.due(due)


def test_one_channel_that_waits_for_hours_holds_no_other() -> None:
    schedule = Schedule(FREE)
    schedule.flooded(0, Lane(HISTORY, 1), 7200)
    for now in (0.0, 10.0, 3600.0, 7199.0):
        with pytest.raises(MustWait) as caught:
            schedule.enter(now, "a", Lane(HISTORY, 1))
        assert caught.value.seconds == 7200 - now
        schedule.enter(now, "b", Lane(HISTORY, 2))
        schedule.enter(now, "a", Lane("GetMessagesRequest", 1))
        assert len(list(served(schedule, now, now))) == 2
    schedule.enter(7200, "a", Lane(HISTORY, 1))
    assert schedule.waits(7200) == {}


def test_several_channels_that_wait_for_the_same_are_the_accounts_business() -> None:
    schedule = Schedule(FREE)
    for channel, seconds in ((1, 100), (2, 50), (3, 900)):
        assert schedule.held(0, Lane(HISTORY, 4)) == 0
        schedule.flooded(0, Lane(HISTORY, channel), seconds)
    assert schedule.held(0, Lane(HISTORY, 4)) == 50
    assert schedule.held(0, Lane("GetMessagesRequest", 4)) == 0
    assert schedule.held(50, Lane(HISTORY, 4)) == 0  # one of the three may ask again
    assert schedule.held(50, Lane(HISTORY, 1)) == 50


def test_names_are_a_line_of_their_own() -> None:
    schedule = Schedule(FREE)
    schedule.flooded(0, Lane(RESOLVE, "nobody"), 86_400)
    with pytest.raises(MustWait) as caught:
        schedule.enter(1, "a", Lane(RESOLVE, "somebody"))
    assert caught.value.seconds == 86_399
    schedule.enter(1, "a", Lane(HISTORY, 1))
    assert list(served(schedule, 1, 1)) == [(1, "a")]


def test_who_stands_in_line_for_what_is_flooded_leaves_it() -> None:
    schedule = Schedule(Rate(per_hour=1000, spacing=5))
    first, second = (schedule.enter(0, name, Lane(HISTORY, 1)) for name in "ab")
    other = schedule.enter(0, "c", Lane(HISTORY, 2))
    assert schedule.next(0) is first
    assert schedule.flooded(1, Lane(HISTORY, 1), 60) == [second]
    assert schedule.next(5) is other


def test_no_hour_has_more_requests_than_allowed() -> None:
    schedule = Schedule(Rate(per_hour=10, spacing=1), patience=1e9)
    for number in range(35):
        schedule.enter(0, str(number), Lane(HISTORY, number))
    times = [time for time, _ in served(schedule, 0, 1e9)]
    assert len(times) == 35
    assert times[9] == 9
    assert times[10] == 3600
    assert all(later - earlier >= 1 for earlier, later in pairwise(times))
    assert all(later - earlier >= 3600 for earlier, later in zip(times, times[10:], strict=False))


def test_who_would_stand_in_line_for_long_is_told_when_to_come() -> None:
    schedule = Schedule(Rate(per_hour=2, spacing=0.1), patience=30)
    for name in "ab":
        schedule.enter(0, name, Lane(HISTORY, 1))
    assert len(list(served(schedule, 0, 10))) == 2
    with pytest.raises(MustWait) as caught:
        schedule.enter(10, "c", Lane(HISTORY, 1))
    assert caught.value.seconds == 3590


def test_who_stands_in_line_when_the_hour_is_used_up_is_told() -> None:
    schedule = Schedule(Rate(per_hour=3, spacing=0.2), rates={})
    tickets = [schedule.enter(0, f"s{number}", Lane("GetHistory", number)) for number in range(6)]
    for now in (0.0, 0.2, 0.4):
        assert schedule.given_up(now) == []
        assert schedule.next(now) is not None
    told = schedule.given_up(now)
    assert [ticket for ticket, _ in told] == tickets[3:]
    assert {now + seconds for _, seconds in told} == {3600}
    assert (len(schedule), schedule.due(now)) == (0, None)


def test_a_busy_account_is_never_silent_for_the_rest_of_its_hour() -> None:
    rate = Rate(per_hour=120, spacing=0.5, burst=30)
    schedule = Schedule(rate, patience=1e9)
    for number in range(480):
        schedule.enter(0, f"wire{number}", Lane(HISTORY, number))
    times = [time for time, _ in served(schedule, 0, 1e9)]
    assert all(later - earlier >= 3600 for earlier, later in zip(times, times[120:], strict=False))
    assert max(later - earlier for earlier, later in pairwise(times)) <= 40
    assert times[29] < 15
    assert times[-1] < 5.1 * 3600


def test_a_source_that_asks_much_does_not_push_others_back() -> None:
    schedule = Schedule(Rate(per_hour=100_000, spacing=1), patience=1e9)
    for _ in range(20):
        schedule.enter(0, "greedy", Lane(HISTORY, 1))
    list(served(schedule, 0, 3))
    schedule.enter(3.5, "modest", Lane(HISTORY, 2))
    assert next(served(schedule, 3.5, 10)) == (4, "modest")


@given(
    st.lists(
        st.tuples(
            st.sampled_from("abc"), st.sampled_from([HISTORY, RESOLVE]), st.integers(1, 4), st.floats(0, 50)
        ),
        max_size=40,
    ),
    st.integers(1, 5),
)
def test_everybody_in_line_is_served_and_never_too_fast(
    asked: list[tuple[str, str, int, float]], per_hour: int
) -> None:
    schedule = Schedule(Rate(per_hour, 2.0), rates={RESOLVE: Rate(3, 7.0)}, patience=1e9)
    for source, method, channel, seconds in asked:
        lane = Lane(method, channel)
        if seconds > 40:
            schedule.flooded(0, lane, seconds)
        else:
            with suppress(MustWait):
                schedule.enter(0, source, lane)
    waiting = len(schedule)
    times = [time for time, _ in served(schedule, 0, 1e12)]
    assert len(times) == waiting
    assert all(later - earlier >= 2 for earlier, later in pairwise(times))
    assert all(later - earlier >= 3600 for earlier, later in zip(times, times[per_hour:], strict=False))
