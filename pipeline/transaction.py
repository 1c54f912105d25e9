"""One transaction of a stage: what a run of input records led to, and the input offset behind them."""

from asyncio import Future
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pipeline.burial import carried, dead_letter
from pipeline.engine import Engine, Written
from pipeline.failpoints import Reach, pass_by
from pipeline.kafka import KafkaRecord, Producer
from pipeline.retries import RETRY_OF, attempts_of
from pipeline.waiting import Breath
from schemas.base import Record
from schemas.cloudevents import Event, Headers, encode
from schemas.item import Item
from schemas.topics import DEADLETTERS


@dataclass(frozen=True, slots=True)
class Identity:
    """Who writes: what every output of a stage carries.

    Attributes:
        stage: its name.
        prefix: of the topics.
        code: fingerprint of the code that decides.
        config: fingerprint of the config in force.
    """

    stage: str
    prefix: str
    code: str
    config: str

    @property
    def group(self) -> str:
        """The consumer group, and the stem of the transactional id."""
        return self.prefix + self.stage


class Transaction:
    """Collects the outputs of some input records and commits them with the offset behind."""

    def __init__(
        self, producer: Producer, engine: Engine[Any], identity: Identity, first: int, reach: Reach = pass_by
    ) -> None:
        self._producer = producer
        self._engine = engine
        self._identity = identity
        self._source = f"/{identity.group}"
        self._first = first
        self._reach = reach
        self._latest: dict[tuple[str, str], tuple[Written, int]] = {}
        self._placed: list[tuple[datetime, Future[int]]] = []
        self._folds = engine.core.folds
        self._decided = {"code": identity.code, "config": identity.config}
        self._retried: dict[int, str] = {}
        self._begun = False
        self.types: dict[str, int] = {}
        self.dead_sources: set[str] = set()
        self.dead = 0
        self.last_cause = ""

    async def add(self, written: Iterable[Written], offset: int, retry_of: str | None = None) -> None:
        """Take the outputs that the input record at `offset` led to, which may be a retried one."""
        if not self._begun:
            await self._begin()
        if retry_of is not None:
            self._retried[offset] = retry_of
        for one in written:
            output = one.output
            if output.topic.compact:  # one upsert a key and transaction: the last one says it all
                key = (output.topic.name, output.key)
                self._latest.pop(key, None)
                self._latest[key] = (one, offset)
            else:
                future = self._send(one, offset)
                if output.topic is self._folds:
                    self._placed.append((one.at, future))

    async def bury(self, record: KafkaRecord, problem: Exception, item: Item | None = None) -> None:
        """Write a dead letter for an input record that cannot be processed; `item` is what it carries."""
        await self._begin()
        self.dead += 1
        self.last_cause = str(problem)
        at = datetime.fromtimestamp(record.timestamp_ms / 1000, UTC)
        origin = f"{record.topic}/{record.partition}/{record.offset}"
        headers = carried(record.headers)
        attributes = {name.removeprefix("ce_"): text for name, text in headers.items()}
        retry_of = self._engine.retries.origin(attributes)
        if retry_of is None:  # many failures at once mean a broken stage, but a retry was a failure before
            self.dead_sources.add(item.source if item else "?")
        letter = dead_letter(
            record.value or b"",
            origin,
            self._identity.stage,
            problem,
            at,
            headers=headers,
            attempts=attempts_of(attributes) if retry_of else 1,
            retry_of=retry_of,
            item_id=item and item.item_id,
            source=item and item.via,
        )
        event: Event[Record] = Event(
            f"dead:{letter.origin}",
            self._source,
            "dateline.deadletter",
            at,
            letter.origin,
            letter,
            self._extensions(record.offset),
        )
        packed, value = encode(event)
        topic = DEADLETTERS.full(self._identity.prefix)
        self._producer.send(topic, key=letter.origin.encode(), value=value, headers=packed, partition=0)

    async def commit(self, following: int) -> None:
        """Commit everything with the offset of the next input record; then the engine knows its places.

        Raises:
            KafkaProblem: not committed, or the outcome is unknown: the engine's state is void.
        """
        if following == self._first and not self._begun:
            return
        await self._begin()
        breath = Breath()
        for one, offset in self._latest.values():
            self._send(one, offset)
            await breath.due()
        self._reach("stage.sent")
        topic = self._engine.core.reads.full(self._identity.prefix)
        await self._producer.commit(group=self._identity.group, offsets={(topic, 0): following})
        self._reach("stage.committed")
        for at, future in self._placed:
            self._engine.placed(at, future.result())

    async def _begin(self) -> None:
        if not self._begun:
            await self._producer.begin()
            self._begun = True
            self._reach("stage.begun")

    def _send(self, one: Written, offset: int) -> "Future[int]":
        topic, key, kind, data, _ = one.output
        self.types[kind] = self.types.get(kind, 0) + 1
        event: Event[Record] = Event(one.id, self._source, kind, one.at, key, data, self._extensions(offset))
        headers, value = encode(event)
        name = topic.full(self._identity.prefix)
        return self._producer.send(name, key=key.encode(), value=value, headers=headers, partition=0)

    def _extensions(self, offset: int) -> dict[str, str]:
        # The turn before the very first record follows none.
        if offset < 0:
            return self._decided
        told = {"inputoffset": str(offset), **self._decided}
        if offset in self._retried:
            told[RETRY_OF] = self._retried[offset]
        return told


def header(headers: Headers, name: str) -> str | None:
    """Give a header's text, or none."""
    return next((content.decode() for key, content in headers if key == name), None)
