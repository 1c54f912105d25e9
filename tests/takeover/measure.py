"""Two machines on one broker: one dies, or both are restarted one after the other, under load."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from connectors.recording import Recording, RecordingConfig
from pipeline.backtest import Chain, Topics, play
from pipeline.daemon import supervise
from pipeline.daemon.compose import CORES, ROLES, core_of
from pipeline.ingest.follow import Source
from pipeline.kafka import KafkaRecord
from pipeline.transaction import header
from schemas.topics import DEDUPLICATED, ITEMS, STORY_CHANGES, Topic
from tests.bench.corpus import Plan, write_recording
from tests.bench.place import Broker, Place, place_on
from tests.takeover import child
from tests.takeover.daemons import Machine
from tests.takeover.progress import progress_of

COMPARED = (ITEMS, DEDUPLICATED, STORY_CHANGES)
SETTLE_SECONDS = 2.0
START_SECONDS = 40.0
"""Both machines stand ready by then."""
CYCLE_SECONDS = 90
"""Longer than a kill, its take-over and a start take: the recording must not end before."""


class Rolled(NamedTuple):
    """What a rolling restart came to.

    Attributes:
        sent: posts a second that the wire sent, whether anybody listened or not.
        per_second: items, while it went on.
        silences: the longest time without a record, by topic, seconds.
        different: topics whose records are not those of an undisturbed run, in words.
    """

    sent: int
    per_second: float
    silences: dict[str, float]
    different: list[str]


async def kills(broker: Broker, count: int, per_second: int) -> tuple[dict[str, list[float]], list[str]]:
    """Let the machine at work die, so many times.

    Returns:
        For each role the seconds from each kill to the first commit by the other; and what is wrong.
    """
    posts = per_second * CYCLE_SECONDS * (count + 1)
    async with place_on(broker) as place, two_machines(place, posts, per_second) as (machines, _):
        found: dict[str, list[float]] = {role: [] for role in ROLES}
        async with progress_of(broker.settings, place.prefix) as progress:
            for number in range(count):
                await asyncio.sleep(SETTLE_SECONDS)
                dying = machines[number % 2]
                killed = time.monotonic()
                dying.kill()
                for role in ROLES:
                    found[role].append(await progress.first_after(role, killed))
                print(f"kill {number + 1}:", *(f"{role} {each[-1]:.1f} s" for role, each in found.items()))
                dying.start()
                await dying.ready()
        for machine in machines:
            await machine.stop()
        names = [header(record.headers, "ce_id") or "" for record in await place.records(ITEMS)]
        lines = len({name.partition("#")[0] + name.partition("#")[2] for name in names})
        wrong = [] if lines == len(names) else [f"{len(names) - lines} items are there twice"]
        expected = await backtested(place.broker.folder / "takeover.jsonl", len(names))
        wrong += [
            f"{topic.name} is not what it would be undisturbed"
            for topic in COMPARED
            if not _begins_with(expected, topic, await place.records(topic))
        ]
        return found, wrong


async def rolling(broker: Broker, posts: int, per_second: int) -> Rolled:
    """Restart two machines one after the other, as people do, while a wire sends on and waits for nobody."""
    async with (
        place_on(broker) as place,
        two_machines(place, posts, per_second, on_air=True) as (machines, path),
    ):
        await asyncio.sleep(SETTLE_SECONDS)
        began = time.time() * 1000
        for machine in machines:
            await machine.stop()
            machine.start()
            await machine.ready()
            await asyncio.sleep(SETTLE_SECONDS)
        ended = time.time() * 1000
        await place.through()
        expected = await backtested(path, posts + 1)
        different, silences, rate = [], {}, 0.0
        for topic in COMPARED:
            records = await place.records(topic)
            different += [] if _same(expected, topic, records) else [topic.name]
            during = [record.timestamp_ms for record in records if began <= record.timestamp_ms <= ended]
            silences[topic.name] = max(b - a for a, b in pairwise(during)) / 1000
            rate = rate or len(during) / (ended - began) * 1000
        return Rolled(per_second, rate, silences, different)


@asynccontextmanager
async def two_machines(
    place: Place, posts: int, per_second: int, *, on_air: bool = False
) -> AsyncIterator[tuple[Sequence[Machine], Path]]:
    """Run two machines that follow one recording at its pace; the first one is at work.

    On air it goes by the clock, from the moment of this block's start; else it waits for its reader.
    """
    path = write_recording(
        place.broker.folder / "takeover.jsonl", Plan(posts, timedelta(seconds=1 / per_second))
    )
    source: dict[str, Any] = {"kind": "recording", "name": "recording", "path": str(path), "speed": "real"}
    began = time.time() + START_SECONDS
    if on_air:
        source |= {"speed": "max", "began": began, "per_second": per_second}
    machines = [
        Machine(
            place.broker.folder / f"{place.prefix}{name}",
            place.broker.settings,
            place.prefix,
            [source],
            child.PROGRAM if on_air else supervise.PROGRAM,
        )
        for name in ("one", "two")
    ]
    try:
        for machine in machines:
            machine.start()
            await machine.ready()
        if on_air:
            await asyncio.sleep(began - time.time())
        yield machines, path
    finally:
        for machine in machines:
            machine.kill()


async def backtested(path: Path, posts: int) -> Topics:
    """Give what the topics hold if nobody disturbs, after so many posts."""
    head = path.with_suffix(".head")
    with path.open() as whole, head.open("w") as part:
        part.writelines(line for line, _ in zip(whole, range(posts), strict=False))
    connector = Recording(config := RecordingConfig(name="recording", path=head))
    chain = Chain([core_of(stage) for stage in CORES], Source(config, connector))
    await play(chain, connector.observe(None))
    return chain.topics


def _same(expected: Topics, topic: Topic, records: Sequence[KafkaRecord]) -> bool:
    return len(records) == len(expected.values(topic)) and _begins_with(expected, topic, records)


def _begins_with(expected: Topics, topic: Topic, records: Sequence[KafkaRecord]) -> bool:
    """Say whether records are those that are expected, as far as they go; the last ones may be under way."""
    values = [placed.value and placed.value.dump() for placed in expected.values(topic)]
    return [record.value for record in records] == values[: len(records)]
