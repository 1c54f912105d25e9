"""How long the stages take to know again what they knew, and how much memory that needs.

What stands on the topics was written by the daemon itself: first a million originals as pages, by the models
and a producer; then a recording of three days, put through the real processes. Those are ended, and then
`rebuild` runs for each core in a fresh process; at last all processes are started as after a reboot.
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from random import Random
from time import perf_counter

from pipeline.daemon.compose import CORES, ROLES, core_of, settle_garbage
from pipeline.daemon.replay import STAGE_INPUTS
from pipeline.kafka import Admin, KafkaSettings, Producer
from pipeline.takeover import rebuild
from schemas.cloudevents import Event, encode
from schemas.item import Originals
from schemas.topics import ORIGINALS
from tests.bench.baseline import COPY, Copied, copied
from tests.bench.corpus import START, Plan, write_recording
from tests.bench.figures import Baseline, Figure
from tests.bench.place import Broker, Place, place_on
from tests.bench.processes import Outcome, apart, peak_mb

PART = "restart"
SPAN = timedelta(hours=72)
LOOKS = 4320
"""One a minute."""
PAGE_ROWS = 2000
SIGNATURE_NUMBERS = 14
WRITTEN = START - timedelta(days=30)
AIM = "10 s"
LIMIT_SECONDS = 3600.0
BEAT_SECONDS = 0.01
SESSION_SECONDS = 6.0
"""A group takes a process for dead that is silent for so long."""


@dataclass(frozen=True, slots=True)
class Taken:
    """One take-over, in seconds.

    Attributes:
        seconds: from its beginning to its end.
        silence: the longest time in which nothing else could run.
    """

    seconds: float
    silence: float


async def measure(
    broker: Broker, *, posts: int, looks: int, pages: int, bare_records: int, runs: int
) -> list[Figure]:
    """Fill the topics once, then take every stage over several times."""
    path = write_recording(broker.folder / "restart.jsonl", Plan(posts, SPAN / posts, SPAN / looks))
    async with place_on(broker) as place, asyncio.timeout(LIMIT_SECONDS):
        await _write_pages(place, pages)
        async with place.daemon(path, ROLES):
            await place.through()
        await place.check()
        bare = [await copied(broker, bare_records) for _ in range(runs)]
        figures: list[Figure] = []
        for stage in CORES:
            taken = [await _rebuilt(place, stage) for _ in range(runs)]
            figures += _figures(stage, taken, bare, posts + looks)
        starts = [await _start(place, path) for _ in range(runs)]
    seconds = Baseline(f"{COPY} of as many", [(posts + looks) / one.per_second for one in bare])
    memory = Baseline(COPY, [one.peak_mb for one in bare])
    for role in ROLES:
        ready = [times[role] for times, _ in starts]
        figures.append(Figure(PART, f"start to work, all at once, {role}", "s", ready, seconds, AIM))
    for role in ROLES:
        peaks = [peaks[role] for _, peaks in starts]
        figures.append(Figure(PART, f"peak memory then, {role}", "MB", peaks, memory))
    return figures


def _figures(
    stage: str, taken: Sequence[Outcome[Taken]], bare: Sequence[Copied], records: int
) -> Iterator[Figure]:
    copy = Baseline(f"{COPY} of as many", [records / one.per_second for one in bare])
    memory = Baseline(COPY, [one.peak_mb for one in bare])
    session = Baseline("session of a group", [SESSION_SECONDS])
    yield Figure(PART, f"take-over, {stage}", "s", [one.result.seconds for one in taken], copy, AIM)
    silences = [one.result.silence for one in taken]
    yield Figure(PART, f"longest silence meanwhile, {stage}", "s", silences, session)
    yield Figure(PART, f"peak memory, {stage}", "MB", [one.peak_mb for one in taken], memory)


async def _rebuilt(place: Place, stage: str) -> Outcome[Taken]:
    async with Admin(place.broker.settings) as admin:
        committed = await place.offset(admin, stage, STAGE_INPUTS[stage])
    return await apart(_rebuild, place.broker.settings, place.prefix, stage, committed)


async def _rebuild(settings: KafkaSettings, prefix: str, stage: str, committed: int) -> Taken:
    settle_garbage()  # as the daemon's processes do
    core, silences = core_of(stage), [0.0]
    watch = asyncio.create_task(_note_silences(silences))
    started = perf_counter()
    await rebuild(core, settings, prefix, committed)
    seconds = perf_counter() - started
    watch.cancel()
    return Taken(seconds, max(silences))


async def _note_silences(silences: list[float]) -> None:
    """Note by how much each turn of the event loop comes late: no heartbeat is sent meanwhile."""
    while True:
        due = perf_counter() + BEAT_SECONDS
        await asyncio.sleep(BEAT_SECONDS)
        silences.append(perf_counter() - due)


async def _start(place: Place, path: Path) -> tuple[dict[str, float], dict[str, float]]:
    """Start all processes; give the seconds until each is at work, and its peak memory."""
    async with place.daemon(path, ROLES) as running:
        seconds = await running.at_work()
        return seconds, {role: peak_mb(pid) for role, pid in running.pids.items()}


async def _write_pages(place: Place, pages: int) -> None:
    producer = await Producer.open(place.broker.settings, f"{place.prefix}pages")
    topic = ORIGINALS.full(place.prefix)
    try:
        for page in _pages(pages):
            key = str(page.page)
            event = Event(f"page/{key}", "/bench", "dateline.originals", WRITTEN, key, page)
            headers, value = encode(event)
            await producer.begin()
            producer.send(topic, key=key.encode(), value=value, headers=headers, partition=0)
            await producer.commit()
    finally:
        await producer.close()


def _pages(count: int) -> Iterator[Originals]:
    """Make up originals that no post of a recording resembles."""
    random = Random(count)
    for page in range(count):
        names = [f"archive/{page * PAGE_ROWS + row}" for row in range(PAGE_ROWS)]
        shingles = (sorted(random.getrandbits(32) for _ in range(SIGNATURE_NUMBERS)) for _ in names)
        yield Originals(
            page=page,
            at=WRITTEN,
            item_ids=tuple(names),
            sources=tuple(f"archive {row % 40}" for row in range(PAGE_ROWS)),
            text_hashes=tuple(f"{random.getrandbits(64):016x}" for _ in names),
            signatures=tuple("".join(f"{number:08x}" for number in numbers) for numbers in shingles),
            urls=tuple(f"https://archive.example/{name}" for name in names),
            published=(WRITTEN,) * PAGE_ROWS,
            observed=(WRITTEN,) * PAGE_ROWS,
        )
