"""A recording through the daemon's real processes as fast as they go: rate, processor time, memory.

The stages are at work before ingest starts. The clock runs from the append of the first item until chronology
has committed the offset behind the last story change; appends are the broker's LogAppendTime.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from pipeline.daemon.compose import CORES, ROLES
from pipeline.kafka import Reader
from pipeline.transaction import header
from schemas.topics import DEDUPLICATED, ITEMS, STORY_CHANGES
from tests.bench.baseline import COPY, Copied, copied
from tests.bench.corpus import Plan, write_recording
from tests.bench.figures import Baseline, Figure
from tests.bench.place import Broker, Place, Running, place_on
from tests.bench.processes import cpu_seconds, peak_mb

PART = "end to end"
SPAN = timedelta(hours=48)
AIM = "2,000/s"
ON_THE_WAY = (ITEMS, DEDUPLICATED, STORY_CHANGES)
START_POLL_SECONDS = 0.02
LIMIT_SECONDS = 900.0


@dataclass(frozen=True, slots=True)
class Run:
    """One recording, put through.

    Attributes:
        per_second: items, until chronology was through.
        reached: items a second until the last one stood on a topic, by topic.
        cpu_us: processor time by process, microseconds an item.
        peaks_mb: memory by process.
        bare: the bare copy just before.
    """

    per_second: float
    reached: Mapping[str, float]
    cpu_us: Mapping[str, float]
    peaks_mb: Mapping[str, float]
    bare: Copied


async def measure(broker: Broker, *, posts: int, bare_records: int, runs: int) -> list[Figure]:
    """Put a recording of so many posts through the daemon: once to warm the broker, then `runs` times."""
    path = write_recording(broker.folder / "end-to-end.jsonl", Plan(posts, SPAN / posts))
    done: list[Run] = []
    for _ in range(1 + runs):
        bare = await copied(broker, bare_records)
        async with place_on(broker) as place:
            done.append(await _run(place, path, bare))
    del done[0]  # the broker compiles what is hot while it runs; a desk's broker runs for months
    rate = Baseline(COPY, [run.bare.per_second for run in done])
    time = Baseline(COPY, [run.bare.cpu_us for run in done])
    serving = Baseline(COPY, [run.bare.broker_us for run in done])
    memory = Baseline(COPY, [run.bare.peak_mb for run in done])
    return [
        Figure(PART, "items through the whole chain", "/s", [run.per_second for run in done], rate, AIM),
        *(
            Figure(PART, f"items to {topic.name}", "/s", [run.reached[topic.name] for run in done], rate)
            for topic in ON_THE_WAY
        ),
        *(
            Figure(PART, f"processor time an item, {name}", "µs", [run.cpu_us[name] for run in done], time)
            for name in ROLES
        ),
        Figure(PART, "processor time an item, broker", "µs", [run.cpu_us["broker"] for run in done], serving),
        *(
            Figure(PART, f"peak memory, {role}", "MB", [run.peaks_mb[role] for run in done], memory)
            for role in ROLES
        ),
    ]


async def _run(place: Place, path: Path, bare: Copied) -> Run:
    broker = place.broker
    async with asyncio.timeout(LIMIT_SECONDS), place.daemon(path, tuple(CORES)) as stages:
        await stages.at_work()
        before = {role: cpu_seconds(pid) for role, pid in stages.pids.items()}
        before["broker"] = cpu_seconds(broker.pid)
        async with place.daemon(path, ["ingest"]) as ingest:
            before["ingest"] = await _cpu_until_first_item(place, ingest)
            end = await place.through()
            pids = {**stages.pids, **ingest.pids, "broker": broker.pid}
            spent = {name: cpu_seconds(pid) - before[name] for name, pid in pids.items()}
            peaks = {role: peak_mb(pids[role]) for role in ROLES}
    await place.check()
    items = [one for one in await place.records(ITEMS) if header(one.headers, "ce_type") == "dateline.item"]
    start, count = items[0].timestamp_ms, len(items)
    reached = {}
    for topic in ON_THE_WAY:
        last = (await place.records(topic))[-1]
        reached[topic.name] = count / (last.timestamp_ms - start) * 1000
    cpu_us = {name: seconds / count * 1e6 for name, seconds in spent.items()}
    return Run(count / (end - start) * 1000, reached, cpu_us, peaks, bare)


async def _cpu_until_first_item(place: Place, ingest: Running) -> float:
    reader = await Reader.open(place.broker.settings, ITEMS.full(place.prefix), [0])
    try:
        spent = 0.0
        while not await reader.end_offset():
            spent = sum(map(cpu_seconds, ingest.pids.values()))
            await asyncio.sleep(START_POLL_SECONDS)
        return spent
    finally:
        await reader.close()
