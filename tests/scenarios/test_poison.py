"""One bad record becomes a dead letter, and nothing else changes; many of them stop the stage."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
import structlog
from prometheus_client import CollectorRegistry

from pipeline.core import Arrival, Output
from pipeline.daemon.compose import ensure_topics
from pipeline.deduplicate.decide import Deduplicate
from pipeline.deduplicate.state import State
from pipeline.ingest.compose import Composed, pack
from pipeline.kafka import Admin, Producer, Reader
from pipeline.observe.health import Health
from pipeline.observe.metrics import StageMetrics
from pipeline.stage import Stage, StageBroken
from pipeline.transaction import Identity
from schemas.cloudevents import decode
from schemas.item import Deduplicated, Item
from schemas.records import DeadLetter
from schemas.topics import DEADLETTERS, DEDUPLICATED, ITEMS
from tests.scenarios.desk import Desk

pytestmark = pytest.mark.kafka
NOON = datetime(2026, 7, 4, 12, tzinfo=UTC)
Written = tuple[list[tuple[str, bytes]], bytes | None]


class Brittle(Deduplicate):
    """Cannot decide on posts that say so."""

    def decide(self, arrival: Arrival, state: State) -> Sequence[Output]:
        if isinstance(arrival.value, Item) and "poison" in arrival.value.text:
            raise ZeroDivisionError("a bug")
        return super().decide(arrival, state)


def item(number: int, text: str, source: str = "w", observed: datetime = NOON) -> Written:
    value = Item(
        item_id=f"{source}/{number}",
        source=source,
        native_id=str(number),
        text=text,
        revision=1,
        content_hash=f"1:{number}",
        via="s",
        connector="recording/1",
        raw_id="r",
        observed=observed,
    )
    output = Output(ITEMS, value.item_id, "dateline.item", value)
    packed = pack(Composed(output, f"{value.item_id}#1", observed), "s", "t.")
    return packed.headers, packed.data


async def write(desk: Desk, records: list[Written]) -> None:
    await ensure_topics(desk.settings, desk.prefix, desk.log)
    producer = await Producer.open(desk.settings, f"{desk.prefix}test")
    await producer.begin()
    for headers, value in records:
        producer.send(ITEMS.full(desk.prefix), key=b"k", value=value, headers=headers, partition=0)
    await producer.commit()
    await producer.close()


def stage(desk: Desk) -> Stage:
    return Stage(
        Brittle(),
        Identity("deduplicate", desk.prefix, "code", "config"),
        settings=desk.settings,
        metrics=StageMetrics(CollectorRegistry()),
        health=Health("deduplicate"),
        log=structlog.get_logger(),
    )


async def run_until_committed(desk: Desk, offset: int) -> None:
    stop = asyncio.Event()
    task = asyncio.create_task(stage(desk).run(stop))
    group, place = f"{desk.prefix}deduplicate", (ITEMS.full(desk.prefix), 0)
    async with asyncio.timeout(60), Admin(desk.settings) as admin:
        while (await admin.group_offsets(group)).get(place, 0) < offset:
            assert not task.done()
            await asyncio.sleep(0.05)
    stop.set()
    await task


async def test_a_poisoned_and_an_unreadable_record_become_dead_letters(desk: Desk) -> None:
    broken = ([("ce_id", b"x")], b"\xff no json")
    await write(desk, [item(1, "one good post here"), item(2, "poison"), broken, item(3, "another good one")])
    await run_until_committed(desk, 4)
    letters = [decode(r.headers, r.value, DEADLETTERS.types).data for r in await desk.records(DEADLETTERS)]
    assert all(isinstance(letter, DeadLetter) for letter in letters)
    poisoned, unreadable = (letter for letter in letters if isinstance(letter, DeadLetter))
    assert poisoned.cause == "Undecidable: ZeroDivisionError: a bug"
    assert "in decide" in (poisoned.trace or "")
    assert poisoned.origin.startswith(f"{ITEMS.full(desk.prefix)}/0/1@")
    assert "poison" in poisoned.body
    assert poisoned.headers["ce_id"] == "w/2#1"
    assert unreadable.encoding == "base64"
    decided = [decode(r.headers, r.value, DEDUPLICATED.types).data for r in await desk.records(DEDUPLICATED)]
    assert [one.item.native_id for one in decided if isinstance(one, Deduplicated)] == ["1", "3"]


async def test_a_stage_that_fails_on_several_sources_stops_and_commits_nothing(desk: Desk) -> None:
    await write(desk, [item(n, "poison", f"wire {n}") for n in range(4)])
    with pytest.raises(StageBroken, match="4 records of 4 sources failed at once"):
        await asyncio.wait_for(stage(desk).run(asyncio.Event()), 60)
    assert await desk.records(DEADLETTERS) == []
    async with Admin(desk.settings) as admin:
        offsets = await admin.group_offsets(f"{desk.prefix}deduplicate")
    assert not any(offsets.values())
    reader = await Reader.open(desk.settings, DEDUPLICATED.full(desk.prefix))
    assert await reader.fetch(max_records=10, wait_seconds=0.1) == []
    await reader.close()
