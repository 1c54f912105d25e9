"""The hearing of one record: which reports it touches, and what the rules say of them.

Causes are judged before what follows from them, and a stamp in doubt is no reference for another: first what
a report says of itself, then its links, then each report against its story, then the links to whatever that
put in doubt, at last pairs.
"""

from collections.abc import Container, Iterable, Iterator
from itertools import islice

from pipeline.chronology.finding import Cleared, Finding, Judgement
from pipeline.chronology.grounds import may_settle, parted
from pipeline.chronology.report import Report
from pipeline.chronology.rules.edits import silent_edit
from pipeline.chronology.rules.lag import (
    OTHERS,
    PEERS,
    in_step,
    lag_outlier,
    pair_conflict,
    sources,
    vouched,
)
from pipeline.chronology.rules.order import (
    edit_before_publish,
    forward_before_original,
    future_dated,
    reply_before_parent,
)
from pipeline.chronology.state import State
from pipeline.chronology.window import Window
from schemas.flag import Flag
from schemas.item import VerdictChanged
from schemas.story import StoryChange

WRONG = ("future_dated", "lag_outlier")
"""Flags that prove the item's own `published` wrong, or as good as that."""
DOUBTING = ("edit_before_publish", "reply_before_parent", "forward_before_original")
"""Flags that leave open which of two stamps is wrong: our own sight of the item may vouch for its own."""
JUDGED = 12
"""Of a story so many members are judged again with each record, those that came last and any flagged one."""
LINKED = 50
"""Of an item's replies and forwards so many are judged again."""


class Hearing:
    """The judgements that one record leads to.

    Attributes:
        window: as it is after the record.
        judged: by flag_id; left out is what clears nothing that was flagged, what lacks the evidence to clear
            it, and what an operator has had the last word on.
        touched: ids of the items whose place in a story was judged.
    """

    def __init__(self, value: StoryChange | VerdictChanged, state: State, window: Window) -> None:
        self.state = state
        self.window = window
        self.judged: dict[str, Judgement] = {}
        self.touched: dict[str, None] = {}
        self._found: dict[str, dict[str, Finding]] = {}
        carried = value.carried if isinstance(value, StoryChange) else None
        subject = value.item_id if carried is None else carried.item.item_id
        before, after = state.window.report(subject), window.report(subject)
        if after is not None:
            self.touched[after.item_id] = None
            if carried is not None:
                self._own(before, after)
                self._links([after, *window.mentioning(after.item_id, LINKED)])
            if after.story is None:
                self._note([Cleared("lag_outlier", (after.item_id,), "it is in no story")])
        stories = [story for story in _stories(value, before, after) if self._matters(story)]
        if len(stories) == 1 and self._in_step(stories[0]):
            return
        for story in stories:
            self._lags(story, after)
        for story in stories:
            self._pair(story)

    def _matters(self, story: str) -> bool:
        """Whether anything can be said of a story: one report alone has nothing to agree with."""
        members = self.window.stories.get(story)
        return len(members) > 1 or any(item_id in self.state.flagged for item_id in members)

    def _in_step(self, story: str) -> bool:
        """Whether it is plain that nothing is wrong in a story, and no flag is there to be settled.

        So it is with nearly every record, and the long way would come to the same.
        """
        members = list(islice(reversed(self.window.stories.get(story)), PEERS))
        ids = [*self.touched, *members]
        if not (self.state.flagged.keys().isdisjoint(ids) and self._found.keys().isdisjoint(ids)):
            return False
        judged = dict.fromkeys([*self.touched, *members[:JUDGED]])
        return in_step(self.window.some(members), self.window.some(judged), self.state.norm)

    def _own(self, before: Report | None, report: Report) -> None:
        self._note([future_dated(report), edit_before_publish(report)])
        returned_to = report.versions[-1].returned_to
        if returned_to is not None:
            self._note(list(self._undone(report, returned_to)))
        elif before is not None and (edit := silent_edit(before.current, report)):
            self._note([edit])

    def _undone(self, report: Report, revision: int) -> Iterator[Judgement]:
        reason = f"the source went back to revision {revision}"
        for flag in self.state.standing([report.item_id]):
            if flag.flag == "silent_edit" and flag.subjects[0].revision > revision:
                number = flag.subjects[0].revision
                yield Cleared(flag.flag, (report.item_id,), reason, "explained", number)

    def _links(self, reports: Iterable[Report]) -> None:
        for report in reports:
            if not report.current.relations and self._unflagged(report.item_id):
                continue
            self._note(list(reply_before_parent(report, self.window, self._cause)))
            self._note([forward_before_original(report, self.window)])
            self._note(list(self._parted(report)))

    def _parted(self, report: Report) -> Iterator[Judgement]:
        for flag in self.state.standing([report.item_id]):
            if parted(flag, self.window):
                ids = tuple(subject.item_id for subject in flag.subjects)
                yield Cleared(flag.flag, ids, "the reply names another parent")

    def _lags(self, story: str, subject: Report | None) -> None:
        """Judge the members of a story, the worst first: its stamp serves none of the others."""
        members = [
            report
            for n, report in enumerate(self.window.members(story, PEERS))
            if n < JUDGED or report is subject or report.item_id in self.state.flagged
        ]
        self.touched.update(dict.fromkeys(report.item_id for report in members))
        before = {i for i in self.touched if self._flagged(i)}
        judged = {report.item_id for report in members}
        outliers: dict[str, Finding] = {}
        results: list[Judgement] = []
        while len(outliers) < len(members):
            first = self._references(story, judged, outliers)
            if len(first) < OTHERS and not before:
                break
            left = [report for report in members if report.item_id not in outliers]
            results = [self._lag(report, first) for report in left]
            findings = [result for result in results if isinstance(result, Finding)]
            if not findings:
                break
            worst = max(findings, key=lambda finding: (finding.apart or 0.0, finding.item_ids))
            outliers[worst.item_ids[0]] = worst
        self._note([*outliers.values(), *results])
        for report in members:
            if (report.item_id in before) != (report.item_id in outliers):
                self._links(self.window.mentioning(report.item_id, LINKED))

    def _references(self, story: str, judged: Container[str], outliers: Container[str]) -> dict[str, Report]:
        """Give the first report of each source of a story; lag flags of those being judged do not count."""

        def doubted(report: Report) -> bool:
            aside = "lag_outlier" if report.item_id in judged else None
            return report.item_id in outliers or self._doubted(report, aside)

        return {name: reports[0] for name, reports in sources(self.window, story, doubted).items()}

    def _lag(self, report: Report, first: dict[str, Report]) -> Judgement:
        for ident, flag in self._standing(report):
            if flag == "future_dated":
                return Cleared("lag_outlier", (report.item_id,), f"explained by {ident}", "explained")
        others = [other for name, other in first.items() if name != report.source]
        return lag_outlier(report, others, self.state.norm(report))

    def _flagged(self, item_id: str) -> bool:
        return any(flag.flag == "lag_outlier" for flag in self.state.standing([item_id]))

    def _pair(self, story: str) -> None:
        standing = [flag for flag in self.state.standing(self.touched) if flag.flag == "pair_conflict"]
        flagged = [frozenset(subject.item_id for subject in flag.subjects) for flag in standing]
        found = sources(self.window, story, self._doubted)
        result = pair_conflict(found, self.state.norm, flagged)
        reason = result if isinstance(result, str) else "other reports of the story conflict"
        self._note([self._resolved(flag, story, reason) for flag in standing])
        if isinstance(result, Finding):
            self._note([result])

    def _resolved(self, flag: Flag, story: str, reason: str) -> Judgement:
        ids = tuple(subject.item_id for subject in flag.subjects)
        reports = [report for report in map(self.window.report, ids) if report is not None]
        for report in reports:
            if cause := self._cause(report):
                return Cleared(flag.flag, ids, f"explained by {cause}", "explained")
        if any(report.story != story for report in reports):
            reason = "the reports are not of one story"
        elif not all(report.independent for report in reports):
            reason = "the reports are not independent"
        return Cleared(flag.flag, ids, reason)

    def _note(self, judgements: Iterable[Judgement]) -> None:
        for judgement in judgements:
            if isinstance(judgement, Finding):
                self._keep(judgement)
            elif not all(map(self._unflagged, judgement.item_ids)):
                flag = self.state.flags.get(judgement.flag_id)
                if flag is None or may_settle(flag, judgement, self.window):
                    self._keep(judgement)

    def _keep(self, judgement: Judgement) -> None:
        ident = judgement.flag_id
        if ident in self.state.rulings:
            return
        self.judged[ident] = judgement
        for item_id in judgement.item_ids:
            found = self._found.setdefault(item_id, {})
            found.pop(ident, None)
            if isinstance(judgement, Finding):
                found[ident] = judgement

    def _unflagged(self, item_id: str) -> bool:
        """Whether no flag was ever raised on an item."""
        return item_id not in self.state.flagged and item_id not in self._found

    def _standing(self, report: Report) -> list[tuple[str, str]]:
        """Give id and name of the flags that stand on an item, as far as it is judged by now."""
        if self._unflagged(report.item_id):
            return []
        standing = self.state.standing([report.item_id])
        rows = [(flag.flag_id, flag.flag) for flag in standing if flag.flag_id not in self.judged]
        fresh = self._found.get(report.item_id, {})
        return [*rows, *((ident, found.flag) for ident, found in fresh.items())]

    def _cause(self, report: Report) -> str | None:
        """Give the id of a flag that puts the report's own stamp at fault."""
        for ident, flag in self._standing(report):
            if flag in WRONG or (flag == "edit_before_publish" and not vouched(report)):
                return ident
        return None

    def _doubted(self, report: Report, aside: str | None = None) -> bool:
        """Whether a stamp is too doubtful to be a reference, the flag named `aside` not counted."""
        flags = {flag for _, flag in self._standing(report)} - {aside}
        if not flags:
            return False
        if not flags.isdisjoint(WRONG):
            return True
        return not flags.isdisjoint(DOUBTING) and not vouched(report)


def _stories(value: StoryChange | VerdictChanged, before: Report | None, after: Report | None) -> list[str]:
    """Give the stories whose members or reports the record changes."""
    found = [report.story for report in (before, after) if report is not None]
    if isinstance(value, StoryChange) and value.change == "merged":
        found.append(value.other_story_id)
    return [story for story in dict.fromkeys(found) if story is not None]
