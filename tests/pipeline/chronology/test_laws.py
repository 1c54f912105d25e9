"""The laws of a core: decide changes nothing, and a restart at any record equals no restart."""

from collections.abc import Callable
from copy import deepcopy
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.chronology.decide import Chronology
from pipeline.chronology.hearing import Hearing
from pipeline.chronology.state import State
from pipeline.core import Boundary, Output
from schemas.base import Record
from schemas.topics import Topic

SOURCES = ("a", "b", "c", "d")
EPOCH_MINUTES = 360
WINDOW = timedelta(hours=24)

Act = Callable[[Any], Any]


@st.composite
def posts(draw: st.DrawFn) -> Act:
    """One revision of one of few items, in one of two stories."""
    item_id = f"{draw(st.sampled_from(SOURCES))}/{draw(st.integers(1, 2))}"
    others = [f"{item_id[0]}/{number}" for number in (1, 2)]
    offset = timedelta(minutes=draw(st.sampled_from((0, 0, 0, 1, -200, -700, 90))))
    forward = draw(st.sampled_from((None, None, None, 0, 30)))
    fields: dict[str, Any] = {
        "story": draw(st.sampled_from(("s", "s", "t", None))),
        "text": draw(st.sampled_from(("Ferry burns, 12 missing", "Ferry burns, 21 missing", "Ferry sinks"))),
        "delivery": draw(st.sampled_from(("pushed", "polled"))),
        "reply_to": draw(st.sampled_from((None, None, *others))),
        "copy_of": draw(st.sampled_from((None, None, None, "a/1"))),
        "backlog": draw(st.booleans()),
        "late": draw(st.integers(0, 5)) == 0,
        "revised": draw(st.sampled_from((None, None, "01:00:00"))),
    }

    def act(desk: Any) -> Any:
        if forward is not None:
            date = (desk.now + timedelta(minutes=forward)).isoformat()
            fields["forward"] = ("b/1", date)
        return desk.post(item_id, (desk.now + offset).isoformat(), desk.now.isoformat(), **fields)

    return act


@st.composite
def changes(draw: st.DrawFn) -> Act:
    """What a story, an item's verdict or an operator does."""
    item_id = f"{draw(st.sampled_from(SOURCES))}/1"
    choice = draw(st.integers(0, 5))

    def act(desk: Any) -> Any:
        match choice:
            case 0:
                return desk.change("left", "s", item_id=item_id)
            case 1:
                return desk.change("merged", "s", other_story_id="t")
            case 2:
                return desk.change("split", "u", item_id=item_id, other_story_id="s")
            case 3:
                return desk.change("closed", "s")
            case 4:
                return desk.verdict(item_id, "b/1")
        flags = sorted(desk.state.flags) or ["none"]
        return desk.rule(flags[0], "disputed")

    return act


STREAMS = st.lists(
    st.tuples(st.sampled_from((0, 5, 90, 400, 1500)), st.one_of(posts(), posts(), posts(), changes())),
    min_size=2,
    max_size=14,
)
FEW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def turn(core: Chronology, state: State, boundary: Boundary) -> list[Output]:
    outputs = list(core.turn(boundary, state))
    for output in outputs:
        core.load(output.topic, output.key, output.value, state)
    core.evict(boundary, state)
    return outputs


def boundary_before(now: datetime) -> Boundary:
    start = now.replace(hour=now.hour // 6 * 6, minute=0, second=0)
    return Boundary(start, start - WINDOW)


def reborn(desk: Any, boundary: Boundary | None) -> State:
    """Build the state anew from the bytes on the topics: tables, eviction, fold."""
    core, state = Chronology(), State()
    tables: dict[str, tuple[Topic, str, Record | None]] = {
        output.key: (output.topic, output.key, output.value) for output in desk.written
    }
    for topic, key, value in tables.values():
        core.load(topic, key, value and type(value).read(value.dump()), state)
    if boundary is not None:
        core.evict(boundary, state)
    for value, at in desk.fed:
        if boundary is None or at >= boundary.keep_since:
            core.fold(type(value).read(value.dump()), at, state)
    return state


def like(state: State) -> Any:
    """What of a state can matter, in a form that compares."""
    return (
        {key: deepcopy(report) for key, report in state.window.reports.items()},
        [(story, list(ids)) for story, ids in sorted(state.window.stories.sets.items())],
        [(end, list(ids)) for end, ids in sorted(state.window.mentions.sets.items())],
        state.flags,
        {key: sorted(ids) for key, ids in state.flagged.items()},
        state.baselines,
        state.gathered,
        state.rulings,
        state.boundary,
    )


@FEW
@given(stream=STREAMS)
def test_a_restart_at_every_record_gives_the_same_state(
    make_desk: Any, stream: list[tuple[int, Act]]
) -> None:
    desk = make_desk()
    last: Boundary | None = None
    for minutes, act in stream:
        desk.now += timedelta(minutes=minutes)
        boundary = boundary_before(desk.now)
        if last is None or boundary.time > last.time:
            last = boundary
            desk.written += turn(desk.core, desk.state, boundary)
        act(desk)
        assert like(reborn(desk, last)) == like(desk.state)


@FEW
@given(stream=STREAMS)
def test_decide_and_turn_leave_the_state_alone_and_repeat_themselves(
    make_desk: Any, stream: list[tuple[int, Act]]
) -> None:
    desk = make_desk()
    decide = desk.core.decide

    def watched(arrival: Any, state: State) -> Any:
        before = deepcopy(state)
        outputs = decide(arrival, state)
        assert like(state) == like(before)
        assert [o.value.dump() for o in decide(arrival, before)] == [o.value.dump() for o in outputs]
        later = Boundary(arrival.at + timedelta(days=3), arrival.at + timedelta(days=2))
        assert desk.core.turn(later, state) == desk.core.turn(later, before)
        assert like(state) == like(before)
        return outputs

    desk.core.decide = watched
    for minutes, act in stream:
        desk.now += timedelta(minutes=minutes)
        act(desk)


@FEW
@given(stream=STREAMS)
def test_values_read_from_bytes_give_the_same_flags(make_desk: Any, stream: list[tuple[int, Act]]) -> None:
    plain, through = make_desk(), make_desk(through_bytes=True)
    for minutes, act in stream:
        for desk in (plain, through):
            desk.now += timedelta(minutes=minutes)
        assert act(plain) == act(through)


@FEW
@given(stream=STREAMS)
def test_the_short_way_with_a_quiet_story_comes_to_the_same(
    make_desk: Any, stream: list[tuple[int, Act]]
) -> None:
    short, long = make_desk(), make_desk()
    for minutes, act in stream:
        for desk in (short, long):
            desk.now += timedelta(minutes=minutes)
        with patch.object(Hearing, "_in_step", return_value=False):
            expected = act(long)
        assert act(short) == expected


@FEW
@given(stream=STREAMS)
def test_every_change_of_a_flag_counts_one_up(make_desk: Any, stream: list[tuple[int, Act]]) -> None:
    desk = make_desk()
    numbers: dict[str, int] = {}
    for minutes, act in stream:
        desk.now += timedelta(minutes=minutes)
        changed = [(flag.flag_id, flag.number) for flag in act(desk)]
        assert len({key for key, _ in changed}) == len(changed)
        for key, number in changed:
            assert number == numbers.get(key, 0) + 1
            numbers[key] = number
