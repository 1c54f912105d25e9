"""What of a source stands in another partition or under another name, and how it comes here. Pure.

A checkpoint stands in one partition alone: what is copied here is nulled there, in the same transaction. So a
source that comes back to its first unit finds nothing out of date.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from pipeline.control.orders import SOURCE
from pipeline.core import Output
from pipeline.ingest import compose
from pipeline.ingest.compose import Composed
from pipeline.ingest.follow import Source
from schemas.records import Checkpoint, Seen
from schemas.topics import CHECKPOINTS, CONTROL, SEEN, Topic


class Placed(NamedTuple):
    """A record to write.

    Attributes:
        partition: where.
        composed: what.
        source: whose it is.
    """

    partition: int
    composed: Composed
    source: str


class Estate(NamedTuple):
    """What partitions hold, each record with its partition."""

    checkpoints: Sequence[tuple[int, Checkpoint]]
    seen: Sequence[tuple[int, Seen]]


def adopted(
    source: Source, here: int, estate: Estate, connector: str, now: datetime, *, moved: bool
) -> Iterator[Placed]:
    """Yield what brings a source here that has no checkpoint of its own here.

    Args:
        source: whose checkpoint and memory are looked for, by its name and its former name.
        here: the partition that it lives in now.
        estate: of this partition, and of those whose owners are shut out.
        connector: kind/version, for a first checkpoint.
        now: the time.
        moved: it is known to have lived elsewhere: if nothing was ever proven there, a checkpoint without a
            cursor says that it lives here now.
    """
    config = source.config
    names = [name for name in (config.name, config.renamed_from) if name]
    found = [(at, one) for at, one in estate.checkpoints if one.source in names]
    if not found and not moved:
        return
    latest = max(
        (one for _, one in found), key=lambda one: (one.source == config.name, one.changed), default=None
    )
    first = Checkpoint(source=config.name, unit=config.unit, connector=connector, cursor=None, changed=now)
    here_now = {"source": config.name, "unit": config.unit, "changed": now}
    checkpoint = latest.model_copy(update=here_now) if latest else first
    yield Placed(here, compose.checkpoint(checkpoint), config.name)
    for at, one in found:
        if (at, one.source) != (here, config.name):
            yield Placed(at, gone(CHECKPOINTS, one.source, now), config.name)
    known = {one.item_id for at, one in estate.seen if at == here}
    for at, seen in estate.seen:
        if seen.source in names:
            if at != here:
                yield Placed(at, gone(SEEN, seen.item_id, now), config.name)
            if (at != here and seen.item_id not in known) or (at == here and seen.source != config.name):
                mine = seen.model_copy(update={"source": config.name})
                yield Placed(here, compose.memory(mine, now), config.name)


def forgotten(names: frozenset[str], here: int, estate: Estate, now: datetime) -> Iterator[Placed]:
    """Yield what nulls checkpoints and memory of sources that are not configured any more.

    The order that remembers them goes too: there is nothing left to do.
    """
    for name in sorted(names):
        yield Placed(0, gone(CONTROL, SOURCE + name, now), name)
    for at, checkpoint in estate.checkpoints:
        if at == here and checkpoint.source in names:
            yield Placed(here, gone(CHECKPOINTS, checkpoint.source, now), checkpoint.source)
    for at, seen in estate.seen:
        if at == here and seen.source in names:
            yield Placed(here, gone(SEEN, seen.item_id, now), seen.source)


def gone(topic: Topic, key: str, at: datetime) -> Composed:
    """Give a tombstone."""
    (kind,) = topic.types
    return Composed(Output(topic, key, kind, None), f"gone:{topic.name}/{key}@{at.isoformat()}", at)
