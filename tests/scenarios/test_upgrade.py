"""A rolling restart with new rules: nothing lost, nothing doubled, and the rules change at one offset."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from pipeline.core import Arrival, Output
from pipeline.daemon.compose import ensure_topics
from pipeline.deduplicate.decide import Deduplicate
from pipeline.deduplicate.state import State
from pipeline.engine import Engine
from pipeline.ingest.compose import Composed, Packed, pack
from pipeline.kafka import Producer
from schemas.cloudevents import decode
from schemas.item import Deduplicated, Item
from schemas.topics import DEDUPLICATED, ITEMS
from tests.scenarios.desk import Desk
from tests.scenarios.stages import committed, readable, stage_of

pytestmark = pytest.mark.kafka
NOON = datetime(2026, 7, 4, 12, tzinfo=UTC)
POSTS = 600
CHANGED_AFTER = 150


class Next(Deduplicate):
    """The same decisions under the rules' next versions."""

    def decide(self, arrival: Arrival, state: State) -> Sequence[Output]:
        return [renamed(output) for output in super().decide(arrival, state)]


def renamed(output: Output) -> Output:
    told = output.value
    if not isinstance(told, Deduplicated):
        return output
    verdict = told.verdict.model_copy(update={"rule": told.verdict.rule.replace("/1", "/2")})
    return output._replace(value=told.model_copy(update={"verdict": verdict}))


def post(number: int) -> Packed:
    """Every third post is a copy of one before."""
    told = number if number % 3 else max(1, number - 30)
    value = Item(
        item_id=f"wire {number % 7}/{number}",
        source=f"wire {number % 7}",
        native_id=str(number),
        text=f"Storm {told} closes the harbour of Porto, {told + 100} people wait for the ferry to Lagos",
        revision=1,
        content_hash=f"1:{number}",
        via="s",
        connector="recording/1",
        raw_id="r",
        observed=NOON + timedelta(minutes=3 * number),
    )
    output = Output(ITEMS, value.item_id, "dateline.item", value)
    return pack(Composed(output, f"{value.item_id}#1", value.observed), "s", "t.")


async def write(desk: Desk, posts: Sequence[Packed]) -> None:
    """Write posts as ingest does, some in a transaction."""
    producer = await Producer.open(desk.settings, f"{desk.prefix}test")
    for start in range(0, len(posts), 20):
        await producer.begin()
        for one in posts[start : start + 20]:
            producer.send(ITEMS.full(desk.prefix), key=b"k", value=one.data, headers=one.headers, partition=0)
        await producer.commit()
        await asyncio.sleep(0.02)
    await producer.close()
    await readable(desk, f"{desk.prefix}test")


def undisturbed(posts: Sequence[Packed]) -> list[Deduplicated]:
    engine, told = Engine(Deduplicate()), []
    for place, one in enumerate(posts):
        if engine.crosses(one.event):
            engine.turn(one.event)
        for written in engine.step(one.event):
            engine.placed(written.at, place)
            if isinstance(written.output.value, Deduplicated):
                told.append(written.output.value)
    return told


def unruled(told: Deduplicated) -> bytes:
    return told.model_copy(update={"verdict": told.verdict.model_copy(update={"rule": "any"})}).dump()


async def test_a_rolling_restart_changes_the_rules_at_one_offset_and_nothing_else(desk: Desk) -> None:
    posts = [post(number) for number in range(1, POSTS + 1)]
    await ensure_topics(desk.settings, desk.prefix, desk.log)
    writing = asyncio.create_task(write(desk, posts))
    old, new = asyncio.Event(), asyncio.Event()
    before = asyncio.create_task(stage_of(desk, Deduplicate(), "old").run(old))
    await committed(desk, Deduplicate(), CHANGED_AFTER, before)
    after = asyncio.create_task(stage_of(desk, Next(), "new").run(new))  # stands by
    old.set()
    await before
    await writing
    await committed(desk, Next(), (await desk.records(ITEMS))[-1].offset + 1, after)
    new.set()
    await after
    await readable(desk, f"{desk.prefix}deduplicate.0")

    records = await desk.records(DEDUPLICATED)
    told = [decode(one.headers, one.value, DEDUPLICATED.types).data for one in records]
    carried = [one for one in told if isinstance(one, Deduplicated)]
    assert len(carried) == len(told) == POSTS
    assert [unruled(one) for one in carried] == [unruled(one) for one in undisturbed(posts)]
    assert {one.verdict.role for one in carried} == {"original", "copy"}
    codes = [dict(one.headers)["ce_code"] for one in records]
    versions = [one.verdict.rule.rpartition("/")[2] for one in carried]
    changed = versions.index("2")
    assert CHANGED_AFTER / 2 < changed < POSTS
    assert versions == ["1"] * changed + ["2"] * (POSTS - changed)
    assert codes == [b"old"] * changed + [b"new"] * (POSTS - changed)
