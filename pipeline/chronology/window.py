"""What chronology remembers of the input: the last revisions of each item, and who belongs to which story.

Everything here is rebuilt by folding the same records again, also when the first of them are gone: each
datum is what the last record said of it, and it goes when that record leaves the window.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import blake2b
from itertools import islice

from schemas.base import Record
from schemas.flag import Subject
from schemas.item import Deduplicated, Item, Relation, Verdict, VerdictChanged
from schemas.stamp import Stamp
from schemas.story import StoryChange

VERSIONS_KEPT = 8
TEXT_KEPT_CHARACTERS = 4_000
HEADLINE_CHARACTERS = 120
LINKS = ("reply_to", "forward_of")
CLAIMS = ("post", "article")
"""Kinds that say something of the world; a new betting question is no report of an event."""


@dataclass(frozen=True, slots=True)
class Version:
    """One revision of an item, as far as the rules need it.

    Attributes:
        at: stage time when it came; with it the version leaves the window.
        text: the beginning of headline and text, white space evened out; none once a newer revision is there.
        digest: of the whole of it.
        sequence: the source's running number.
    """

    at: datetime
    revision: int
    source: str
    kind: str
    usable: bool
    delivery: str
    url: str | None
    headline: str
    text: str | None
    digest: bytes
    sequence: int | None
    published: Stamp | None
    revised: Stamp | None
    hidden: bool
    relations: tuple[Relation, ...]
    observed: datetime
    absent: datetime | None
    assumed: bool
    backlog: bool
    late: bool
    returned_to: int | None

    @classmethod
    def of(cls, item: Item, at: datetime) -> "Version":
        """Keep of an item what the rules need."""
        text = " ".join(f"{item.headline or ''} {item.text}".split())
        return cls(
            at=at,
            revision=item.revision,
            source=item.source,
            kind=item.kind,
            usable=item.status == "usable",
            delivery=item.delivery,
            url=item.url,
            headline=(item.headline or text)[:HEADLINE_CHARACTERS],
            text=text[:TEXT_KEPT_CHARACTERS],
            digest=blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(),
            sequence=int(item.sequence) if item.sequence and item.sequence.isdecimal() else None,
            published=item.published,
            revised=item.revised,
            hidden=item.revised_hidden,
            relations=item.relations,
            observed=item.observed,
            absent=item.absent,
            assumed=item.observed_assumed,
            backlog=item.backlog,
            late=item.late,
            returned_to=item.returned_to,
        )

    @property
    def witnessed(self) -> bool:
        """Whether we were looking when it appeared, so that `observed` says something of when that was."""
        return not (self.backlog or self.assumed)


@dataclass(slots=True)
class Report:
    """One item: its revisions in the order in which they came, its verdict and its place. Never changed.

    Attributes:
        versions: the last ones, at least one.
        story: the story it is in; none: in none.
        current: the newest state: the last version that is not an older one seen late.
        stamp: `published` of the newest state; none if it could not be read.
        span: the interval of that stamp, both ends in seconds since 1970.
        sight: the version that first showed it.
    """

    item_id: str
    versions: tuple[Version, ...]
    verdict: Verdict
    story: str | None
    current: Version = field(init=False)
    stamp: Stamp | None = field(init=False)
    span: tuple[float, float] | None = field(init=False)
    sight: Version = field(init=False)

    def __post_init__(self) -> None:
        current = next((v for v in reversed(self.versions) if not v.late), self.versions[-1])
        stamp, self.span = current.published, None
        self.current = self.sight = current
        if stamp is not None and stamp.lo is not None and stamp.hi is not None:
            self.span = stamp.lo.timestamp(), stamp.hi.timestamp()
        self.stamp = None if self.span is None else stamp
        if stamp is not None and len(self.versions) > 1:
            self.sight = next(v for v in self.versions if v.published and v.published.raw == stamp.raw)

    @property
    def source(self) -> str:
        """The wire's name."""
        return self.current.source

    @property
    def subject(self) -> Subject:
        """How a flag names it."""
        v = self.current
        return Subject(
            item_id=self.item_id, revision=v.revision, source=v.source, url=v.url, headline=v.headline
        )

    @property
    def independent(self) -> bool:
        """Whether it is a report of its own: no copy, no forward, no betting question."""
        current = self.current
        return (
            self.verdict.role == "original"
            and current.kind in CLAIMS
            and not any(relation.kind == "forward_of" for relation in current.relations)
        )

    def links(self, *kinds: str) -> Iterator[Relation]:
        """Give its relations of these kinds."""
        return (relation for relation in self.current.relations if relation.kind in kinds)


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

    def report(self, item_id: str | None) -> Report | None:
        """Give an item; none if it is not in the window."""
        if item_id is None:
            return None
        found = self.reports.get(item_id)
        return found if found is not None or self.below is None else self.below.report(item_id)

    def members(self, story: str | None, most: int) -> list[Report]:
        """Give the members of a story, the last touched one first, at most so many."""
        return [] if story is None else self._some(self.stories.get(story), most)

    def mentioning(self, item_id: str, most: int) -> list[Report]:
        """Give the replies to an item and its forwards, the last one first, at most so many."""
        return self._some(self.mentions.get(item_id), most)

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
        item = carried.item
        version = Version.of(item, at)
        known = self.report(item.item_id)
        before = () if known is None else known.versions
        if not version.late:
            before = tuple(v if v.text is None else replace(v, text=None) for v in before)
        report = Report(item.item_id, (*before, version)[-VERSIONS_KEPT:], carried.verdict, story)
        if known is not None:
            self._place(known, None)
            self._forget(known, report.versions)
        self.reports[report.item_id] = report
        self._place(report, story)
        for end in _ends((version,)):
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

    def _some(self, ids: dict[str, None], most: int) -> list[Report]:
        newest = (self.report(item_id) for item_id in islice(reversed(ids), most))
        return [report for report in newest if report is not None]


def _ends(versions: tuple[Version, ...]) -> dict[str, None]:
    """Give the items that these versions reply to or forward."""
    return {
        link.item_id: None
        for version in versions
        for link in version.relations
        if link.kind in LINKS and link.item_id is not None
    }
