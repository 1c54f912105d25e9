"""A restart equals no restart: state and decisions rebuilt from the topics at any place of a stream."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core import Arrival, Boundary, Output
from pipeline.deduplicate.decide import Deduplicate
from pipeline.deduplicate.state import Postings
from pipeline.engine import epoch_start
from schemas.item import Item

if TYPE_CHECKING:
    from tests.pipeline.deduplicate.conftest import Desk

WINDOW = timedelta(hours=12)
SENTENCE = (
    "В результате удара по городу пострадали люди сообщил губернатор области спасатели разбирают завалы "
    "движение по центральной улице перекрыто до утра жителей просят не выходить из дома"
)
WORDS = SENTENCE.split()
TEXTS = (
    "",
    "Отбой опасности атаки беспилотников",
    " ".join(WORDS),
    " ".join(["Срочно", *WORDS]),
    " ".join(WORDS[:-2]),
    " ".join(WORDS[:17]),
    " ".join(["12", *WORDS]),
    " ".join(reversed(WORDS)),
    " ".join([*reversed(WORDS), "Видео"]),
)


@dataclass(frozen=True)
class Step:
    """One item, and how much time passed before it."""

    minutes: int
    item_id: str
    text: str
    url: str | None
    forward: str | None
    status: str
    late: bool
    kind: str


ITEM_IDS = [f"{source}/{number}" for source in "abc" for number in range(4)]
STEPS = st.lists(
    st.builds(
        Step,
        minutes=st.sampled_from([0, 0, 1, 45, 200, 400, 150_000]),
        item_id=st.sampled_from(ITEM_IDS),
        text=st.sampled_from(TEXTS),
        url=st.sampled_from([None, None, "https://x.org/1", "https://x.org/2"]),
        forward=st.sampled_from([None, None, None, *ITEM_IDS[:6]]),
        status=st.sampled_from(["usable", "usable", "usable", "withdrawn"]),
        late=st.sampled_from([False, False, False, True]),
        kind=st.sampled_from(["post", "post", "post", "market_opened"]),
    ),
    max_size=30,
)


def feed(desk: "Desk", make_item: Callable[..., Item], steps: list[Step]) -> Iterator[Item]:
    """Give the items of a stream, ending epochs before them; the caller takes them."""
    for number, step in enumerate(steps):
        time = desk.at + timedelta(minutes=step.minutes)
        if epoch_start(time) > epoch_start(desk.at):
            desk.at = epoch_start(time)
            desk.turn(WINDOW)
        desk.at = time
        yield make_item(
            step.item_id,
            step.text,
            at=time,
            url=step.url,
            forward=step.forward,
            status=step.status,
            late=step.late,
            kind=step.kind,
            revision=number + 1,
        )


def bytes_of(outputs: Sequence[Output]) -> list[tuple[str, str, str | None, bytes]]:
    """Give what would go to Kafka."""
    return [(o.key, o.type, o.suffix, o.value.dump() if o.value else b"") for o in outputs]


@settings(max_examples=60, deadline=None)
@given(steps=STEPS, limit=st.sampled_from([None, 1, 2]))
def test_a_restart_at_any_place_equals_no_restart(
    make_desk: Callable[..., "Desk"], make_item: Callable[..., Item], steps: list[Step], limit: int | None
) -> None:
    desk = make_desk(limit)
    for item in feed(desk, make_item, steps):
        restarted = desk.restarted()
        assert restarted == desk.state
        assert list(restarted.window) == list(desk.state.window)
        arrival = Arrival("cause", item, desk.at)
        decided = bytes_of(Deduplicate().decide(arrival, restarted))
        assert decided == bytes_of(desk.core.decide(arrival, desk.state))
        desk.take(item)


@pytest.mark.parametrize("limit", [1, 2])
def test_of_a_full_list_the_newest_are_kept(make_desk: Callable[..., "Desk"], limit: int) -> None:
    desk = make_desk(limit)
    for number in range(4):
        desk.post(f"a/{number}", TEXTS[2], url="https://x.org/1", forward="z/1")
        desk.wait(hours=3)
    desk.turn(timedelta(hours=4))
    assert list(desk.state.window) == ["a/3"]
    assert desk.restarted() == desk.state
    assert desk.post("b/1", TEXTS[2]).group == "a/0"


@settings(max_examples=30, deadline=None)
@given(steps=STEPS)
def test_deciding_and_turning_change_nothing(
    make_desk: Callable[..., "Desk"], make_item: Callable[..., Item], steps: list[Step]
) -> None:
    desk = make_desk()
    for item in feed(desk, make_item, steps):
        before = desk.snapshot()
        first = bytes_of(desk.core.decide(Arrival("cause", item, desk.at), desk.state))
        again = bytes_of(desk.core.decide(Arrival("cause", item, desk.at), desk.state))
        boundary = Boundary(desk.at, desk.at - timedelta(hours=1))
        pages = bytes_of(desk.core.turn(boundary, desk.state))
        assert pages == bytes_of(desk.core.turn(boundary, desk.state))
        assert first == again
        assert desk.snapshot() == before
        desk.take(item)


@settings(max_examples=40, deadline=None)
@given(steps=STEPS)
def test_every_revision_has_one_verdict_and_groups_stay_sound(
    make_desk: Callable[..., "Desk"], make_item: Callable[..., Item], steps: list[Step]
) -> None:
    desk = make_desk()
    for item in feed(desk, make_item, steps):
        known = desk.state.window.get(item.item_id)
        number = known.number + 1 if known else 1
        outputs = desk.take(item)
        verdict = desk.carried(outputs)
        assert verdict.number == number
        assert (verdict.role == "copy") == (verdict.original is not None) == (verdict.kind is not None)
        assert verdict.original != item.item_id
        assert len({output.suffix for output in outputs}) == len(outputs)
        living = [e for e in desk.state.window.values() if e.compared and e.original is None]
        assert sorted(desk.state.originals.values()) == sorted(entry.item_id for entry in living)


@pytest.mark.parametrize(("gone", "left"), [("a", "bc"), ("b", "ac"), ("c", "ab"), ("d", "abc")])
def test_an_item_is_taken_out_of_a_key_wherever_it_stands(gone: str, left: str) -> None:
    postings: Postings[int] = Postings(8)
    for item_id in "abc":
        postings.add(7, item_id)
    postings.remove(7, gone)
    assert postings.of(7) == tuple(left)
    for item_id in left:
        postings.remove(7, item_id)
    assert not postings.lists


def test_the_postings_of_a_key_are_bounded(desk: "Desk", make_item: Callable[..., Item]) -> None:
    for number in range(200):
        desk.take(make_item(f"a/{number}", TEXTS[2], url="https://x.org/1"))
    assert {len(items) for items in desk.state.texts.lists.values()} == {64}
    assert desk.post("b/1", TEXTS[2]).original == "a/0"
    for number in range(200):
        desk.take(make_item(f"c/{number}", f"{TEXTS[7]} {' '.join(TEXTS[2].split()[:6])} {number}"))
    assert max(len(items) for items in desk.state.shingles.lists.values()) == 16
