"""Reports of one event whose stamps lie too far apart.

What the stamps alone say is weak: some sources are hours late. What decides is whether we were looking: a
report that surfaced when it says it was published is honest, however early or late it is.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from statistics import median

from pipeline.chronology.finding import (
    Cleared,
    Finding,
    Judgement,
    duration,
    published,
    sighting,
)
from pipeline.chronology.hypotheses import Side
from pipeline.chronology.norms import CLASSES, DELIVERY_SCALES, SCALES, Norm
from pipeline.chronology.report import Report
from pipeline.chronology.window import Window
from schemas.flag import Evidence

PEERS = 40
"""Of a story so many members are looked at, those that came last."""
PAIRED = 5
"""Of each of two sources so many reports are compared."""
OTHERS = 2
"""A consensus takes so many independent other sources."""
LEAST_SECONDS = 3 * 3_600.0
"""Nearer reports do not conflict, whatever the baselines say."""
SPREAD_SECONDS = 900.0
"""The least spread of a consensus."""
SPREADS = 6.0
"""Nor do those within so many spreads of the consensus, as far as stamps alone can tell."""
SEEN_SPREADS = 2.0
"""The same where we saw when the report appeared."""
MAD_TO_SIGMA = 1.4826

Sources = Mapping[str, list[Report]]
"""The independent reports of a story by source, the one that we saw first in front."""

Subjects = frozenset[str]
"""The ids of two reports."""


def sources(window: Window, story: str | None, doubted: Callable[[Report], bool]) -> Sources:
    """Give what can serve as a reference in a story: copies, forwards and doubted stamps cannot."""
    found: dict[str, list[Report]] = {}
    for report in window.members(story, PEERS):
        if report.sharp and not doubted(report):
            found.setdefault(report.source, []).append(report)
    for reports in found.values():
        reports.sort(key=lambda report: (report.sight.observed, report.item_id))
    return {name: found[name] for name in sorted(found)}


def middle(report: Report) -> float:
    """Give the middle of a reference's stamp, in seconds since 1970."""
    lo, hi = _span(report)
    return (lo + hi) / 2


def in_step(members: Sequence[Report], judged: Sequence[Report], norm: Callable[[Report], Norm]) -> bool:
    """Whether neither rule can find anything in a story, shown without a look at any consensus.

    No consensus makes an outlier of a report that surfaced in time, and only the reports of exactly two
    sources can conflict as a pair. Nor is anything wrong with stamps that all lie near each other.

    Args:
        members: of the story, at most PEERS; none is doubted.
        judged: those that can be found to lag.
        norm: of a report's source.
    """
    tardy = [report for report in judged if not (report.span is None or _in_time(report, norm(report)))]
    names = {report.source for report in members if report.sharp}
    if len(names) < OTHERS or (not tardy and len(names) > OTHERS):
        return True
    spans = [report.span for report in (*members, *tardy) if report.span is not None]
    return max(hi for _, hi in spans) - min(lo for lo, _ in spans) <= LEAST_SECONDS


def lag_outlier(report: Report, others: list[Report], norm: Norm) -> Judgement:
    """A stamp hours away from those of the others, though the report surfaced with them.

    Args:
        report: any member of the story.
        others: the first report of each independent other source.
        norm: of the report's source.
    """
    ids = (report.item_id,)
    if report.span is None:
        return Cleared("lag_outlier", ids, "its stamp cannot be read")
    if len(others) < OTHERS:
        return Cleared("lag_outlier", ids, "fewer than two independent other reports are left")
    anchored = [other for other in others if vouched(other)]
    others = anchored if len(anchored) >= OTHERS else others
    times = [middle(other) for other in others]
    consensus = median(times)
    spread = max(SPREAD_SECONDS, MAD_TO_SIGMA * median(abs(time - consensus) for time in times))
    lo, hi = report.span
    behind = report.behind
    spreads, usual = (SPREADS, norm.lag) if behind is None else (SEEN_SPREADS, 0.0)
    limit = max(LEAST_SECONDS, spreads * spread, usual)
    if lo - limit <= consensus <= hi + limit:
        return Cleared("lag_outlier", ids, "it lies near the other reports")
    if behind is not None and (lo > consensus or _honest(report, norm, consensus - hi)):
        return Cleared("lag_outlier", ids, "it surfaced when it says that it was published")
    return _outlier(report, others, consensus, limit, norm)


def pair_conflict(
    found: Sources, norm: Callable[[Report], Norm], flagged: Collection[Subjects] = ()
) -> Finding | str:
    """Two independent sources, and no third to say whose stamp is wrong, if any is.

    Args:
        found: the references of the story.
        norm: of a report's source.
        flagged: pairs on which a flag stands.

    Returns:
        The conflict of a flagged pair, otherwise of the nearest; or why there is none.
    """
    if len(found) > OTHERS:
        return "a third independent report joined, and together none is out of line"
    if len(found) < OTHERS:
        return "no two independent reports are left"
    first, second = (reports[:PAIRED] for reports in found.values())
    pairs = [sorted((one, other), key=_order) for one in first for other in second]
    early, late = min(pairs, key=lambda pair: (middle(pair[1]) - middle(pair[0]), *map(_order, pair)))
    gap = _span(late)[0] - _span(early)[1]
    if gap <= max(LEAST_SECONDS, norm(early).lag, norm(late).lag):
        return "the two sources are near each other"
    if late.sight.witnessed and _honest(early, norm(early), gap):
        return "both reports surfaced when they say that they were published"
    # The nearest are in conflict, so all are: a flag stays with the reports that it was raised on.
    early, late = next((pair for pair in pairs if {r.item_id for r in pair} in flagged), (early, late))
    return _conflict(early, late, norm)


def _outlier(report: Report, others: list[Report], consensus: float, limit: float, norm: Norm) -> Finding:
    anchor = datetime.fromtimestamp(consensus, UTC)
    apart = consensus - _span(report)[0]
    behind = report.behind
    seen = "" if behind is None else f", yet it surfaced {duration(behind)} behind that stamp"
    here = replace(_side(report), suspect=True)
    there = Side(anchor, max(SCALES[other.delivery] for other in others))
    return Finding(
        flag="lag_outlier",
        reports=(report,),
        severity="high" if abs(apart) > 2 * limit else "warn",
        scope="item",
        summary=f"{report.source} stamped this {duration(apart)} {'before' if apart > 0 else 'after'} "
        f"the median of {len(others)} independent other reports{seen}.",
        apart=abs(apart),
        evidence=(
            published(report),
            *sighting(report, report.sight),
            Evidence(what="consensus", instant=anchor, count=len(others)),
            *(published(other) for other in others[:PAIRED]),
            Evidence(what="baseline", text="lag", source=report.source, seconds=limit, count=norm.lags),
            Evidence(
                what="baseline",
                text="delivery",
                source=report.source,
                seconds=norm.late,
                count=norm.deliveries,
            ),
        ),
        sides=(here, there) if apart > 0 else (there, here),
        source=report.source,
    )


def _conflict(early: Report, late: Report, norm: Callable[[Report], Norm]) -> Finding:
    apart = _span(late)[0] - _span(early)[0]
    return Finding(
        flag="pair_conflict",
        reports=(early, late),
        severity="warn",
        scope="pair",
        summary=f"{early.source} and {late.source} stamped their reports of one event {duration(apart)} "
        "apart; two reports cannot show which stamp is wrong, if any is.",
        apart=apart,
        evidence=(*_witness(early, norm(early)), *_witness(late, norm(late))),
        sides=(_side(early), _side(late)),
    )


def _witness(report: Report, norm: Norm) -> tuple[Evidence, ...]:
    lag = Evidence(what="baseline", text="lag", source=report.source, seconds=norm.lag, count=norm.lags)
    return (published(report), *sighting(report, report.sight), lag)


def _side(report: Report) -> Side:
    sight, kind = report.sight, report.delivery
    return Side(
        time=datetime.fromtimestamp(_span(report)[0], UTC),
        scale=SCALES[kind],
        item_id=report.item_id,
        source=report.source,
        stamp=report.stamp,
        observed=None if sight.assumed else sight.observed,
        delivery=DELIVERY_SCALES[kind] if sight.witnessed else None,
    )


def _honest(report: Report, norm: Norm, early: float) -> bool:
    """Whether a report that is so many seconds early surfaced too soon for a wrong stamp to be the reason."""
    behind = report.behind
    return behind is not None and behind <= max(norm.late, early / 2)


def _in_time(report: Report, norm: Norm) -> bool:
    """Whether a report is honest however early it may be."""
    return report.behind is not None and report.behind <= norm.late


def vouched(report: Report) -> bool:
    """Whether our own sight of a report shows that it was published when it says."""
    if report.behind is None:
        return False
    return report.behind <= (CLASSES["pushed"].late if report.sight.absent is None else 0.0)


def _order(report: Report) -> tuple[float, str]:
    return middle(report), report.item_id


def _span(report: Report) -> tuple[float, float]:
    """Give the interval of a stamp that is known to be readable."""
    span = report.span
    if span is None:
        raise ValueError(f"{report.item_id}: its stamp could not be read")
    return span
