"""The whole chain over a recording, with no Kafka: the very values that the topics would hold.

It runs the same `Batch` as ingest and the same engines as the stages, record by record.
"""

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from connectors.seam import Sight
from pipeline.core import Core, Output
from pipeline.engine import BEGINNING, Engine, Undecidable, Written
from pipeline.ingest.batch import Batch
from pipeline.ingest.books import Books
from pipeline.ingest.follow import Sighted, Source
from schemas.base import Record
from schemas.cloudevents import Event
from schemas.topics import ITEMS, Topic


@dataclass(frozen=True, slots=True)
class Placed:
    """One record as it would stand on its topic."""

    id: str
    key: str
    type: str
    time: datetime
    value: Record | None


@dataclass(slots=True)
class Topics:
    """What was written, by topic, in order; of compacted topics the last record of each key."""

    logs: dict[str, list[Placed]] = field(default_factory=dict)
    tables: dict[str, dict[str, Placed]] = field(default_factory=dict)

    def append(self, topic: Topic, placed: Placed) -> int:
        """Write a record and give its place in the topic."""
        if topic.compact:
            table = self.tables.setdefault(topic.name, {})
            table.pop(placed.key, None)
            if placed.value is not None:
                table[placed.key] = placed
            return len(table)
        log = self.logs.setdefault(topic.name, [])
        log.append(placed)
        return len(log) - 1

    def values(self, topic: Topic) -> list[Placed]:
        """Give the records of a topic: all of a log, the last of each key of a table."""
        return (
            list(self.tables.get(topic.name, {}).values()) if topic.compact else self.logs.get(topic.name, [])
        )


class Chain:
    """Ingest's books and the stages' engines, one behind the other."""

    def __init__(self, cores: Sequence[Core[Any]], source: Source) -> None:
        self.topics = Topics()
        self._engines = [Engine(core) for core in cores]
        self._source = source
        self._books = Books({}, {})

    def feed(self, sight: Sight) -> None:
        """Take in one sight of the connector, and all that follows from it."""
        batch = Batch(self._books, lambda: BEGINNING, "")
        batch.add(Sighted(self._source, sight))
        for packed in batch.records():
            output, event = packed.output, packed.event
            self.topics.append(
                output.topic, Placed(event.id, output.key, output.type, event.time, output.value)
            )
            if output.topic is ITEMS:
                self._through(event, 0)
        batch.settle()

    def _through(self, arrived: Event[Record], stage: int) -> None:
        if stage == len(self._engines):
            return
        engine = self._engines[stage]
        place = len(self.topics.logs[engine.core.reads.name]) - 1
        if engine.crosses(arrived):
            self._write(engine, engine.turn(arrived))
        try:
            written = engine.step(arrived)
        except Undecidable as problem:
            raise RuntimeError(f"{engine.core.stage} cannot decide on {arrived.id}") from problem
        if engine.core.folds is engine.core.reads:
            engine.placed(engine.at, place)
        self._write(engine, written, stage + 1)

    def _write(self, engine: Engine[Any], written: Iterable[Written], following: int | None = None) -> None:
        for one in written:
            output: Output = one.output
            place = self.topics.append(
                output.topic, Placed(one.id, output.key, output.type, one.at, output.value)
            )
            if engine.core.folds is not engine.core.reads and output.topic is engine.core.folds:
                engine.placed(one.at, place)
            if following is not None and following < len(self._engines):
                behind = self._engines[following].core.reads
                if output.topic is behind:
                    passed: Event[Record] = Event(
                        one.id,
                        f"/dateline/{engine.core.stage}",
                        output.type,
                        one.at,
                        output.key,
                        output.value,
                    )
                    self._through(passed, following)


async def play(chain: Chain, sights: AsyncIterator[Sight]) -> None:
    """Feed a whole recording."""
    async for sight in sights:
        chain.feed(sight)


def jsonl(placed: Iterable[Placed]) -> Iterator[bytes]:
    """Give the values as JSON Lines: the bytes of the topic, a line each."""
    for one in placed:
        if one.value is not None:
            yield one.value.dump() + b"\n"
