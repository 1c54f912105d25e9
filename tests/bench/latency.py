"""Posts at a steady pace through the daemon's real processes: how long each takes to its story and its flag.

A post's times are those of its records' appends (the broker's LogAppendTime); they are found by `ce_id`,
since what follows from a record carries the record's id in front. The commit that makes a record visible
comes some milliseconds behind its append.
"""

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import ceil
from pathlib import Path

from pipeline.daemon.compose import CORES
from pipeline.transaction import header
from schemas.topics import FLAGS, ITEMS, STORY_CHANGES, Topic
from tests.bench.baseline import HOP, hops
from tests.bench.corpus import Plan, write_recording
from tests.bench.figures import Baseline, Figure
from tests.bench.place import Broker, Place, place_on

PART = "latency"
PER_SECOND = 200
FUTURE_EVERY = 20
"""One item in so many is stamped in the future and raises a flag."""
WARM_UP = PER_SECOND * 2
"""Items that are not counted: connections are opened and code is compiled."""
QUANTILES: Mapping[str, float] = {"median": 0.5, "99 %": 0.99, "longest": 1.0}
LIMIT_SECONDS = 300.0
_ITEM = re.compile(r".*#\d+:[0-9a-f]{12}(?=/|$)")


@dataclass(frozen=True, slots=True)
class Run:
    """Times in ms, one of each item or record."""

    to_story: Sequence[float]
    to_flag: Sequence[float]
    bare: Sequence[float]


async def measure(broker: Broker, *, seconds: float, runs: int) -> list[Figure]:
    """Send posts for some seconds, several times."""
    posts = int(PER_SECOND * seconds) + WARM_UP
    plan = Plan(posts, timedelta(seconds=1 / PER_SECOND), future_every=FUTURE_EVERY)
    path = write_recording(broker.folder / "latency.jsonl", plan)
    done: list[Run] = []
    for _ in range(runs):
        bare = await hops(broker, PER_SECOND, seconds)
        async with place_on(broker) as place:
            done.append(await _run(place, path, bare))
    return [
        Figure(
            PART,
            f"item to {goal}, {name}",
            "ms",
            [quantile(getattr(run, times), share) for run in done],
            Baseline(f"{HOP}, {name}", [quantile(run.bare, share) for run in done]),
        )
        for goal, times in (("story change", "to_story"), ("flag", "to_flag"))
        for name, share in QUANTILES.items()
    ]


async def _run(place: Place, path: Path, bare: Sequence[float]) -> Run:
    async with asyncio.timeout(LIMIT_SECONDS), place.daemon(path, tuple(CORES)) as stages:
        await stages.at_work()
        async with place.daemon(path, ["ingest"], speed="real"):
            await place.through()
    await place.check()
    appended = await _appends(place, ITEMS)
    counted = dict(list(appended.items())[WARM_UP:])
    changed, flagged = await _appends(place, STORY_CHANGES), await _appends(place, FLAGS)
    return Run(
        [float(changed[item] - time) for item, time in counted.items()],
        [float(flagged[item] - time) for item, time in counted.items() if item in flagged],
        bare,
    )


async def _appends(place: Place, topic: Topic) -> dict[str, int]:
    """Give when the first record that goes back to each item was appended, by the item's ce_id, in ms."""
    times: dict[str, int] = {}
    for record in await place.records(topic):
        found = _ITEM.match(header(record.headers, "ce_id") or "")
        if found is not None:
            times.setdefault(found.group(), record.timestamp_ms)
    return times


def quantile(values: Sequence[float], share: float) -> float:
    """Give the smallest value that is not below this share of all (nearest rank)."""
    ordered = sorted(values)
    return ordered[ceil(share * len(ordered)) - 1]
