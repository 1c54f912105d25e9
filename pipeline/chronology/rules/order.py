"""Two times in an order that cannot be: as intervals, which contradict when they do not touch."""

from collections.abc import Callable, Iterator
from datetime import datetime

from pipeline.chronology.finding import (
    EDIT_TOLERANCE_SECONDS,
    TOLERANCE_SECONDS,
    Cleared,
    Finding,
    Judgement,
    duration,
    published,
    sighting,
)
from pipeline.chronology.report import Report
from pipeline.chronology.window import Window
from schemas.flag import Evidence
from schemas.item import Relation
from schemas.stamp import Stamp

CRITICAL_LEAD_SECONDS = 300.0
"""A smaller lead can be a slow clock; a larger one cannot."""

Doubt = Callable[[Report], str | None]
"""Gives the id of a flag that puts an item's own stamp at fault."""


def gap(earlier: Stamp | None, later: Stamp | None) -> float:
    """Give the seconds from the end of one time to the beginning of another; below 0: not certainly later."""
    if earlier is None or later is None or earlier.hi is None or later.lo is None:
        return -1.0
    return (later.lo - earlier.hi).total_seconds()


def printed(earlier: Stamp | None, later: Stamp | None) -> float:
    """Give the distance of two times as they are printed."""
    if earlier is None or later is None or earlier.lo is None or later.lo is None:
        return 0.0
    return (later.lo - earlier.lo).total_seconds()


def future_dated(report: Report) -> Judgement:
    """Published later than we saw it."""
    sight, stamp = report.sight, report.stamp
    cleared = Cleared("future_dated", (report.item_id,), "its stamp no longer lies ahead")
    if stamp is None or stamp.lo is None or sight.assumed:
        return cleared
    lead = (stamp.lo - sight.observed).total_seconds()
    if lead <= TOLERANCE_SECONDS[report.delivery]:
        return cleared
    return Finding(
        flag="future_dated",
        reports=(report,),
        severity="critical" if lead > CRITICAL_LEAD_SECONDS else "warn",
        scope="item",
        summary=f"{report.source} stamped this {duration(lead)} later than we saw it.",
        apart=lead,
        evidence=(published(report), *sighting(report, sight)),
        source=report.source,
    )


def edit_before_publish(report: Report) -> Judgement:
    """Revised before it was published."""
    current = report.current
    ahead = gap(current.revised, report.stamp)
    if ahead <= EDIT_TOLERANCE_SECONDS:
        reason = "its edit no longer precedes its publication"
        return Cleared("edit_before_publish", (report.item_id,), reason)
    words = duration(printed(current.revised, report.stamp))
    revised = Evidence(what="revised", item_id=report.item_id, source=report.source, stamp=current.revised)
    return Finding(
        flag="edit_before_publish",
        reports=(report,),
        severity="high",
        scope="item",
        summary=f"By {report.source}'s own stamps this was edited {words} before it was published.",
        apart=printed(current.revised, report.stamp),
        evidence=(published(report), revised, *sighting(report, current)),
        source=report.source,
    )


def reply_before_parent(report: Report, window: Window, doubt: Doubt) -> Iterator[Judgement]:
    """Published before the post of the same source that it answers.

    The ids and the order in which we saw both tell whether the reply itself stands before its parent, or only
    its stamp does, which leaves open whose stamp is wrong. A parent outside the window says nothing.
    """
    for link in report.links("reply_to"):
        parent = window.report(link.item_id)
        if parent is None or parent.source != report.source or parent.item_id == report.item_id:
            continue
        ids = (report.item_id, parent.item_id)
        if gap(report.stamp, parent.stamp) <= TOLERANCE_SECONDS[report.delivery]:
            yield Cleared("reply_before_parent", ids, "the reply no longer precedes its parent")
        elif blamed := doubt(parent):
            yield Cleared(
                "reply_before_parent", ids, f"the parent's own stamp is at fault: {blamed}", "explained"
            )
        else:
            yield _early_reply(report, parent)


def _early_reply(report: Report, parent: Report) -> Finding:
    apart = printed(report.stamp, parent.stamp)
    before = [True, _less(report.current.sequence, parent.current.sequence)]
    if report.sight.witnessed and parent.sight.witnessed:
        before.append(report.sight.observed < parent.sight.observed)
    votes = [vote for vote in before if vote is not None]
    itself = 2 * sum(votes) > len(votes) > 1
    words = "its number and our own sight of it agree" if itself else "one of the two stamps is wrong"
    return Finding(
        flag="reply_before_parent",
        reports=(report, parent),
        severity="critical",
        scope="item" if itself else "pair",
        summary=f"{report.source} answered a post {duration(apart)} before publishing it; {words}.",
        apart=apart,
        evidence=(
            published(report),
            published(parent),
            *sighting(report, report.sight),
            *sighting(parent, parent.sight),
        ),
        source=report.source,
    )


def _less(one: int | None, other: int | None) -> bool | None:
    return None if one is None or other is None else one < other


def forward_before_original(report: Report, window: Window) -> Judgement:
    """Published before the post that it forwards, or dates that post later than we saw it."""
    for link in report.links("forward_of"):
        if finding := _early_forward(report, link, window):
            return finding
    reason = "the forward no longer precedes its original"
    return Cleared("forward_before_original", (report.item_id,), reason)


def _early_forward(report: Report, link: Relation, window: Window) -> Finding | None:
    evidence = [
        published(report),
        Evidence(what="forward_date", item_id=report.item_id, source=link.source, stamp=link.date),
    ]
    apart = printed(report.stamp, link.date)
    summary = f"{report.source} forwarded a post {duration(apart)} before it was published, by its own word."
    tolerance = TOLERANCE_SECONDS[report.delivery]
    if gap(report.stamp, link.date) <= tolerance:
        original = window.report(link.item_id)
        ahead = _ahead(link.date, None if original is None else first_seen(original))
        if original is None or ahead <= tolerance:
            return None
        apart = ahead
        summary = f"{report.source} dates the post that it forwards {duration(apart)} later than we saw it."
        evidence += [published(original), *sighting(original, original.versions[0])]
    return Finding(
        flag="forward_before_original",
        reports=(report,),
        severity="critical",
        scope="item",
        summary=summary,
        apart=apart,
        evidence=tuple(evidence),
        source=report.source,
    )


def _ahead(stamp: Stamp | None, seen: datetime | None) -> float:
    if stamp is None or stamp.lo is None or seen is None:
        return 0.0
    return (stamp.lo - seen).total_seconds()


def first_seen(report: Report) -> datetime | None:
    """Give when we first had an item in any version; none if that is not ours to say."""
    return min((v.observed for v in report.versions if not v.assumed), default=None)
