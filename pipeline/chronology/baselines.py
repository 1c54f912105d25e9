"""What is gathered of each source between two boundaries, and what is written at the second."""

from collections.abc import Iterator
from datetime import datetime
from statistics import median

from pipeline.chronology.norms import GATHERED, Gathered, Series, merged
from pipeline.chronology.report import Report
from pipeline.chronology.rules.lag import OTHERS, middle, sources
from pipeline.chronology.state import State
from schemas.records import Baseline
from schemas.story import StoryChange

TELLING = ("silent_edit", "pair_conflict")
"""Flags that prove nothing against the item's `published`."""


def gather(change: StoryChange, state: State) -> None:
    """Note how long a revision took to reach us, and how far its story's first reports lie apart.

    What first contact brought in tells nothing of deliveries. Flags are not looked at: when the same record
    is folded again after a restart, others stand.
    """
    report = state.window.report(change.carried.item.item_id) if change.carried else None
    if report is None or report.span is None or report.versions[-1].late:
        return
    current, (lo, _) = report.current, report.span
    if current.revision == 1 and current.witnessed:
        _add(state.gathering(report).delivery, report, current.observed.timestamp() - lo)
    if current.revision > 1 and current.revised is not None and current.revised.lo is not None:
        _add(state.gathering(report).edit, report, current.revised.lo.timestamp() - lo)
    joined = report.sharp and change.change in ("opened", "joined")
    if joined and len(state.window.stories.get(report.story or "")) > OTHERS:
        _gather_lags(report, state)


def learned(state: State, boundary: datetime) -> Iterator[Baseline]:
    """Give the baselines of the sources that said something, without the items whose stamps are in doubt."""
    for source, gathered in sorted(state.gathered.items()):
        yield _learn(source, gathered, state, boundary)


def _learn(source: str, gathered: Gathered, state: State, boundary: datetime) -> Baseline:
    before = state.baselines.get(source) or Baseline(source=source, boundary=boundary, count=0)
    lag, delivery, edit = (
        [value for item_id, value in series if not _doubted(item_id, state)]
        for series in (gathered.lag, gathered.delivery, gathered.edit)
    )
    return Baseline(
        source=source,
        boundary=boundary,
        count=min(GATHERED, before.count + len(delivery)),
        lag=merged(before.lag, lag),
        delivery=merged(before.delivery, delivery),
        edit=merged(before.edit, edit),
        zone=before.zone,
    )


def _gather_lags(report: Report, state: State) -> None:
    """Note the lag of a source's first report of a story; with the third source, the lags of all three."""
    found = sources(state.window, report.story, lambda _: False)
    first = {source: reports[0] for source, reports in found.items()}
    if len(first) <= OTHERS or first.get(report.source) is not report:
        return
    for one in first.values() if len(first) == OTHERS + 1 else [report]:
        others = [middle(other) for other in first.values() if other is not one]
        _add(state.gathering(one).lag, one, middle(one) - median(others))


def _add(series: Series, report: Report, seconds: float) -> None:
    series.append((report.item_id, round(seconds, 1)))


def _doubted(item_id: str, state: State) -> bool:
    return any(flag.flag not in TELLING for flag in state.standing([item_id]))
