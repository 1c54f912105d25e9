"""What chronology remembers of the input: the last revisions of each item, and who belongs to which story.

Everything here is rebuilt by folding the same records again, also when the first of them are gone: each
datum is what the last record said of it, and it goes when that record leaves the window.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from itertools import islice

from pipeline.chronology.report import Report, Version, Writer
from schemas.base import Record
from schemas.item import Deduplicated, VerdictChanged
from schemas.story import StoryChange

LINKS = ("reply_to", "forward_of")


class Groups:
    """Sets of items by name, the last touched one last; with `below` a sheet laid over other groups."""

    def __init__(self, below: "Groups | None" = None) -> None:
        self.below = below
        self.sets: dict[str, dict[str, None]] = {}

    def get(self, name: str) -> dict[str, None]:
        """Give the members, not to be changed; empty if there are none."""
        found = self.sets.get(name)
        if found is not None:
            return found
        return {} if self.below is None else self.below.get(name)

    def touch(self, name: str, item_id: str) -> None:
        """Put an item at the end of a set."""
        own = self._own(name)
        own.pop(item_id, None)
        own[item_id] = None

    def discard(self, name: str, item_id: str) -> None:
        """Take an item out of a set."""
        own = self._own(name)
        own.pop(item_id, None)
        if not own and self.below is None:
            del self.sets[name]

    def _own(self, name: str) -> dict[str, None]:
        if name not in self.sets:
            self.sets[name] = {} if self.below is None else dict(self.below.get(name))
        return self.sets[name]


class Window:
    """Items, stories and links; with `below` a sheet laid over another window that it leaves unchanged.

    Attributes:
        reports: by item_id.
        stories: the members of each story.
        mentions: the replies to each item and its forwards.
    """

    def __init__(self, below: "Window | None" = None) -> None:
        self.below = below
        self.reports: dict[str, Report] = {}
        self.stories: Groups = Groups(None if below is None else below.stories)
        self.mentions: Groups = Groups(None if below is None else below.mentions)
        self._queue: deque[tuple[datetime, str]] = deque()
        self._writer: Writer = Writer() if below is None else below._writer  # noqa: SLF001 # of its own class

    def report(self, item_id: str | None) -> Report | None:
        """Give an item; none if it is not in the window."""
        if item_id is None:
            return None
        found = self.reports.get(item_id)
        return self.below.reports.get(item_id) if found is None and self.below is not None else found

    def members(self, story: str | None, most: int) -> list[Report]:
        """Give the members of a story, the last touched one first, at most so many."""
        return [] if story is None else self.some(islice(reversed(self.stories.get(story)), most))

    def mentioning(self, item_id: str, most: int) -> list[Report]:
        """Give the replies to an item and its forwards, the last one first, at most so many."""
        return self.some(islice(reversed(self.mentions.get(item_id)), most))

    def some(self, item_ids: Iterable[str]) -> list[Report]:
        """Give those of the items that are in the window."""
        own, below = self.reports, {} if self.below is None else self.below.reports
        return [report for item_id in item_ids if (report := own.get(item_id) or below.get(item_id))]

    def take(self, value: Record, at: datetime) -> None:
        """Take in one record of the input."""
        if isinstance(value, VerdictChanged):
            report = self.report(value.item_id)
            if report is not None:
                self.reports[report.item_id] = replace(report, verdict=value.verdict)
        elif isinstance(value, StoryChange):
            if value.carried is not None:
                self._carry(value.carried, value.story_id, at)
            elif value.change == "merged" and value.story_id and value.other_story_id:
                for member in list(self.stories.get(value.story_id)):
                    self._move(member, value.other_story_id)
            elif value.change == "split" and value.item_id is not None:
                self._move(value.item_id, value.story_id)
            elif value.change == "left" and value.item_id in self.stories.get(value.story_id or ""):
                self._move(value.item_id, None)

    def evict(self, keep_since: datetime) -> None:
        """Drop the versions that came before `keep_since`, and the items that have no other."""
        while self._queue and self._queue[0][0] < keep_since:
            report = self.reports.get(self._queue.popleft()[1])
            if report is None:
                continue
            versions = tuple(v for v in report.versions if v.at >= keep_since)
            self._forget(report, versions)
            if versions:
                self.reports[report.item_id] = replace(report, versions=versions)
            else:
                self._place(report, None)
                del self.reports[report.item_id]

    def _carry(self, carried: Deduplicated, story: str | None, at: datetime) -> None:
        known = self.report(carried.item.item_id)
        report = self._writer.report(known, carried, story, at)
        if known is not None:
            self._place(known, None)
            self._forget(known, report.versions)
        self.reports[report.item_id] = report
        self._place(report, story)
        for end in _ends(report.versions[-1:]):
            self.mentions.touch(end, report.item_id)
        if self.below is None:
            self._queue.append((at, report.item_id))

    def _move(self, item_id: str, story: str | None) -> None:
        report = self.report(item_id)
        if report is not None:
            self._place(report, None)
            report = self.reports[item_id] = replace(report, story=story)
            self._place(report, story)

    def _place(self, report: Report, story: str | None) -> None:
        if story is not None:
            self.stories.touch(story, report.item_id)
        elif report.story is not None:
            self.stories.discard(report.story, report.item_id)

    def _forget(self, report: Report, kept: tuple[Version, ...]) -> None:
        """Drop the links that no version has any more."""
        left = _ends(kept)
        for end in _ends(report.versions):
            if end not in left:
                self.mentions.discard(end, report.item_id)


def _ends(versions: tuple[Version, ...]) -> dict[str, None]:
    """Give the items that these versions reply to or forward."""
    return {
        link.item_id: None
        for version in versions
        for link in version.relations
        if link.kind in LINKS and link.item_id is not None
    }
