"""From judgements to flags: what is raised, changed, settled or left as it is."""

from collections.abc import Container, Iterable, Iterator, Mapping
from datetime import datetime

from pipeline.chronology.finding import RULES, Finding
from pipeline.chronology.grounds import OF_STORIES
from pipeline.chronology.hearing import Hearing
from pipeline.chronology.hypotheses import rank
from pipeline.chronology.state import STANDING, State
from pipeline.core import Arrival
from schemas.flag import Evidence, Flag
from schemas.item import Ruling

RULED: Mapping[str, str] = {"acknowledged": "confirmed", "disputed": "explained"}
"""What an operator's word makes of a flag."""


def changed(hearing: Hearing, arrival: Arrival) -> Iterator[Flag]:
    """Give the flags that these judgements change, each once."""
    for ident, judgement in hearing.judged.items():
        known = hearing.state.flags.get(ident)
        if isinstance(judgement, Finding):
            if known is None or known.state not in STANDING or _differs(judgement, known):
                yield _raised(ident, judgement, known, arrival)
        elif known is not None and known.state in STANDING:
            yield settled(known, judgement.state, judgement.reason, arrival.at, arrival.id)


def closed(story: str, state: State, arrival: Arrival) -> Iterator[Flag]:
    """Confirm the flags that rest on the reports of a story, now that no other is to come."""
    for flag in state.standing(state.window.stories.get(story)):
        if flag.state == "open" and flag.flag in OF_STORIES:
            reason = "the story closed, and no report resolved it"
            yield settled(flag, "confirmed", reason, arrival.at, arrival.id)


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
        hypotheses=() if finding.sides is None else rank(*finding.sides),
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
