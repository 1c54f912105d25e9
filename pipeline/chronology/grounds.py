"""What a flag rests on, and whether a judgement can take that away."""

from collections.abc import Iterator

from pipeline.chronology.finding import Cleared
from pipeline.chronology.report import Report
from pipeline.chronology.window import Window
from schemas.flag import Flag
from schemas.stamp import Stamp

OF_STORIES = ("lag_outlier", "pair_conflict")
"""Flags that rest on other reports of the story; the others rest on what a source said of its own posts."""


def may_settle(flag: Flag, cleared: Cleared, window: Window) -> bool:
    """Whether a judgement settles a flag, and does not only lack evidence that left the window."""
    if cleared.state == "explained" or unsaid(flag, window):
        return True
    if flag.flag not in OF_STORIES or flag.state == "confirmed":
        return False
    return all(line.item_id is None or window.report(line.item_id) is not None for line in flag.evidence)


def unsaid(flag: Flag, window: Window) -> bool:
    """Whether a source no longer says what the flag holds against it: another stamp, another parent."""
    for subject in flag.subjects:
        report = window.report(subject.item_id)
        if report is None:
            continue
        said = {(what, stamp.raw) for what, stamp in _said(report) if stamp is not None}
        if any(
            line.item_id == subject.item_id
            and line.stamp is not None
            and (line.what, line.stamp.raw) not in said
            for line in flag.evidence
        ):
            return True
    return parted(flag, window)


def parted(flag: Flag, window: Window) -> bool:
    """Whether a reply is no longer one to the parent that it was flagged with."""
    report = window.report(flag.subjects[0].item_id)
    if flag.flag != "reply_before_parent" or report is None:
        return False
    return all(link.item_id != flag.subjects[1].item_id for link in report.links("reply_to"))


def _said(report: Report) -> Iterator[tuple[str, Stamp | None]]:
    current = report.current
    yield "published", current.published
    yield "revised", current.revised
    for link in report.links("forward_of"):
        yield "forward_date", link.date
