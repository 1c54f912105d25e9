"""Where benchmarks run: a broker of their own, and the daemon's real processes on a prefix of their own."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from tempfile import TemporaryDirectory

from prometheus_client import CollectorRegistry
from structlog.typing import FilteringBoundLogger

from pipeline.config import LogConfig
from pipeline.daemon.compose import ensure_topics
from pipeline.daemon.replay import write_config
from pipeline.daemon.supervise import Child, Supervisor
from pipeline.kafka import Admin, KafkaRecord, KafkaSettings, Reader
from pipeline.kafka.local import LocalCluster
from pipeline.observe.children import Children
from pipeline.observe.health import Health
from pipeline.observe.logs import setup_logs
from pipeline.observe.metrics import SupervisorMetrics
from pipeline.transaction import header
from schemas.topics import DEADLETTERS, STORY_CHANGES, Topic
from tests.bench.corpus import LAST_ID, LAST_SOURCE

LOCALHOST = "127.0.0.1"
DRAIN_SECONDS = 15.0
POLL_SECONDS = 0.1
CLOSE_POLL_SECONDS = 0.005


@dataclass(frozen=True, slots=True)
class Broker:
    """A Kafka for this run alone.

    Attributes:
        settings: how to reach it.
        pid: its process.
        folder: for files; goes with it.
        log: of what the supervisor says.
    """

    settings: KafkaSettings
    pid: int
    folder: Path
    log: FilteringBoundLogger


@contextmanager
def broker() -> Iterator[Broker]:
    """Run a local Kafka in a temporary folder; nothing of it stays."""
    with TemporaryDirectory(prefix="dateline-bench-") as name:
        cluster = LocalCluster(Path(name) / "kafka")
        try:
            settings = KafkaSettings(bootstrap_servers=cluster.start())
            pid = cluster.status().pids[0]
            if pid is None:
                raise RuntimeError("the broker died at once")
            yield Broker(settings, pid, Path(name), setup_logs(LogConfig(level="warning"), role="bench"))
        finally:
            cluster.destroy()


@dataclass(frozen=True, slots=True)
class Running:
    """Processes of the daemon.

    Attributes:
        pids: by role, as soon as they have one.
        children: where each tells of itself.
        started: when they were started, on the monotonic clock.
    """

    pids: Mapping[str, int]
    children: Sequence[Child]
    started: float

    async def at_work(self) -> dict[str, float]:
        """Wait until all of them do their work; give the seconds from the start for each."""
        seconds: dict[str, float] = {}
        async with Children.reached(self.children, LOCALHOST) as reached:
            while len(seconds) < len(self.children):
                for role, answer in (await reached.readiness()).items():
                    note = answer["parts"].get(role, {}).get("note", "")
                    if role not in seconds and note.startswith("runs"):
                        seconds[role] = time.monotonic() - self.started
                await asyncio.sleep(POLL_SECONDS)
        return seconds


@dataclass(frozen=True, slots=True)
class Place:
    """A prefix on the broker."""

    broker: Broker
    prefix: str

    @asynccontextmanager
    async def daemon(
        self, recording: Path, roles: Sequence[str], *, speed: str = "max"
    ) -> AsyncIterator[Running]:
        """Run some of the daemon's processes while the block runs; `at_work` waits for them."""
        settings, stop, started = self.broker.settings, asyncio.Event(), time.monotonic()
        children = [Child(role, port) for role, port in zip(roles, free_ports(len(roles)), strict=True)]
        with TemporaryDirectory(dir=self.broker.folder) as folder:
            path = write_config(Path(folder), recording, settings, self.prefix, speed=speed, level="warning")
            supervisor = Supervisor(
                path,
                children,
                drain_seconds=DRAIN_SECONDS,
                metrics=SupervisorMetrics(CollectorRegistry()),
                health=Health(),
                log=self.broker.log,
            )
            task = asyncio.create_task(supervisor.run(stop))
            try:
                yield Running(supervisor.pids, children, started)
            finally:
                stop.set()
                with suppress(asyncio.CancelledError):
                    await task

    async def through(self) -> float:
        """Wait until the last post has come through.

        Returns:
            When chronology had committed the offset behind it, Unix time in ms.
        """
        settings, topic = self.broker.settings, STORY_CHANGES.full(self.prefix)
        reader = await Reader.open(settings, topic, [0])
        try:
            while True:
                last = await reader.last(0)
                if last and is_last(last[0]):
                    break
                await asyncio.sleep(POLL_SECONDS)
        finally:
            await reader.close()
        async with Admin(settings) as admin:
            while True:
                if await self.offset(admin, "chronology", STORY_CHANGES) > last[0].offset:
                    return time.time() * 1000
                await asyncio.sleep(CLOSE_POLL_SECONDS)

    async def offset(self, admin: Admin, stage: str, topic: Topic) -> int:
        """Give the offset that a stage has committed; 0 if none."""
        committed = await admin.group_offsets(f"{self.prefix}{stage}")
        return committed.get((topic.full(self.prefix), 0), 0)

    async def records(self, topic: Topic) -> list[KafkaRecord]:
        """Read a topic whole."""
        reader = await Reader.open(self.broker.settings, topic.full(self.prefix))
        try:
            return [record async for records in reader.read_to_end() for record in records]
        finally:
            await reader.close()

    async def check(self) -> None:
        """Make sure that everything was decided.

        Raises:
            RuntimeError: there are dead letters, so the figures would mean nothing.
        """
        if dead := await self.records(DEADLETTERS):
            raise RuntimeError(f"{len(dead)} dead letters, the first: {(dead[0].value or b'')[:500]!r}")


@asynccontextmanager
async def place_on(broker: Broker) -> AsyncIterator[Place]:
    """Create all topics under a new prefix; they are deleted when the block is left."""
    place = Place(broker, f"bench-{token_hex(3)}.")
    await ensure_topics(broker.settings, place.prefix, broker.log)
    try:
        yield place
    finally:
        async with Admin(broker.settings) as admin:
            await admin.delete(place.prefix)


def is_last(record: KafkaRecord) -> bool:
    """Whether a record is the recording's last post, or follows from it."""
    return (header(record.headers, "ce_id") or "").startswith(f"{LAST_SOURCE}/{LAST_ID}#")


def free_ports(count: int) -> list[int]:
    """Find ports on which nobody listens now."""
    sockets = [socket.create_server((LOCALHOST, 0)) for _ in range(count)]
    ports: list[int] = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports
