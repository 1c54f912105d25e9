"""Every interleaving of pushes, polls, pages, failures and restarts: nothing lost, nothing invented."""

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.telegram.albums import posts_of
from connectors.telegram.api.known import Shown, Vanished
from connectors.telegram.api.telling import Look
from tests.connectors.telegram.api.small import CONFIG, Channel, Desk

NUMBER = st.integers(0, 30)
KINDS = [
    *("publish", "publish", "album", "edit", "edit", "delete", "lose"),
    *("push", "push", "push", "double", "ask", "ask", "serve", "deliver", "deliver", "deliver"),
    *("wait", "wait", "shake", "fail", "refuse", "restart"),
]
STEP = st.tuples(st.sampled_from(KINDS), NUMBER)


def play(steps: list[tuple[str, int]], channel: Channel) -> Desk:
    desk = Desk(channel)
    for kind, number in steps:
        step(desk, kind, number)
    return desk


def step(desk: Desk, kind: str, number: int) -> None:
    channel = desk.channel
    changes: dict[str, Any] = {
        "publish": lambda: channel.publish(1),
        "album": lambda: channel.publish(2 + number % 4),
        "edit": lambda: channel.edit(number),
        "delete": lambda: channel.delete(number, 1 + number % 3),
    }
    if kind in changes:
        desk.pushes.extend(changes[kind]())
    elif kind == "wait":
        channel.now += (0, 0.4, 1, 3, 40, 700)[number % 6]
        desk.standing.tick(desk.now())
        desk.collect()
    elif kind == "lose":
        desk.pushes.clear()
    elif kind == "double":
        desk.pushes.extend(list(desk.pushes)[: number % 3])
    elif kind == "push":
        desk.push(0 if number < 20 else number)
    elif kind == "shake":
        desk.standing.shaken(desk.now())
    elif kind == "restart":
        desk.restart(number)
    else:
        getattr(desk, kind)()


def check(desk: Desk) -> None:
    """What the books say in the end, against the server's truth."""
    channel, books = desk.channel, desk.books()
    for parts in posts_of(channel.messages.values()):
        told = books.states.get(parts[0].id)
        assert told, f"{parts[0].id} is lost"
        assert parts[0].id not in books.gone, f"{parts[0].id} is said to be gone"
        assert told[-1] == parts, f"{parts[0].id}: {told[-1]} is not what it says now"
    for telling in desk.told:
        if isinstance(telling.what, Vanished):
            assert set(telling.what.messages[:1]) <= channel.deleted, "an invented deletion"
    for first, states in books.states.items():
        if first not in channel.messages:
            assert first in books.gone, f"{first} was told, is deleted, and nobody says so"
        if all(len(parts) == 1 for parts in states):
            texts = [parts[0].body["text"] for parts in states]
            order = [channel.states[first].index(text) for text in texts]
            assert order == sorted(order), f"{first}: {texts} is not its history"
    for hole in books.holes:
        assert set(hole.messages) <= channel.deleted, "an invented hole"
    for number, text in desk.shown:
        all_told = [*books.states.get(number, ()), *books.late.get(number, ())]
        assert any(text == parts[0].body["text"] for parts in all_told), f"{number}: {text} was shown"
    missed = [message for hole in books.holes for message in hole.messages]
    assert len(missed) == len(set(missed)), "a hole is told twice"
    assert not books.states.keys() & (set(missed) - books.after_all), "a hole of what was seen"


@settings(max_examples=400, deadline=None)
@given(
    steps=st.lists(STEP, max_size=60),
    page=st.sampled_from([2, 3, 5]),
    hide=st.sampled_from([0, 2, 3]),
    too_long=st.booleans(),
)
def test_nothing_is_lost_and_nothing_is_invented(
    steps: list[tuple[str, int]], page: int, hide: int, *, too_long: bool
) -> None:
    desk = play(steps, Channel(page=page, hide=hide, too_long=too_long))
    desk.quiet()
    check(desk)


@settings(max_examples=100, deadline=None)
@given(st.lists(STEP, max_size=40), st.integers(0, 200))
def test_from_any_cursor_that_was_told_everything_comes(steps: list[tuple[str, int]], back: int) -> None:
    desk = play(steps, Channel(page=3))
    desk.quiet()
    desk.restart(back)
    desk.quiet()
    check(desk)


@pytest.mark.parametrize("seed", range(8))
def test_long_lives(seed: int) -> None:
    """Longer than hypothesis likes them, and as many in a second."""
    dice = random.Random(seed)
    kinds = [*KINDS, "push", "push", "deliver", "deliver"]
    for _ in range(120):
        channel = Channel(
            page=dice.choice([2, 3, 5]), hide=dice.choice([0, 0, 2, 3]), too_long=dice.random() < 0.2
        )
        steps = [(dice.choice(kinds), dice.randrange(31)) for _ in range(dice.randrange(20, 120))]
        desk = play(steps, channel)
        desk.quiet()
        check(desk)
        desk.restart(dice.randrange(50))
        desk.quiet()
        check(desk)


LIVES = {
    "a part that waits": (
        2,
        2,
        "ask deliver ask deliver album:18 edit:15 restart:5 delete:8 push:4 delete:19 push:17",
    ),
    "gone above what is proven": (
        3,
        0,
        """
        ask deliver album:3 ask deliver push:20 publish ask wait:17 deliver delete:16 push:14
        album:11 double:19 push:26 push:17 wait:17 push:29 push:14 restart:3
        """,
    ),
    "a page that waited for its album": (
        2,
        3,
        """
        ask publish album deliver ask publish deliver lose edit:11 edit:7 delete:16 ask deliver
        push:27
        """,
    ),
    "new in a difference, as it is now": (
        3,
        0,
        """
        ask deliver shake ask deliver publish publish ask fail shake edit:13 edit:13 publish
        album:19 edit:17 publish ask double:4 edit:29 deliver album:10 push:21
        """,
    ),
    "an edit that a former process told": (
        2,
        0,
        """
        ask deliver ask deliver publish edit edit:13 album:18 publish album:17 restart:9 album:15
        album:19 ask delete:19 fail ask deliver ask deliver lose publish push:20 restart:29 ask fail
        ask
        """,
    ),
    "an album that a page showed with what is gone of it": (
        3,
        0,
        """
        publish delete:11 restart:27 ask publish delete:20 deliver album:21 push:1 push:18 ask
        deliver delete:17 album:5 ask publish delete:12 album:13 push:25 push:4 deliver edit:9 ask
        push:22 deliver edit:1 publish push:22 push:6 wait:22 restart:14
        """,
    ),
}


@pytest.mark.parametrize(("page", "hide", "life"), LIVES.values(), ids=LIVES)
def test_lives_that_went_wrong_once(page: int, hide: int, life: str) -> None:
    """As chance found them: what went wrong needs all of it."""
    words = [step.partition(":") for step in life.split()]
    desk = play([(kind, int(number or 0)) for kind, _, number in words], Channel(page=page, hide=hide))
    desk.quiet()
    check(desk)


@pytest.mark.parametrize("seed", range(4))
def test_no_hole_of_a_page_and_no_cursor_loses_a_post(seed: int) -> None:
    """Where nothing is looked at again and no difference tells: history and its checkpoint alone."""
    dice = random.Random(seed)
    kinds = [kind for kind in KINDS if kind not in ("edit", "delete")]
    config = CONFIG.model_copy(update={"reread_posts": 1, "reread_seconds": 1e9})
    for _ in range(60):
        channel = Channel(page=dice.choice([2, 3, 5]), hide=dice.choice([0, 2, 3]), too_long=True)
        desk = Desk(channel, config)
        for _ in range(dice.randrange(20, 120)):
            step(desk, dice.choice(kinds), dice.randrange(31))
        desk.quiet()
        check(desk)
        desk.restart(dice.randrange(50))
        desk.quiet()
        check(desk)


def test_at_rest_it_says_that_it_looked_and_asks_only_when_it_is_time() -> None:
    desk = Desk(Channel())
    desk.channel.publish(1)
    while desk.ask():
        desk.deliver()
    assert isinstance(desk.told[-1].what, Look)
    assert [type(one.what) for one in desk.told] == [Shown, Look]
    assert desk.told[0].backlog
    assert desk.standing.due() > desk.channel.now
    desk.channel.now = desk.standing.due()
    assert desk.ask()
