"""What the pure parts cost, with no Kafka: processor time of one thread, microseconds an item."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from time import thread_time
from typing import Any, TypeVar

from connectors.recording import Recording, RecordingConfig
from connectors.seam import Observation, Sight
from pipeline.daemon.compose import CORES, core_of, settle_garbage
from pipeline.engine import BEGINNING, Engine
from pipeline.ingest.batch import Batch
from pipeline.ingest.books import Books
from pipeline.ingest.follow import Sighted, Source
from schemas.base import Record
from schemas.cloudevents import Event, decode, encode
from schemas.item import Item
from schemas.stamp import Stamp
from schemas.topics import ITEMS, STORY_CHANGES
from tests.bench.corpus import Plan, write_recording
from tests.bench.figures import Baseline, Figure

SPAN = timedelta(hours=60)
"""Less than the window, so that nothing leaves it."""
BATCH = 200
PYDANTIC = "pydantic"

T = TypeVar("T")


@dataclass(slots=True)
class Chain:
    """Ingest's batches and the three engines, one behind the other, with the time that each takes.

    Nothing that is written is kept, so that the window alone fills memory.
    """

    source: Source
    books: Books = field(default_factory=lambda: Books({}, {}))
    engines: list[Engine[Any]] = field(default_factory=lambda: [Engine(core_of(stage)) for stage in CORES])
    spent: dict[str, float] = field(default_factory=dict)
    items: list[Item] = field(default_factory=list)
    changes: list[Event[Record]] = field(default_factory=list)

    def feed(self, sights: Sequence[Sight]) -> None:
        """Take in sights, a batch at a time."""
        self.spent = dict.fromkeys(("ingest", *CORES), 0.0)
        self.items.clear()
        self.changes.clear()
        for start in range(0, len(sights), BATCH):
            started = thread_time()
            batch = Batch(self.books, lambda: BEGINNING, "")
            for sight in sights[start : start + BATCH]:
                batch.add(Sighted(self.source, sight))
            records = batch.records()
            batch.settle()
            self.spent["ingest"] += thread_time() - started
            for packed in records:
                if packed.output.topic is ITEMS:
                    self._through(packed.event, self.engines)
                if isinstance(packed.output.value, Item):
                    self.items.append(packed.output.value)

    def _through(self, event: Event[Record], engines: Sequence[Engine[Any]]) -> None:
        engine, *others = engines
        if not others:
            self.changes.append(event)
        core = engine.core
        if engine.crosses(event):
            engine.turn(event)
        started = thread_time()
        written = engine.step(event)
        self.spent[core.stage] += thread_time() - started
        passed = [
            one for one in written if one.output.topic is not core.reads and not one.output.topic.compact
        ]
        for one in passed if core.folds is not core.reads else (None,):
            engine.placed(engine.at if one is None else one.at, 0)
        for one in passed:
            name, key, value = one.output.type, one.output.key, one.output.value
            self._through(Event(one.id, f"/{core.stage}", name, one.at, key, value), others)


async def measure(folder: Path, *, window: int, timed: int, runs: int) -> list[Figure]:
    """Fill a window with so many posts, then time the next ones, several times."""
    posts = window + timed * runs
    path = write_recording(folder / "micro.jsonl", Plan(posts, SPAN / posts))
    config = RecordingConfig(name="recording", path=path)
    recording = Recording(config)
    chain = Chain(Source(config, recording))
    settle_garbage()  # as the daemon's processes do
    sights = recording.observe(None)
    chain.feed([await anext(sights) for _ in range(window)])
    costs = []
    for _ in range(runs):
        some = [await anext(sights) for _ in range(timed)]
        chain.feed(some)
        costs.append(_costs(chain, [one for one in some if isinstance(one, Observation)], recording))
    await sights.aclose()
    baseline = Baseline(PYDANTIC, [cost["Item.dump"] + cost["Item.read"] for cost in costs])
    return [
        Figure(f"micro, window {window:,}", name, "µs", [cost[name] for cost in costs], baseline)
        for name in costs[0]
    ]


def _costs(chain: Chain, posts: Sequence[Observation], recording: Recording) -> Mapping[str, float]:
    """Give the microseconds of everything, by name."""
    items, changes, types = chain.items, chain.changes, STORY_CHANGES.types
    stamps = [item.published.raw for item in items if item.published]
    spent = {name: seconds / len(items) * 1e6 for name, seconds in chain.spent.items()}
    return {
        "ingest, from sights to encoded records": spent["ingest"],
        **{f"{stage}, decide + fold": spent[stage] for stage in CORES},
        "normalise a post": each(recording.normalise, posts),
        "Stamp.parse": each(Stamp.parse, stamps),
        "Item.dump": each(Item.dump, items),
        "Item.read": each(Item.read, [item.dump() for item in items]),
        "encode a story change": each(encode, changes),
        "decode a story change": each(lambda one: decode(*one, types), [encode(one) for one in changes]),
    }


def each(work: Callable[[T], object], values: Sequence[T]) -> float:
    """Give the microseconds that some work takes, on average over these values."""
    started = thread_time()
    for value in values:
        work(value)
    return (thread_time() - started) / len(values) * 1e6
