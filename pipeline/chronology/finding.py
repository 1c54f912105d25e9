"""What a rule says of some reports: that they contradict each other, or that they no longer do."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from pipeline.chronology.hypotheses import Side
from pipeline.chronology.report import Report, Version
from schemas.flag import Evidence

RULES: Mapping[str, str] = {
    "future_dated": "future_dated/1",
    "edit_before_publish": "edit_before_publish/1",
    "silent_edit": "silent_edit/1",
    "reply_before_parent": "reply_before_parent/1",
    "forward_before_original": "forward_before_original/1",
    "lag_outlier": "lag_outlier/1",
    "pair_conflict": "pair_conflict/1",
}
"""Each flag's rule with its version: a change of what it finds is a new version."""

TOLERANCE_SECONDS: Mapping[str, float] = {"pushed": 2.0, "polled": 60.0}
"""How far clocks may disagree, by delivery: a pushed post carries the platform's own clock."""
EDIT_TOLERANCE_SECONDS = 60.0
"""The same for the two stamps of an edited post: editors round them."""
_UNITS = ((86_400, "d", 3_600, "h"), (3_600, "h", 60, "min"), (60, "min", 1, "s"))


@dataclass(frozen=True, slots=True)
class Finding:
    """A contradiction.

    Attributes:
        flag: the flag's name.
        reports: what it is about, the first first.
        severity: as in `Flag`.
        scope: as in `Flag`.
        summary: one sentence that names no culprit that is not proven.
        apart: the size of the contradiction in seconds.
        evidence: what it rests on.
        sides: the two times that are apart, the early one first, where hypotheses can explain it.
        source: the source at fault, where one is.
        revision: of a finding on one revision, its number: each has a flag of its own.
    """

    flag: str
    reports: tuple[Report, ...]
    severity: str
    scope: str
    summary: str
    apart: float | None
    evidence: tuple[Evidence, ...]
    sides: tuple[Side, Side] | None = None
    source: str | None = None
    revision: int | None = None

    @property
    def flag_id(self) -> str:
        """The id of its flag."""
        return flag_id(self.flag, self.item_ids, self.revision)

    @property
    def item_ids(self) -> tuple[str, ...]:
        """The ids of its reports."""
        return tuple(report.item_id for report in self.reports)


class Cleared(NamedTuple):
    """Reports that were judged and do not contradict each other, or not for this reason.

    Attributes:
        flag: the name of the flag that would be settled, if it stands.
        item_ids: of its subjects.
        reason: why, for people.
        state: withdrawn, or explained where something else is the cause.
        revision: as in `Finding`.
    """

    flag: str
    item_ids: tuple[str, ...]
    reason: str
    state: str = "withdrawn"
    revision: int | None = None

    @property
    def flag_id(self) -> str:
        """The id of the flag."""
        return flag_id(self.flag, self.item_ids, self.revision)


Judgement = Finding | Cleared


def flag_id(flag: str, item_ids: Sequence[str], revision: int | None = None) -> str:
    """Give the id that the same rule on the same items always has."""
    parts = [flag, *sorted(item_ids), *([] if revision is None else [str(revision)])]
    return "f-" + hashlib.sha256("\n".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def published(report: Report) -> Evidence:
    """The source's word on when it published."""
    return Evidence(
        what="published", item_id=report.item_id, source=report.source, stamp=report.current.published
    )


def sighting(report: Report, version: Version) -> tuple[Evidence, ...]:
    """When we first had a version, and the last complete look that did not show it."""
    seen = Evidence(what="observed", item_id=report.item_id, source=version.source, instant=version.observed)
    if version.absent is None:
        return (seen,)
    unseen = Evidence(what="absent", item_id=report.item_id, source=version.source, instant=version.absent)
    return seen, unseen


def duration(seconds: float) -> str:
    """Spell a distance for people, in two units at most: 5 h 33 min, 45 s, 2 d 3 h."""
    whole = round(abs(seconds))
    for large, large_name, small, small_name in _UNITS:
        if whole >= large:
            first, rest = divmod(round(whole / small), large // small)
            return f"{first} {large_name} {rest} {small_name}" if rest else f"{first} {large_name}"
    return f"{whole} s"
