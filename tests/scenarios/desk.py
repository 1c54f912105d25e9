"""A desk on a real Kafka: the daemon's processes, a recording, and what stands on the topics afterwards."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import structlog
from structlog.typing import FilteringBoundLogger

from connectors.recording.connector import sha256_of
from pipeline.daemon import replay
from pipeline.daemon.supervise import Supervisor
from pipeline.kafka import KafkaRecord, KafkaSettings, Reader
from schemas.topics import TOPICS, Topic

Meanwhile = Callable[[replay.Progress, Supervisor], None]


@dataclass
class Desk:
    """One prefix on a real Kafka."""

    settings: KafkaSettings
    prefix: str
    log: FilteringBoundLogger = field(default_factory=structlog.get_logger)

    async def replay(self, recording: Path, meanwhile: Meanwhile | None = None) -> None:
        """Put a recording through the daemon, doing something to it meanwhile."""
        digest = sha256_of(recording)
        running = replay.running(recording, self.settings, self.prefix, self.log)
        async with asyncio.timeout(150), running as supervisor:
            async for now in replay.watch(self.settings, self.prefix, digest):
                if meanwhile is not None:
                    meanwhile(now, supervisor)

    async def records(self, topic: Topic) -> list[KafkaRecord]:
        """Read a topic whole, as a subscriber would: committed records, in order within a partition."""
        reader = await Reader.open(self.settings, topic.full(self.prefix))
        try:
            return [record async for records in reader.read_to_end(settled=True) for record in records]
        finally:
            await reader.close()

    async def values(self, topic: Topic) -> list[bytes | None]:
        """Give a topic's values; of a compacted one the last of each key, sorted by key."""
        records = await self.records(topic)
        if not topic.compact:
            return [record.value for record in records]
        last = {record.key or b"": record.value for record in records}
        return [last[key] for key in sorted(last) if last[key] is not None]

    async def counts(self) -> dict[str, int]:
        """Count what stands on each topic: records, or keys where only the last one of each is kept."""
        return {topic.name: len(await self.values(topic)) for topic in TOPICS}
