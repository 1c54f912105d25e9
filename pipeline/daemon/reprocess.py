"""A span of items through the stages as they are now, under a shadow prefix; the live topics are only read.

The shadow begins one window before the span, so that it knows what the live desk knew; what was learned
before that, and stories older than that, it does not have.
"""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Final

import yaml
from structlog.typing import FilteringBoundLogger

from pipeline.daemon.compose import CORES, ensure_topics
from pipeline.daemon.contrast import Outcome, Span
from pipeline.daemon.replay import POLL_SECONDS, behind, kafka_section, table
from pipeline.daemon.supervise import Supervisor, supervised
from pipeline.engine import BEGINNING, EPOCH, WINDOW
from pipeline.kafka import Admin, KafkaRecord, KafkaSettings, Producer, Reader
from pipeline.transaction import header
from schemas.cloudevents import decode
from schemas.flag import Flag
from schemas.item import Deduplicated
from schemas.story import StoryChange
from schemas.topics import DEDUPLICATED, FLAGS, ITEMS, STORY_CHANGES, Topic

COPIED_AT_ONCE: Final = 1000
SLACK: Final = EPOCH
"""What was observed at a moment was appended later, unless a host's clock was ahead; not so far."""


class NotEmpty(Exception):
    """The shadow prefix was used before; the message says what to do."""


async def copy(
    settings: KafkaSettings, live: str, shadow: str, span: Span, log: FilteringBoundLogger
) -> frozenset[str]:
    """Copy the span's items, looks and rulings, and those of one window before, onto the shadow's topic.

    Returns:
        The ce_ids of the items of the span.

    Raises:
        NotEmpty: something stands there.
        KafkaProblem: not all was copied.
    """
    await ensure_topics(settings, shadow, log)
    producer = await Producer.open(settings, f"{shadow}reprocess")
    try:
        if [record async for record in _records(settings, ITEMS, shadow)]:
            raise NotEmpty(f"{ITEMS.full(shadow)} is not empty: choose another --prefix")
        copied: dict[str, bool] = {}
        waiting: list[KafkaRecord] = []
        async for record in _records(settings, ITEMS, live, since=span.since - WINDOW):
            name, time = header(record.headers, "ce_id"), header(record.headers, "ce_time")
            if name is None or time is None or name in copied:  # a retry stands behind what it repeats
                continue
            observed = datetime.fromisoformat(time)
            if observed in Span(span.since - WINDOW, span.until):
                of_item = header(record.headers, "ce_type") == "dateline.item"
                copied[name] = of_item and observed in span
                waiting.append(record)
            if len(waiting) == COPIED_AT_ONCE:
                await _write(producer, shadow, waiting)
                waiting = []
        await _write(producer, shadow, waiting)
    finally:
        await producer.close()
    # A commit is answered a moment before it can be read. The next opening waits for that.
    await (await Producer.open(settings, f"{shadow}reprocess")).close()
    return frozenset(name for name, meant in copied.items() if meant)


@asynccontextmanager
async def stages(
    settings: KafkaSettings, shadow: str, log: FilteringBoundLogger
) -> AsyncIterator[Supervisor]:
    """Run the stages' processes under the shadow prefix; end them when the block is left."""
    with tempfile.TemporaryDirectory(prefix="dateline-") as folder:
        path = Path(folder) / "reprocess.yaml"
        config = {"kafka": kafka_section(path.parent, settings), "topics": {"prefix": shadow}}
        path.write_text(yaml.safe_dump({**config, "observe": {"port": 0}, "log": {"level": "warning"}}))
        async with supervised(path, CORES, log) as supervisor:
            yield supervisor


async def watch(settings: KafkaSettings, shadow: str) -> AsyncIterator[dict[str, int]]:
    """Look again and again how many records each stage has still to work on, until there are none.

    It looks twice: a stage's offset can be seen a moment before what it wrote for the next one.

    Raises:
        KafkaProblem: the topics could not be read.
    """
    before = True
    async with Admin(settings) as admin:
        while True:
            left = await behind(settings, admin, shadow)
            yield left
            now = any(left.values())
            if not (before or now):
                return
            before = now
            await asyncio.sleep(POLL_SECONDS)


async def outcome(settings: KafkaSettings, prefix: str, items: frozenset[str], span: Span) -> Outcome:
    """Read what a prefix's stages made of items.

    What carries an item on has an id that begins with the id of the record that carried it before.

    Raises:
        KafkaProblem: the topics could not be read.
    """
    found = Outcome()
    verdicts: set[str] = set()
    async for record in _records(settings, DEDUPLICATED, prefix, since=span.since):
        name, cause = _ids(record)
        if cause in items:
            told = decode(record.headers, record.value, DEDUPLICATED.types).data
            if isinstance(told, Deduplicated):
                verdicts.add(name)
                found.verdicts[told.item.item_id, told.item.revision] = told.verdict
    async for record in _records(settings, STORY_CHANGES, prefix, since=span.since):
        if _ids(record)[1] in verdicts:
            change = decode(record.headers, record.value, STORY_CHANGES.types).data
            if isinstance(change, StoryChange) and change.carried is not None:
                item = change.carried.item
                found.places[item.item_id, item.revision] = change
    for key, flag in (await table(settings, FLAGS, prefix)).items():
        if isinstance(flag, Flag) and flag.raised in span:
            found.flags[key] = flag
    return found


def _ids(record: KafkaRecord) -> tuple[str, str]:
    """Give a record's ce_id, and that of its cause."""
    name = header(record.headers, "ce_id") or ""
    return name, name.rpartition("/")[0]


async def _write(producer: Producer, shadow: str, records: list[KafkaRecord]) -> None:
    if not records:
        return
    await producer.begin()
    topic = ITEMS.full(shadow)
    for record in records:
        producer.send(topic, key=record.key, value=record.value, headers=record.headers, partition=0)
    await producer.commit()


async def _records(
    settings: KafkaSettings, topic: Topic, prefix: str, *, since: datetime = BEGINNING
) -> AsyncIterator[KafkaRecord]:
    """Yield what can have been observed since then, or follows from it; what is older is passed by unread."""
    reader = await Reader.open(settings, topic.full(prefix), [0])
    try:
        start = await reader.offset_at(int((since - SLACK).timestamp() * 1000))
        async for records in reader.read_to_end(start=start):
            for record in records:
                yield record
    finally:
        await reader.close()
