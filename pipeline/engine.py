"""A core with its stage time and its epochs: everything about a stage that is not I/O.

The stage loop feeds it from Kafka and `backtest` from a file, so both give the same values.

Stage time of the first stage (it reads what ingest wrote) is the median `observed` of its last 9 records; the
others go by the stage time that their left neighbour put into `ce_time`. It never runs backwards. Epochs are
6 h of it. The record that would cross into a new epoch is preceded by a turn: what was learned is written
together with `fold_from`, the place where folding has to begin after a restart.
"""

from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from statistics import median_low
from typing import Generic, NamedTuple, TypeVar

from pipeline.core import Arrival, Boundary, Core, Output
from pipeline.retries import Retries
from schemas.base import Record
from schemas.cloudevents import Event
from schemas.item import Deduplicated, Item, Look, Ruling
from schemas.records import Learned
from schemas.topics import ITEMS, LEARNED, Topic

S = TypeVar("S")

EPOCH = timedelta(hours=6)
WINDOW = timedelta(hours=72)
WINDOW_RECORDS = 500_000
CLOCK_RECORDS = 9
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


def observed_of(value: Record | None) -> datetime | None:
    """Give the `observed` time of a record that moves stage time; none of the others."""
    if isinstance(value, Deduplicated):
        return value.item.observed
    if isinstance(value, (Item, Look, Ruling)):
        return value.observed
    return None


def epoch_start(time: datetime) -> datetime:
    """Give the boundary at or before a time."""
    return BEGINNING + (time - BEGINNING) // EPOCH * EPOCH


class Written(NamedTuple):
    """An output with the identity it gets on its topic.

    Attributes:
        output: topic, key, type and value.
        id: its ce_id.
        at: stage time, its ce_time.
    """

    output: Output
    id: str
    at: datetime


class Undecidable(Exception):
    """A record on which the core's `decide` raised; the cause is chained. It becomes a dead letter."""


class Engine(Generic[S]):
    """One stage: its core, its state, its clock.

    Attributes:
        core: the decisions.
        state: the core's, changed by `step`, `turn` and the steps of a restart alone.
        at: stage time.
        boundary: the last epoch's end; none before the first record.
        fold_from: the offset in the folded topic from which a restart has to fold, as of that boundary.
        retries: which dead letters came back.
    """

    def __init__(self, core: Core[S], *, window_records: int = WINDOW_RECORDS) -> None:
        self.core = core
        self.state = core.empty()
        self.at = BEGINNING
        self.boundary: datetime | None = None
        self.fold_from = 0
        self.retries = Retries(core.reads)
        self._next_place = 0
        self._keep_since = BEGINNING
        self._folded_until = BEGINNING
        self._window_records = window_records
        self._recent: deque[datetime] = deque(maxlen=CLOCK_RECORDS)
        self._times: deque[datetime] = deque()
        self._places: deque[int] = deque()
        self._resumed: Learned | None = None
        self._window_key = f"{core.stage}/window"
        self._keeps_time = core.reads is ITEMS
        self._own_output = core.folds.name != core.reads.name

    def time_of(self, event: Event[Record]) -> datetime:
        """Give the stage time that this record would bring about."""
        if not self._keeps_time:
            return max(self.at, event.time)
        observed = observed_of(event.data)
        return (
            self.at
            if observed is None
            else max(self.at, median_low([*self._recent, observed][-CLOCK_RECORDS:]))
        )

    def crosses(self, event: Event[Record]) -> bool:
        """Say whether an epoch ends before this record, so that `turn` has to come first."""
        return self.boundary is None or epoch_start(self.time_of(event)) > self.boundary

    def turn(self, event: Event[Record]) -> list[Written]:
        """End the epoch before `event`; every earlier record must have been `placed`.

        Returns:
            The records of the turn, which belong into a transaction of their own.
        """
        time = epoch_start(self.time_of(event))
        first = self.boundary is None
        keep_since = max(time - WINDOW, self._keep_since)
        if len(self._times) > self._window_records:
            keep_since = max(keep_since, self._times[-self._window_records])
        boundary = Boundary(time, keep_since)
        outputs = [] if first else list(self.core.turn(boundary, self.state))
        while self._times and self._times[0] < keep_since:
            self._times.popleft()
            self._places.popleft()
        outputs.append(self._window(boundary))
        written = [
            Written(output, f"{self.core.stage}/{int(time.timestamp())}/{n}", time)
            for n, output in enumerate(outputs)
        ]
        self._take(outputs, time)
        return written

    def step(self, event: Event[Record]) -> list[Written]:
        """Judge one record and take the result into the state.

        Raises:
            Undecidable: `decide` raised; the engine is as it was before.
        """
        data = event.data
        if data is None:
            raise Undecidable("a tombstone on a topic that has none")
        at = self.time_of(event)
        retry = self.retries.origin(event.extensions)
        if retry is not None:
            data = self.retries.aged(data)
        try:
            outputs = self.core.decide(Arrival(event.id, data, at), self.state)
        except Exception as problem:  # any bug of a core: one record must not stop the desk
            raise Undecidable(f"{type(problem).__name__}: {problem}") from problem
        self._note(data)
        self.at = at
        self.retries.note(data, at)
        if retry is not None:
            self.retries.decided(retry, at)
        if not self._own_output:
            self.core.fold(data, at, self.state)
        self._take(outputs, at)
        return [
            Written(output, f"{event.id}/{n if output.suffix is None else output.suffix}", at)
            for n, output in enumerate(outputs)
        ]

    def repeats(self, event: Event[Record]) -> bool:
        """Say whether this is a retry that has nothing left to decide: it is passed over."""
        retry = self.retries.origin(event.extensions)
        return retry is not None and self.retries.settled(retry, event.data)

    def placed(self, at: datetime, place: int) -> None:
        """Note where in the folded topic a record with this stage time stands (its offset)."""
        self._times.append(at)
        self._places.append(place)
        self._next_place = place + 1

    def reload(self, topic: Topic, key: str, value: Record | None) -> None:
        """Take in the last record of a key of a table, read again after a restart: the first step."""
        if topic is LEARNED and key == self._window_key:
            self._resumed = value if isinstance(value, Learned) else None
        else:
            self._load(topic, key, value)

    def resume(self) -> None:
        """Begin the epoch that the last boundary began, now that all tables are in: the second step."""
        if self._resumed is not None:
            self._begin(self._resumed)

    def recall(self, event: Event[Record], place: int) -> None:
        """Take in the next record of `folds`, from `fold_from` on, read again: the third step.

        A retry has the time that it had at first, but it was taken in at the time of the record before it.
        """
        value = event.data
        if value is None or (not self._own_output and self.repeats(event)):
            return
        retry = self.retries.origin(event.extensions)
        if retry is not None and not self._own_output:
            value = self.retries.aged(value)
        time = self._folded_until = max(self._folded_until, event.time)
        if time < self._keep_since:
            return
        self.core.fold(value, time, self.state)
        self.retries.note(value, time)
        self.placed(time, place)
        if self.boundary is None or time >= self.boundary:
            self._note(value)
            self.at = max(self.at, time)
        if retry is not None:
            self.retries.decided(retry, time)

    def _note(self, value: Record) -> None:
        observed = observed_of(value) if self._keeps_time else None
        if observed is not None:
            self._recent.append(observed)

    def _window(self, boundary: Boundary) -> Output:
        learned = Learned(
            stage=self.core.stage,
            table="window",
            boundary=boundary.time,
            epoch=(boundary.time - BEGINNING) // EPOCH,
            fold_from=self._places[0] if self._places else self._next_place,
            keep_since=boundary.keep_since,
            recent=tuple(self._recent),
        )
        return Output(LEARNED, self._window_key, "dateline.learned", learned)

    def _take(self, outputs: Sequence[Output], at: datetime) -> None:
        for output in outputs:
            if self._own_output and output.topic is self.core.folds and output.value is not None:
                self.core.fold(output.value, at, self.state)
            else:
                self._load(output.topic, output.key, output.value)

    def _load(self, topic: Topic, key: str, value: Record | None) -> None:
        if topic is LEARNED and key == self._window_key and isinstance(value, Learned):
            self._begin(value)
        elif topic in self.core.tables and (topic is not LEARNED or key.startswith(f"{self.core.stage}/")):
            self.core.load(topic, key, value, self.state)

    def _begin(self, window: Learned) -> None:
        self.boundary = window.boundary
        self.fold_from = window.fold_from or 0
        self._next_place = max(self._next_place, self.fold_from)
        self._keep_since = window.keep_since or BEGINNING
        self.at = max(self.at, window.boundary)
        self._recent = deque(window.recent, maxlen=CLOCK_RECORDS)
        self.retries.evict(self._keep_since)
        self.core.evict(Boundary(window.boundary, self._keep_since), self.state)
