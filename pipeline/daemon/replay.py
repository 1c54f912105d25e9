"""A recording through the real daemon, under its own topic prefix, until everything has come through."""

import asyncio
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml
from pydantic import SecretStr
from structlog.typing import FilteringBoundLogger

from pipeline.daemon.compose import CORES, ROLES, ensure_topics
from pipeline.daemon.supervise import Supervisor, supervised
from pipeline.kafka import Admin, KafkaSettings, Reader
from schemas.base import Record
from schemas.cloudevents import decode
from schemas.records import Checkpoint
from schemas.topics import CHECKPOINTS, DEDUPLICATED, ITEMS, STORY_CHANGES, Topic

SOURCE = "recording"
POLL_SECONDS = 0.2
STAGE_INPUTS: dict[str, Topic] = {"deduplicate": ITEMS, "cluster": DEDUPLICATED, "chronology": STORY_CHANGES}


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a replay has come.

    Attributes:
        lines: of the recording that are taken in.
        done: ingest has reached its end.
        behind: input records that each stage has still to work on.
    """

    lines: int
    done: bool
    behind: dict[str, int]

    @property
    def finished(self) -> bool:
        """Whether everything has come through."""
        return self.done and not any(self.behind.values())


def write_config(
    folder: Path, recording: Path, settings: KafkaSettings, prefix: str, *, speed: str, level: str
) -> Path:
    """Write the config of a replay: one recording, one prefix, free ports."""
    config = {
        "kafka": kafka_section(folder, settings),
        "topics": {"prefix": prefix},
        "observe": {"port": 0},
        "log": {"level": level},
        "sources": [{"kind": "recording", "name": SOURCE, "path": str(recording.resolve()), "speed": speed}],
    }
    path = folder / "replay.yaml"
    path.write_text(yaml.safe_dump(config))
    return path


def kafka_section(folder: Path, settings: KafkaSettings) -> dict[str, Any]:
    """Give the settings as a config in `folder` has them; a secret goes into a file that only we may read."""
    section = settings.model_dump(exclude_defaults=True)
    section["bootstrap_servers"] = settings.bootstrap_servers  # a config has another default
    for name, value in section.items():
        if isinstance(value, SecretStr):
            file = folder / name
            file.touch(mode=0o600)
            file.write_text(value.get_secret_value())
            section[name] = f"${{FILE:{name}}}"
        elif isinstance(value, Path):
            section[name] = str(value.absolute())
    return section


@asynccontextmanager
async def running(
    recording: Path,
    settings: KafkaSettings,
    prefix: str,
    log: FilteringBoundLogger,
    *,
    speed: str = "max",
    level: str = "warning",
) -> AsyncIterator[Supervisor]:
    """Run the daemon's processes on a recording; end them when the block is left."""
    await ensure_topics(settings, prefix, log)
    with tempfile.TemporaryDirectory(prefix="dateline-") as folder:
        path = write_config(Path(folder), recording, settings, prefix, speed=speed, level=level)
        async with supervised(path, ROLES, log) as supervisor:
            yield supervisor


async def watch(settings: KafkaSettings, prefix: str, digest: str) -> AsyncGenerator[Progress]:
    """Look again and again how far the recording with this content hash has come from now on.

    Ends when it is through: also what was replayed before is looked through once more.

    Raises:
        KafkaProblem: the topics could not be read.
    """
    since = datetime.now(UTC)
    async with Admin(settings) as admin:
        while True:
            now = await progress(settings, admin, prefix, digest, since)
            yield now
            if now.finished:
                return
            await asyncio.sleep(POLL_SECONDS)


async def progress(
    settings: KafkaSettings, admin: Admin, prefix: str, digest: str, since: datetime
) -> Progress:
    """Look how far a replay has come that began at `since`."""
    lines, done = 0, False
    for value in (await table(settings, CHECKPOINTS, prefix)).values():
        if isinstance(value, Checkpoint) and value.source == SOURCE and value.cursor:
            current = value.cursor.get("sha256") == digest and value.changed >= since
            lines, done = (int(value.cursor["line"]), value.done) if current else (0, False)
    return Progress(lines, done, await behind(settings, admin, prefix))


async def behind(settings: KafkaSettings, admin: Admin, prefix: str) -> dict[str, int]:
    """Look how many input records each stage has still to work on."""
    left = {}
    for stage in CORES:
        topic = STAGE_INPUTS[stage].full(prefix)
        committed = (await admin.group_offsets(f"{prefix}{stage}")).get((topic, 0), 0)
        reader = await Reader.open(settings, topic, [0])
        try:
            last = await reader.last(0)
        finally:
            await reader.close()
        left[stage] = max(0, last[0].offset + 1 - committed) if last else 0
    return left


async def table(settings: KafkaSettings, topic: Topic, prefix: str) -> dict[str, Record]:
    """Read a compacted topic: the last value of each key, in order of their last change.

    A key that was nulled in one partition may live in another one: its source moved there.
    """
    values: dict[tuple[int, str], Record] = {}
    for partition, _, key, value in await _records(settings, topic, prefix):
        values.pop((partition, key), None)
        if value is not None:
            values[partition, key] = value
    return {key: value for (_, key), value in values.items()}


async def log_of(settings: KafkaSettings, topic: Topic, prefix: str) -> list[tuple[str, str, Record | None]]:
    """Read a topic from its beginning to its end: ce_type, key and value of each record."""
    return [(kind, key, value) for _, kind, key, value in await _records(settings, topic, prefix)]


async def _records(
    settings: KafkaSettings, topic: Topic, prefix: str
) -> list[tuple[int, str, str, Record | None]]:
    reader = await Reader.open(settings, topic.full(prefix))
    found: list[tuple[int, str, str, Record | None]] = []
    try:
        async for records in reader.read_to_end():
            for record in records:
                event = decode(record.headers, record.value, topic.types)
                found.append((record.partition, event.type, (record.key or b"").decode(), event.data))
    finally:
        await reader.close()
    return found
