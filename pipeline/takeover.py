"""Rebuilding a stage from what the topics say: its tables, and the fold of its window."""

import asyncio
import gc
from collections.abc import AsyncIterator
from typing import Any

from pipeline.core import Core
from pipeline.engine import Engine
from pipeline.failpoints import Reach, pass_by
from pipeline.kafka import KafkaRecord, KafkaSettings, Reader
from pipeline.transaction import header
from pipeline.waiting import Breath
from schemas.cloudevents import decode
from schemas.records import DeadLetter
from schemas.topics import DEADLETTERS, LEARNED


async def rebuild(
    core: Core[Any],
    settings: KafkaSettings,
    prefix: str,
    committed: int | None,
    reach: Reach = pass_by,
) -> tuple[Engine[Any], int]:
    """Give the engine as it stands behind the last committed transaction, and the input offset to go on from.

    Args:
        core: the stage's decisions.
        settings: how to reach Kafka.
        prefix: of the topics.
        committed: the group's offset; none if it was lost or never was.
        reach: is told the steps.

    Raises:
        KafkaProblem: the topics could not be read.
    """
    engine = Engine(core)
    gc.disable()  # it would look at the growing window again and again, for seconds
    try:
        furthest = await _tables(engine, settings, prefix)
        reach("stage.tables")
        own = core.folds is not core.reads
        if own:
            furthest = max(furthest, await _last_input(settings, core.folds.full(prefix)))
        # What stands in its outputs is decided, whatever the group says: a broker that was restarted may
        # give the offset before the last transaction's, whose records are there.
        start = max(committed or 0, furthest + 1)
        await _fold(engine, settings, prefix, until=None if own else start)
        reach("stage.folded")
    finally:
        gc.freeze()  # what was rebuilt lives long and is in no cycles
        gc.enable()
    return engine, start


async def _tables(engine: Engine[Any], settings: KafkaSettings, prefix: str) -> int:
    """Take in the tables; give the highest input offset that their records name, -1 if there is none."""
    core, furthest = engine.core, -1
    for topic in {one.name: one for one in (*core.tables, LEARNED)}.values():
        latest: dict[str, KafkaRecord] = {}
        async for record in _records(settings, topic.full(prefix), 0):
            latest[(record.key or b"").decode()] = record
        breath = Breath()
        for key, record in latest.items():
            if topic is not LEARNED or key.startswith(f"{core.stage}/"):
                furthest = max(furthest, int(header(record.headers, "ce_inputoffset") or -1))
                engine.reload(topic, key, decode(record.headers, record.value, topic.types).data)
                await breath.due()
    engine.resume()
    return furthest


async def _fold(engine: Engine[Any], settings: KafkaSettings, prefix: str, until: int | None) -> None:
    topic = engine.core.folds
    buried = await _buried(settings, prefix, engine.core.stage) if until is not None else frozenset()
    breath = Breath()
    async for record in _records(settings, topic.full(prefix), engine.fold_from):
        if until is not None and record.offset >= until:
            break
        if record.offset in buried:
            continue
        event = decode(record.headers, record.value, topic.types)
        engine.recall(event, record.offset)
        await breath.due()


async def _buried(settings: KafkaSettings, prefix: str, stage: str) -> frozenset[int]:
    """Give the input offsets whose records became dead letters: they never entered the state."""
    offsets = set()
    async for record in _records(settings, DEADLETTERS.full(prefix), 0):
        letter = decode(record.headers, record.value, DEADLETTERS.types).data
        if isinstance(letter, DeadLetter) and letter.stage == stage:
            offsets.add(int(letter.origin.rpartition("/")[2].partition("@")[0]))
    return frozenset(offsets)


async def _last_input(settings: KafkaSettings, topic: str) -> int:
    """Give the input offset that the last record of a stage's own output names; -1 if there is none."""
    reader = await Reader.open(settings, topic, [0])
    try:
        last = await reader.last(0)
    finally:
        await reader.close()
    return int(header(last[0].headers, "ce_inputoffset") or -1) if last else -1


async def _records(settings: KafkaSettings, topic: str, start: int) -> AsyncIterator[KafkaRecord]:
    reader = await Reader.open(settings, topic, [0])
    try:
        async for records in reader.read_to_end(start={0: start}):
            for record in records:
                yield record
            await asyncio.sleep(0)
    finally:
        await reader.close()
