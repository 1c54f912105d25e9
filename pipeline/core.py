"""What a stage's core is: decisions as functions of their inputs, with no I/O and no clock.

The loop around it (`pipeline.stage`) owns Kafka; `pipeline.engine` owns stage time and epochs.

A core's state at any place of its input is: the tables that it loads, plus the fold of the records since
the last boundary's `fold_from`. So that a restart equals no restart exactly:

* `decide` and `turn` never change the state; only `load`, `fold` and `evict` do;
* `fold` and `load` need nothing but what they are given, since after a restart they get only that: first
  `load` for every record of the tables as they stand now, then `evict` for the last boundary, then `fold`.
  While running they are called in the order of the outputs; both ways lead to the same state;
* eviction happens only in `evict`, at a boundary, and drops exactly what was folded before `keep_since`;
* what is learned between boundaries is gathered from records with `at >= state's boundary` alone, and takes
  effect only when `turn` wrote it and `load` read it back.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple, Protocol, TypeVar

from schemas.base import Record
from schemas.topics import Topic

S = TypeVar("S")


class Arrival(NamedTuple):
    """One record of the stage's input.

    Attributes:
        id: its ce_id; what follows from it names it as cause.
        value: the message.
        at: stage time, UTC; never runs backwards.
    """

    id: str
    value: Record
    at: datetime


class Output(NamedTuple):
    """One record that a stage writes.

    Attributes:
        topic: where to.
        key: the record key.
        type: its ce_type.
        value: the message; none is a tombstone.
        suffix: what its ce_id adds to its cause's; by default the ordinal among the cause's outputs.
    """

    topic: Topic
    key: str
    type: str
    value: Record | None
    suffix: str | None = None


class Boundary(NamedTuple):
    """The end of an epoch.

    Attributes:
        time: stage time of the boundary; UTC.
        keep_since: what was folded with an earlier stage time leaves the window.
    """

    time: datetime
    keep_since: datetime


class Core(Protocol[S]):
    """One stage's decisions.

    Attributes:
        stage: its name: deduplicate, cluster, chronology.
        reads: the one topic it reads.
        folds: the topic it folds: its own output where that carries what it read, its input where its output
            is sparse. After a restart it is read from `fold_from` on.
        tables: compacted topics of its own; after a restart they are read whole, before the fold.
    """

    stage: str
    reads: Topic
    folds: Topic
    tables: tuple[Topic, ...]

    def empty(self) -> S:
        """Give the state before the first record."""
        ...

    def decide(self, arrival: Arrival, state: S) -> Sequence[Output]:
        """Judge one record. The first output carries it; what else follows comes behind."""
        ...

    def fold(self, value: Record, at: datetime, state: S) -> None:
        """Take in one record of the topic `folds`, just read or written, or read again after a restart."""
        ...

    def load(self, topic: Topic, key: str, value: Record | None, state: S) -> None:
        """Take in one record of a table, just written or read after a restart; none: the key is gone."""
        ...

    def turn(self, boundary: Boundary, state: S) -> Sequence[Output]:
        """Say what was learned until the boundary, as records of tables: they are loaded at once."""
        ...

    def evict(self, boundary: Boundary, state: S) -> None:
        """Begin the next epoch: drop what left the window, and start to gather anew.

        Called after `turn`'s records were loaded; after a restart, before the fold.
        """
        ...
