"""`dateline dlq` on a real Kafka: what failed is processed once it can be, exactly once."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from typer.testing import CliRunner

from pipeline.chronology.decide import Chronology
from pipeline.cli.app import app
from pipeline.cluster.decide import Cluster
from pipeline.core import Arrival, Output
from pipeline.daemon import deadletters
from pipeline.daemon.compose import ensure_topics
from pipeline.daemon.deadletters import Filter
from pipeline.deduplicate.decide import Deduplicate
from pipeline.deduplicate.state import State
from pipeline.ingest.compose import Composed, pack
from pipeline.kafka import Producer
from pipeline.takeover import rebuild
from schemas.cloudevents import decode
from schemas.item import Deduplicated, Item
from schemas.records import DeadLetter
from schemas.topics import DEADLETTERS, DEDUPLICATED, ITEMS, STORY_CHANGES, Topic
from tests.scenarios.desk import Desk
from tests.scenarios.stages import readable, run

pytestmark = pytest.mark.kafka
NOON = datetime(2026, 7, 4, 12, tzinfo=UTC)


class Brittle(Deduplicate):
    """Cannot decide on posts that say so."""

    def decide(self, arrival: Arrival, state: State) -> Sequence[Output]:
        if isinstance(arrival.value, Item) and "poison" in arrival.value.text:
            raise ZeroDivisionError("a bug")
        return super().decide(arrival, state)


def item(number: int, text: str, *, revision: int = 1, source: str = "w") -> tuple[Any, bytes | None]:
    value = Item(
        item_id=f"{source}/{number}",
        source=source,
        native_id=str(number),
        text=text,
        revision=revision,
        content_hash=f"1:{number}",
        via="s",
        connector="recording/1",
        raw_id="r",
        observed=NOON + timedelta(minutes=number),
    )
    output = Output(ITEMS, value.item_id, "dateline.item", value)
    packed = pack(Composed(output, f"{value.item_id}#{revision}", value.observed), "s", "t.")
    return packed.headers, packed.data


async def write(desk: Desk, *records: tuple[Any, bytes | None], topic: Topic = ITEMS) -> None:
    await ensure_topics(desk.settings, desk.prefix, desk.log)
    producer = await Producer.open(desk.settings, f"{desk.prefix}test")
    await producer.begin()
    for headers, value in records:
        producer.send(topic.full(desk.prefix), key=b"k", value=value, headers=headers, partition=0)
    await producer.commit()
    await producer.close()
    await readable(desk, f"{desk.prefix}test")


async def retry(desk: Desk) -> list[DeadLetter]:
    """Retry all that is open."""

    def choose(letters: deadletters.Letters) -> list[DeadLetter]:
        return [one for one in letters.values() if one.state == "open"]

    return await deadletters.retry(desk.settings, desk.prefix, choose, "ann")


async def letters(desk: Desk) -> list[DeadLetter]:
    return list((await deadletters.read(desk.settings, desk.prefix)).values())


async def decided(desk: Desk) -> list[Deduplicated]:
    found = [decode(r.headers, r.value, DEDUPLICATED.types).data for r in await desk.records(DEDUPLICATED)]
    return [one for one in found if isinstance(one, Deduplicated)]


async def test_what_a_stage_gave_up_is_decided_by_better_code_once_and_late_if_it_has_aged(
    desk: Desk,
) -> None:
    await write(desk, item(1, "one good post here"), item(2, "poison"), item(2, "it is mended", revision=2))
    await run(desk, Brittle())
    (letter,) = await letters(desk)
    assert (letter.item_id, letter.source, letter.attempts, letter.state) == ("w/2", "s", 1, "open")
    (marked,) = await retry(desk)
    assert (marked.state, marked.by) == ("retried", "ann")
    assert await retry(desk) == [], "the second one finds nothing open"
    headers, value = deadletters.returning(letter)
    await write(desk, (headers, value), item(3, "another good post"))  # as if it were sent twice all the same
    await run(desk, Deduplicate())
    await write(desk, (headers, value))
    await run(desk, Deduplicate())
    told = [(one.item.native_id, one.item.revision, one.item.late) for one in await decided(desk)]
    assert told == [("1", 1, False), ("2", 2, False), ("2", 1, True), ("3", 1, False)]
    records = await desk.records(DEDUPLICATED)
    assert dict(records[2].headers)["ce_retryof"].decode() == letter.origin
    assert [one.state for one in await letters(desk)] == ["retried"]


async def test_what_fails_again_is_a_letter_with_one_more_try_and_many_of_them_do_not_stop_the_stage(
    desk: Desk,
) -> None:
    for number in range(4):  # one by one: many at once would stop the stage
        await write(desk, item(number, "poison", source=f"wire {number}"))
        await run(desk, Brittle())
    assert len(await retry(desk)) == 4
    await run(desk, Brittle())
    found = await letters(desk)
    assert [one.state for one in found] == ["retried"] * 4 + ["open"] * 4
    assert [one.attempts for one in found] == [1] * 4 + [2] * 4
    assert [one.retry_of for one in found[4:]] == [one.origin for one in found[:4]]
    await retry(desk)
    await run(desk, Brittle())
    third = (await letters(desk))[8:]
    assert [one.attempts for one in third] == [3] * 4
    assert [one.retry_of for one in third] == [one.origin for one in found[:4]]
    await retry(desk)
    await run(desk, Deduplicate())
    assert [one.item.source for one in await decided(desk)] == [f"wire {number}" for number in range(4)]


class Shy(Chronology):
    """Cannot decide on one post."""

    def decide(self, arrival: Arrival, state: Any) -> Sequence[Output]:
        if b"w/2" in arrival.value.dump():
            raise ZeroDivisionError("a bug")
        return super().decide(arrival, state)


async def test_a_restarted_chronology_knows_what_it_has_decided_of_its_letters(desk: Desk) -> None:
    await write(desk, *(item(number, f"the ferry is late today, says {number}") for number in range(4)))
    for core in (Deduplicate(), Cluster(), Shy()):
        await run(desk, core)
    (letter,) = await letters(desk)
    assert (letter.stage, letter.item_id) == ("chronology", "w/2")
    await retry(desk)
    await run(desk, Chronology())
    await write(desk, deadletters.returning(letter), topic=STORY_CHANGES)
    await run(desk, Chronology())
    end = (await desk.records(STORY_CHANGES))[-1].offset + 1
    engine, _ = await rebuild(Chronology(), desk.settings, desk.prefix, end)
    report = engine.state.window.report("w/2")
    assert len(report.versions) == 1, "its letter's first place and the repeat are passed over"
    assert engine.retries.settled(letter.origin, None)
    assert [one.state for one in await letters(desk)] == ["retried"]


async def test_an_operator_lists_shows_drops_and_retries(desk: Desk) -> None:
    await write(desk, item(1, "poison"), ([("ce_id", b"x")], b"\xff no json"), item(2, "a good post"))
    await run(desk, Brittle())
    where = ["--prefix", desk.prefix, "--bootstrap", desk.settings.bootstrap_servers]

    async def typed(*words: str) -> Any:
        return await asyncio.to_thread(CliRunner().invoke, app, ["dlq", *words, *where])

    listed = (await typed("list", "--stage", "deduplicate", "--since", "1h")).output.splitlines()
    assert len(listed) == 2
    first, second = (line.split("\t")[-1] for line in listed)
    assert "ZeroDivisionError: a bug" in (await typed("show", first)).output
    assert "ff 20 6e 6f" in (await typed("show", second)).output
    assert (await typed("list", "--source", "s")).output.count("\n") == 1
    dropped = await typed("drop", second, "--reason", "a stranger wrote it", "--by", "ann")
    assert dropped.output.startswith("1 dropped")
    assert (await typed("retry", "--all", "--stage", "deduplicate")).output.startswith("1 put back")
    assert (await typed("list")).output == ""
    told = (await typed("show", second)).output
    assert "by: ann" in told
    assert "reason: a stranger wrote it" in told
    again = await typed("retry", first)
    assert again.exit_code == 1
    assert "was retried" in again.output
    assert Filter(stage="deduplicate")((await letters(desk))[0])
    assert len(await desk.records(DEADLETTERS)) == 4, "nothing is erased"
