"""What stands on the topics, against the undisturbed run: the very values that `backtest` gives."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from connectors.recording import Recording, RecordingConfig
from pipeline.backtest import Chain, Placed, Topics, play
from pipeline.daemon.compose import CORES, core_of
from pipeline.daemon.replay import SOURCE
from pipeline.ingest.follow import Source
from pipeline.ingest.plan import partition_of
from pipeline.kafka import KafkaSettings, Reader
from schemas.cloudevents import decode
from schemas.topics import (
    BASELINES,
    CHECKPOINTS,
    DEADLETTERS,
    DEDUPLICATED,
    FLAGS,
    GAPS,
    ITEMS,
    LEARNED,
    ORIGINALS,
    RAW,
    SEEN,
    STORIES,
    STORY_CHANGES,
    UNIT_PARTITIONS,
    Topic,
)

ORDERED = (ITEMS, DEDUPLICATED, STORY_CHANGES, DEADLETTERS)
UNORDERED = (RAW,)
"""Of these each partition has its own order, and a source that moves changes partitions."""
TABLES = (STORIES, FLAGS, ORIGINALS, LEARNED, BASELINES, GAPS, CHECKPOINTS, SEEN)

EXPLAINED: Mapping[tuple[str, str], str] = {
    (RAW.name, "received"): "when this process had the post: the host's clock",
    (DEADLETTERS.name, "recorded"): "when this process gave the post up: the host's clock",
    (SEEN.name, "listed"): "when this process saw the item listed: the host's clock",
    (CHECKPOINTS.name, "changed"): "when this process wrote it: the host's clock",
    (CHECKPOINTS.name, "looked"): "when the recording's end was seen: the host's clock",
    (CHECKPOINTS.name, "unit"): "a round that moves the source ends in another unit than it began in",
}
"""Fields that may differ, each with the reason. Nothing else may."""
TRANSLATED: Mapping[tuple[str, str], str] = {
    (LEARNED.name, "fold_from"): "an offset: marks and aborted attempts take offsets too. Compared is the "
    "ce_id of the first record there",
}
FOLDED: Mapping[str, Topic] = {stage: core_of(stage).folds for stage in CORES}


class Stands(NamedTuple):
    """One record.

    Attributes:
        name: its ce_id in a log, its key in a table.
        kind: its ce_type.
        value: its fields, without those that are explained.
    """

    name: str
    kind: str
    value: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Difference:
    """How a topic differs.

    Attributes:
        topic: its name.
        lost: records that are missing.
        doubled: records that are there more often, or that should not be there at all.
        different: records with another value, or at another place.
        first: the first of them, in words.
    """

    topic: str
    lost: int
    doubled: int
    different: int
    first: str


async def undisturbed(recording: Path) -> Topics:
    """Run the whole chain without Kafka."""
    config = RecordingConfig(name=SOURCE, path=recording)
    connector = Recording(config)
    chain = Chain([core_of(stage) for stage in CORES], Source(config, connector))
    await play(chain, connector.observe(None))
    return chain.topics


async def differences(settings: KafkaSettings, prefix: str, expected: Topics, unit: str) -> list[Difference]:
    """Compare all topics.

    Args:
        settings: how to reach Kafka.
        prefix: of the topics.
        expected: the undisturbed run.
        unit: the last one that the source stood in.
    """
    folded = {topic.name: topic for topic in FOLDED.values()}
    places = {name: await _places(settings, topic.full(prefix)) for name, topic in folded.items()}
    found = []
    for topic in (*ORDERED, *UNORDERED, *TABLES):
        wanted = [_wanted(topic, placed, expected) for placed in expected.values(topic)]
        there = [_placed(topic, record, places) for record in await _records(settings, prefix, topic, unit)]
        if topic.compact:
            latest = {one.name: one for one in there}
            there = [one for one in latest.values() if one.value is not None]
        if topic not in ORDERED:
            wanted, there = sorted(wanted, key=_by_name), sorted(there, key=_by_name)
        if wanted != there:
            found.append(compared(topic.name, wanted, there))
    return found


def compared(topic: str, wanted: Sequence[Stands], there: Sequence[Stands]) -> Difference:
    """Say how two sequences of records differ."""
    names, found = Counter(one.name for one in wanted), Counter(one.name for one in there)
    values = {one.name: one for one in wanted}
    other = sum(one.name in values and one != values[one.name] for one in there)
    lost, doubled = (names - found).total(), (found - names).total()
    if not (lost or doubled or other):
        other = sum(a != b for a, b in zip(wanted, there, strict=True))  # the order
    place, pair = next(
        (place, pair) for place, pair in enumerate(_side_by_side(wanted, there)) if pair[0] != pair[1]
    )
    return Difference(topic, lost, doubled, other, f"record {place}: {_told(*pair)}")


def _side_by_side(
    wanted: Sequence[Stands], there: Sequence[Stands]
) -> Iterable[tuple[Stands | None, Stands | None]]:
    for place in range(max(len(wanted), len(there))):
        yield (
            wanted[place] if place < len(wanted) else None,
            there[place] if place < len(there) else None,
        )


def _told(wanted: Stands | None, there: Stands | None) -> str:
    if wanted is None or there is None or wanted[:2] != there[:2]:
        return f"should be {wanted and wanted[:2]}, is {there and there[:2]}"
    old, new = wanted.value or {}, there.value or {}
    fields = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    shown = "; ".join(
        f"{name} should be {old.get(name)!r:.200}, is {new.get(name)!r:.200}" for name in fields
    )
    return f"{there.name} ({there.kind}): {shown}"


def _by_name(one: Stands) -> str:
    return one.name


class _Record(NamedTuple):
    offset: int
    placed: Placed


async def _records(settings: KafkaSettings, prefix: str, topic: Topic, unit: str) -> list[_Record]:
    partitions = [partition_of(unit)] if topic in (CHECKPOINTS, SEEN) else range(topic.partitions)
    assert topic.partitions in (1, UNIT_PARTITIONS)
    reader = await Reader.open(settings, topic.full(prefix), list(partitions))
    found = []
    try:
        async for records in reader.read_to_end():
            for record in records:
                event = decode(record.headers, record.value, topic.types)
                key = (record.key or b"").decode()
                found.append(
                    _Record(record.offset, Placed(event.id, key, event.type, event.time, event.data))
                )
    finally:
        await reader.close()
    return found


async def _places(settings: KafkaSettings, topic: str) -> list[tuple[int, str]]:
    """Give offset and ce_id of each record."""
    reader = await Reader.open(settings, topic, [0])
    try:
        return [
            (record.offset, dict(record.headers)["ce_id"].decode())
            async for records in reader.read_to_end()
            for record in records
        ]
    finally:
        await reader.close()


def _wanted(topic: Topic, placed: Placed, expected: Topics) -> Stands:
    fields = _fields(topic, placed)
    if fields is not None and fields.get("fold_from") is not None:
        log = expected.logs[FOLDED[fields["stage"]].name]
        fields["fold_from"] = next((one.id for one in log[fields["fold_from"] :]), None)
    return Stands(placed.key if topic.compact else placed.id, placed.type, fields)


def _placed(topic: Topic, record: _Record, places: Mapping[str, list[tuple[int, str]]]) -> Stands:
    placed = record.placed
    fields = _fields(topic, placed)
    if fields is not None and fields.get("fold_from") is not None:
        log = places[FOLDED[fields["stage"]].name]
        fields["fold_from"] = next((name for offset, name in log if offset >= fields["fold_from"]), None)
    return Stands(placed.key if topic.compact else placed.id, placed.type, fields)


def _fields(topic: Topic, placed: Placed) -> dict[str, Any] | None:
    """Give the value's fields, key and stage time among them, without those that are explained."""
    if placed.value is None:
        return None
    value: dict[str, Any] = json.loads(placed.value.dump())
    timed = {} if topic in (RAW, DEADLETTERS, SEEN, CHECKPOINTS) else {"ce_time": placed.time.isoformat()}
    kept = {name: field for name, field in value.items() if (topic.name, name) not in EXPLAINED}
    return {**kept, **timed, "key": placed.key}
