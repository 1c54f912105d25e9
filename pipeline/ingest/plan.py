"""What there is to do in each partition, by the config in force. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from zlib import crc32

from connectors.seam import SourceConfig
from pipeline.control.orders import Orders
from schemas.topics import UNIT_PARTITIONS


class Unusable(Exception):
    """The config in force cannot be used on this machine; the message says why."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The work of one partition.

    Attributes:
        sources: that live in it.
        forget: sources that were removed long ago; their checkpoints and memory are to go.
    """

    sources: tuple[SourceConfig, ...] = ()
    forget: frozenset[str] = frozenset()


def partition_of(unit: str) -> int:
    """Give the partition of checkpoints, seen and raw that a unit lives in."""
    return crc32(unit.encode()) % UNIT_PARTITIONS


def plans(sources: Iterable[SourceConfig], orders: Orders, now: datetime) -> dict[int, Plan]:
    """Give the plan of each partition in which there is something to do."""
    living: dict[int, list[SourceConfig]] = {}
    for source in sources:
        living.setdefault(partition_of(source.unit), []).append(source)
    leaving: dict[int, list[str]] = {}
    for name, unit in orders.forgettable(now).items():
        leaving.setdefault(partition_of(unit), []).append(name)
    return {
        partition: Plan(tuple(living.get(partition, ())), frozenset(leaving.get(partition, ())))
        for partition in sorted({*living, *leaving})
    }


def outdated(ran: Plan, due: Plan | None) -> bool:
    """Say whether who took over with one plan has to begin anew."""
    return due is None or due.sources != ran.sources or not due.forget <= ran.forget
