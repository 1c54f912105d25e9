"""Chronology: which stamps cannot be right, and what is normal for each source."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from statistics import median

from pipeline.chronology.hearing import Hearing
from pipeline.chronology.ledger import RULED, changed, closed, ruled, settled
from pipeline.chronology.norms import learn
from pipeline.chronology.rules.lag import OTHERS, middle, sources
from pipeline.chronology.state import State
from pipeline.chronology.window import Report, Window
from pipeline.core import Arrival, Boundary, Output
from schemas.base import Record
from schemas.flag import Flag
from schemas.item import Ruling, VerdictChanged
from schemas.records import Baseline
from schemas.story import StoryChange
from schemas.topics import BASELINES, FLAGS, STORY_CHANGES, Topic

KEPT_DAYS = 30
"""A settled flag is forgotten so long after its last change."""


class Chronology:
    """The last stage: reads every step of every story, writes flags, and baselines at boundaries."""

    stage = "chronology"
    reads: Topic = STORY_CHANGES
    folds: Topic = STORY_CHANGES
    tables: tuple[Topic, ...] = (FLAGS, BASELINES)

    def empty(self) -> State:
        """Give the state before the first record."""
        return State()

    def decide(self, arrival: Arrival, state: State) -> Sequence[Output]:
        """Judge what a record changed; without a finding or a change of an old one there is no output."""
        return [_output(flag) for flag in self._flags(arrival, state)]

    def fold(self, value: Record, at: datetime, state: State) -> None:
        """Take in one record of the input."""
        state.window.take(value, at)
        if isinstance(value, Ruling) and value.verdict in RULED:
            state.rulings[value.subject] = at
        elif isinstance(value, StoryChange) and (state.boundary is None or at >= state.boundary):
            _gather(value, state)

    def load(self, topic: Topic, key: str, value: Record | None, state: State) -> None:
        """Take in one flag or baseline."""
        if topic is FLAGS:
            state.put(key, value if isinstance(value, Flag) else None)
        elif isinstance(value, Baseline):
            state.baselines[key] = value
        else:
            state.baselines.pop(key, None)

    def turn(self, boundary: Boundary, state: State) -> Sequence[Output]:
        """Write the baselines, confirm the flags that leave the window, forget the long settled ones."""
        outputs = [
            Output(BASELINES, source, "dateline.baseline", learn(source, values, known, boundary.time))
            for source, values in sorted(state.gathered.items())
            for known in [state.baselines.get(source)]
        ]
        cause = f"{self.stage}/{int(boundary.time.timestamp())}"
        for key, flag in sorted(state.flags.items()):
            if flag.state == "open":
                if any(_leaves(subject.item_id, state.window, boundary) for subject in flag.subjects):
                    reason = "it left the window, and nothing resolved it"
                    outputs.append(_output(settled(flag, "confirmed", reason, boundary.time, cause)))
            elif flag.changed < boundary.time - timedelta(days=KEPT_DAYS):
                outputs.append(Output(FLAGS, key, "dateline.flag", None))
        return outputs

    def evict(self, boundary: Boundary, state: State) -> None:
        """Begin the next epoch."""
        state.window.evict(boundary.keep_since)
        state.rulings = {key: at for key, at in state.rulings.items() if at >= boundary.keep_since}
        state.gathered = {}
        state.boundary = boundary.time

    def _flags(self, arrival: Arrival, state: State) -> Iterator[Flag]:
        value = arrival.value
        if isinstance(value, Ruling):
            yield from ruled(value, state, arrival)
        elif isinstance(value, StoryChange) and value.change == "closed" and value.story_id:
            yield from closed(value.story_id, state, arrival)
        elif isinstance(value, (StoryChange, VerdictChanged)):
            window = Window(state.window)
            window.take(value, arrival.at)
            yield from changed(Hearing(value, state, window), arrival)


def _output(flag: Flag) -> Output:
    return Output(FLAGS, flag.flag_id, "dateline.flag", flag)


def _leaves(item_id: str, window: Window, boundary: Boundary) -> bool:
    report = window.report(item_id)
    return report is None or report.versions[-1].at < boundary.keep_since


def _gather(change: StoryChange, state: State) -> None:
    """Note how long a revision took to reach us, and how far its story's first reports lie apart."""
    report = state.window.report(change.carried.item.item_id) if change.carried else None
    if report is None or report.span is None or report.versions[-1].late:
        return
    current, (lo, _) = report.current, report.span
    if current.revision == 1 and current.witnessed:
        state.gathering(report).delivery.append(round(current.observed.timestamp() - lo, 1))
    if current.revision > 1 and current.revised is not None and current.revised.lo is not None:
        state.gathering(report).edit.append(round(current.revised.lo.timestamp() - lo, 1))
    if change.change in ("opened", "joined"):
        _gather_lags(report, state)


def _gather_lags(report: Report, state: State) -> None:
    """Note the lag of a source's first report of a story; with the third source, the lags of all three."""
    if len(state.window.stories.get(report.story or "")) <= OTHERS:
        return
    found = sources(state.window, report.story, lambda _: False)
    first = {source: reports[0] for source, reports in found.items()}
    if len(first) <= OTHERS or first.get(report.source) is not report:
        return
    for one in first.values() if len(first) == OTHERS + 1 else [report]:
        others = [middle(other) for other in first.values() if other is not one]
        state.gathering(one).lag.append(round(middle(one) - median(others), 1))
