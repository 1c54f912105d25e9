"""From judgements to flags: what is raised, changed, settled or left as it is."""

from collections.abc import Container, Iterable, Iterator, Mapping
from datetime import datetime

from pipeline.chronology.finding import RULES, Cleared, Finding
from pipeline.chronology.hearing import Hearing
from pipeline.chronology.state import STANDING, State
from pipeline.chronology.window import Window
from pipeline.core import Arrival
from schemas.flag import Evidence, Flag
from schemas.item import Ruling

OF_STORIES = ("lag_outlier", "pair_conflict")
"""Flags that rest on other reports of the story; the others rest on what a source said of its own posts."""

RULED: Mapping[str, str] = {"acknowledged": "confirmed", "disputed": "explained"}
"""What an operator's word makes of a flag."""


def changed(hearing: Hearing, arrival: Arrival) -> Iterator[Flag]:
    """Give the flags that these judgements change, each once. An operator's word on a flag stands."""
    state = hearing.state
    for ident, judgement in hearing.judged.items():
        known = state.flags.get(ident)
        if ident in state.rulings:
            continue
        if isinstance(judgement, Finding):
            if known is None or known.state not in STANDING or _differs(judgement, known):
                yield _raised(ident, judgement, known, arrival)
        elif known is not None and known.state in STANDING and _may_settle(known, judgement, hearing.window):
            yield settled(known, judgement.state, judgement.reason, arrival.at, arrival.id)
    for flag in state.standing(hearing.touched):
        if (
            flag.flag_id not in hearing.judged
            and flag.flag_id not in state.rulings
            and _loose(flag, hearing.window)
        ):
            yield settled(flag, "withdrawn", "the reply names another parent", arrival.at, arrival.id)


def closed(story: str, state: State, arrival: Arrival) -> Iterator[Flag]:
    """Confirm the flags that rest on the reports of a story, now that no other is to come."""
    for flag in state.standing(state.window.stories.get(story)):
        if flag.state == "open" and flag.flag in OF_STORIES and flag.flag_id not in state.rulings:
            yield settled(
                flag, "confirmed", "the story closed, and no report resolved it", arrival.at, arrival.id
            )


def ruled(ruling: Ruling, state: State, arrival: Arrival) -> Iterator[Flag]:
    """Take an operator's word on a flag."""
    flag = state.flags.get(ruling.subject)
    target = RULED.get(ruling.verdict)
    if flag is not None and target is not None:
        note = f": {ruling.note}" if ruling.note else ""
        yield settled(flag, target, f"{ruling.verdict} by {ruling.by}{note}", arrival.at, arrival.id)


def settled(flag: Flag, state: str, reason: str, at: datetime, cause: str) -> Flag:
    """Give a flag in another state."""
    return flag.model_copy(
        update={"state": state, "number": flag.number + 1, "changed": at, "cause": cause, "reason": reason}
    )


def _raised(ident: str, finding: Finding, known: Flag | None, arrival: Arrival) -> Flag:
    standing = known is not None and known.state in STANDING
    return Flag(
        flag_id=ident,
        flag=finding.flag,
        state=known.state if known is not None and standing else "open",
        number=1 if known is None else known.number + 1,
        severity=finding.severity,
        scope=finding.scope,
        source=finding.source,
        story_id=finding.reports[0].story,
        subjects=tuple(report.subject for report in finding.reports),
        summary=finding.summary,
        apart_seconds=finding.apart,
        evidence=finding.evidence,
        hypotheses=finding.hypotheses,
        rule=RULES[finding.flag],
        raised=arrival.at if known is None else known.raised,
        changed=arrival.at,
        cause=arrival.id,
    )


def _differs(finding: Finding, known: Flag) -> bool:
    """Whether a flag says something new: the evidence of others comes and goes, and is no news."""
    if finding.flag in OF_STORIES and finding.severity != known.severity:
        return True
    return _said(finding.evidence, finding.item_ids) != _said(known.evidence, finding.item_ids)


def _said(evidence: Iterable[Evidence], item_ids: Container[str]) -> list[str]:
    return [line.stamp.raw for line in evidence if line.stamp is not None and line.item_id in item_ids]


def _may_settle(flag: Flag, cleared: Cleared, window: Window) -> bool:
    """Whether a judgement settles a flag, and does not only lack evidence that left the window."""
    if cleared.state == "explained" or _restamped(flag, window):
        return True
    if flag.flag not in OF_STORIES or flag.state == "confirmed":
        return False
    return all(line.item_id is None or window.report(line.item_id) is not None for line in flag.evidence)


def _restamped(flag: Flag, window: Window) -> bool:
    """Whether a subject of a flag now says another time than the flag holds against it."""
    for subject in flag.subjects:
        report = window.report(subject.item_id)
        if report is None:
            continue
        current = report.current
        said = {
            "published": [current.published],
            "revised": [current.revised],
            "forward_date": [link.date for link in report.links("forward_of")],
        }
        for line in flag.evidence:
            raws = [stamp.raw for stamp in said.get(line.what, []) if stamp is not None]
            if line.item_id == subject.item_id and line.stamp is not None and line.stamp.raw not in raws:
                return True
    return False


def _loose(flag: Flag, window: Window) -> bool:
    """Whether a reply is no longer one to the parent that it was flagged with."""
    if flag.flag != "reply_before_parent":
        return False
    reply, parent = (subject.item_id for subject in flag.subjects)
    report = window.report(reply)
    return report is not None and all(link.item_id != parent for link in report.links("reply_to"))
