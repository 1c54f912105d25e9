"""Chronology: which stamps cannot be right, and what is normal for each source."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from pipeline.chronology.baselines import gather, learned
from pipeline.chronology.hearing import Hearing
from pipeline.chronology.ledger import RULED, changed, closed, ruled, settled
from pipeline.chronology.state import State
from pipeline.chronology.window import Window
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
            gather(value, state)

    def load(self, topic: Topic, key: str, value: Record | None, state: State) -> None:
        """Take in one flag or baseline."""
        if topic is FLAGS:
            state.put(key, value if isinstance(value, Flag) else None)
        else:
            state.learn(key, value if isinstance(value, Baseline) else None)

    def turn(self, boundary: Boundary, state: State) -> Sequence[Output]:
        """Write the baselines, confirm the flags that leave the window, forget the long settled ones."""
        outputs = [
            Output(BASELINES, baseline.source, "dateline.baseline", baseline)
            for baseline in learned(state, boundary.time)
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
