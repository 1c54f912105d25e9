"""What comes first is taken in first."""

import asyncio
from types import SimpleNamespace
from typing import Any

from telethon.tl import types

from connectors.telegram.api.asks import Moment, These
from connectors.telegram.api.ears import BoundedEars
from connectors.telegram.api.follow import Peer, _Course, utc_now
from connectors.telegram.api.lending import Pushed
from connectors.telegram.api.telling import Asked


async def test_what_was_pushed_ahead_of_an_answer_is_taken_in_ahead_of_it() -> None:
    order: list[object] = []
    moment = Moment(utc_now(), 0.0)
    standing: Any = SimpleNamespace(
        due=lambda: 60.0,
        heard=lambda update, _: order.extend(update.messages),
        answered=lambda *_: order.append("answer"),
        tick=lambda _: None,
    )
    follow: Any = SimpleNamespace(moment=lambda: moment)
    ears = BoundedEars()
    for number in (1, 2, 3):
        ears.tell(Pushed(types.UpdateDeleteChannelMessages(7, [number], number, 1), {}))
    course = _Course(follow, SimpleNamespace(), Peer(7, 1, kept=True), ears, standing)
    answer = types.messages.ChannelMessages(1, 0, [], [], [], [])
    course._asked = Asked(These((9,)), 0, moment, "doubts"), asyncio.create_task(asyncio.sleep(0, answer))
    while "answer" not in order:
        await course.step()
    await course.end()
    assert order == [1, 2, 3, "answer"]
