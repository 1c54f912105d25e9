"""Kafka goes away while a wire that cannot be rewound sends on: memory, health, gaps and the way back."""

import asyncio
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

import aiohttp
import yaml

from pipeline.daemon.compose import ROLES
from pipeline.daemon.replay import kafka_section
from pipeline.kafka import KafkaProblem, KafkaSettings, Reader
from pipeline.kafka.local import LocalCluster
from schemas.cloudevents import decode
from schemas.item import Item
from schemas.records import Gap
from schemas.story import StoryChange
from schemas.topics import GAPS, ITEMS, STORY_CHANGES, Topic
from tests.bench.place import LOCALHOST
from tests.outage.radio import KIND, Radio
from tests.takeover.daemons import ROOT, free_row

PREFIX = "outage."
PART_SECONDS = 120.0
POLL_SECONDS = 0.5
END_SECONDS = 30.0


@dataclass
class Sample:
    """One moment.

    Attributes:
        seconds: since Kafka went away; negative before.
        memory_mb: resident, by process, in 10^6 bytes.
        ready: by process, what its /readyz says; none if it does not answer.
        live: by process, what its /healthz says.
    """

    seconds: float
    memory_mb: Mapping[str, float]
    ready: Mapping[str, bool | None]
    live: Mapping[str, bool | None]


@dataclass
class Outage:
    """What an outage came to.

    Attributes:
        samples: of the daemon's processes, every few seconds.
        sent: posts on air meanwhile, from the first item on.
        kept: posts that became items.
        doubled: items beyond the first of a post.
        in_gaps: posts that are in no item and lie within a gap.
        lost: posts that are in neither.
        gaps: as published.
        back: seconds from Kafka's return to the first new record, by topic.
        undecided: items without a story change.
    """

    samples: list[Sample] = field(default_factory=list)
    sent: int = 0
    kept: int = 0
    doubled: int = 0
    in_gaps: int = 0
    lost: list[int] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    back: dict[str, float] = field(default_factory=dict)
    undecided: int = 0


class Processes:
    """The daemon's processes, each with its own port."""

    def __init__(self, folder: Path, settings: KafkaSettings, radio_port: int) -> None:
        self.port = free_row(len(ROLES))
        config = folder / "dateline.yaml"
        told = {
            "kafka": kafka_section(folder, settings),
            "topics": {"prefix": PREFIX},
            "log": {"level": "info", "format": "json"},
            "sources": [{"kind": KIND, "name": "radio", "port": radio_port}],
        }
        config.write_text(yaml.safe_dump(told))
        command = [sys.executable, "-m", "tests.outage.child", "run", "-c", str(config)]
        with (folder / "log.jsonl").open("ab") as log:
            self.running = {
                role: subprocess.Popen(
                    [*command, "--only", role, "--port", str(self.port + number)],
                    cwd=ROOT,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                )
                for number, role in enumerate(ROLES)
            }

    async def sample(self, seconds: float) -> Sample:
        """Look at all of them."""
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(5)) as http:
            ready = {role: await self._asked(http, role, "readyz") for role in ROLES}
            live = {role: await self._asked(http, role, "healthz") for role in ROLES}
        memory = {role: resident_mb(process.pid) for role, process in self.running.items()}
        return Sample(seconds, memory, ready, live)

    async def _asked(self, http: aiohttp.ClientSession, role: str, what: str) -> bool | None:
        port = self.port + ROLES.index(role)
        try:
            async with http.get(f"http://{LOCALHOST}:{port}/{what}") as answer:
                return answer.ok
        except (aiohttp.ClientError, TimeoutError):
            return None

    async def end(self, *roles: str) -> None:
        """End some of them as an operator does; by default all."""
        ending = [self.running[role] for role in roles or ROLES]
        for process in ending:
            process.terminate()
        for process in ending:
            await asyncio.to_thread(process.wait, END_SECONDS)


def resident_mb(pid: int) -> float:
    """Give the resident memory of a process now, in 10^6 bytes."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise ValueError(f"process {pid} has no memory")


async def outage(folder: Path, *, seconds: float, rate: float, every: float) -> Outage:
    """Take Kafka away for so long while so many posts a second are on air."""
    cluster, radio, result = LocalCluster(folder / "kafka"), Radio(rate), Outage()
    settings = KafkaSettings(bootstrap_servers=await asyncio.to_thread(cluster.start))
    try:
        async with radio.on_air() as port:
            processes = Processes(folder, settings, port)
            try:
                await told_of(settings, STORY_CHANGES, 0)
                await sampled(processes, result, -2 * every, 0, every)
                await asyncio.to_thread(cluster.kill, 1)
                await sampled(processes, result, 0, seconds, every)
                await asyncio.to_thread(cluster.start)
                since, number = monotonic(), len(radio.sent)
                for topic in (ITEMS, STORY_CHANGES):
                    await told_of(settings, topic, number)
                    result.back[topic.name] = monotonic() - since
                await sampled(processes, result, seconds, seconds + 2 * every, every)
                await processes.end("ingest")
                await told_of(settings, STORY_CHANGES, await newest(settings))
            finally:
                await processes.end()
        await reckon(settings, radio, result)
    finally:
        await asyncio.to_thread(cluster.destroy)
    return result


async def sampled(processes: Processes, result: Outage, start: float, end: float, every: float) -> None:
    """Look at the processes from one moment to another, in seconds since Kafka went away."""
    zero = monotonic() - start
    while (now := monotonic() - zero) < end:
        result.samples.append(await processes.sample(now))
        await asyncio.sleep(min(every, max(0.0, end - (monotonic() - zero))))


async def told_of(settings: KafkaSettings, topic: Topic, number: int) -> None:
    """Wait until a topic tells of a post with at least this number.

    Raises:
        TimeoutError: it does not.
    """
    async with asyncio.timeout(PART_SECONDS):
        while True:
            with suppress(KafkaProblem):
                reader = await Reader.open(settings, topic.full(PREFIX), [0])
                try:
                    last = await reader.last(0, count=5)
                finally:
                    await reader.close()
                items = [item_of(decode(one.headers, one.value, topic.types).data) for one in last]
                if any(item is not None and int(item.native_id) >= number for item in items):
                    return
            await asyncio.sleep(POLL_SECONDS)


async def newest(settings: KafkaSettings) -> int:
    """Give the number of the last post that became an item."""
    return max(int(item.native_id) for value in await values(settings, ITEMS) if (item := item_of(value)))


def item_of(value: object) -> Item | None:
    """Give the item that a record is or carries."""
    if isinstance(value, StoryChange) and value.carried is not None:
        return value.carried.item
    return value if isinstance(value, Item) else None


async def values(settings: KafkaSettings, topic: Topic) -> list[object]:
    """Read a topic whole."""
    reader = await Reader.open(settings, topic.full(PREFIX))
    try:
        records = [record async for some in reader.read_to_end() for record in some]
    finally:
        await reader.close()
    return [decode(one.headers, one.value, topic.types).data for one in records]


async def reckon(settings: KafkaSettings, radio: Radio, result: Outage) -> None:
    """Account for every post: it is an item, or it lies within a gap, or it was lost."""
    items = [item for value in await values(settings, ITEMS) if (item := item_of(value)) is not None]
    changes = [
        item for value in await values(settings, STORY_CHANGES) if (item := item_of(value)) is not None
    ]
    result.gaps = [value for value in await values(settings, GAPS) if isinstance(value, Gap)]
    kept = {int(item.native_id) for item in items}
    first, last = min(kept), max(kept)
    spans = [(gap.since.timestamp() if gap.since else 0.0, gap.until.timestamp()) for gap in result.gaps]
    missing = [number for number in range(first, last) if number not in kept]
    covered = [number for number in missing if any(a <= radio.sent[number] <= b for a, b in spans)]
    result.sent = last - first + 1
    result.kept, result.doubled = len(kept), len(items) - len(kept)
    result.in_gaps, result.lost = len(covered), sorted(set(missing) - set(covered))
    result.undecided = len(kept) - len({int(item.native_id) for item in changes})
