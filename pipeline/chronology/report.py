"""One item as chronology remembers it: its last revisions, its verdict, and the story it is in."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import blake2b
from operator import is_

from schemas.flag import Subject
from schemas.item import Deduplicated, Item, Relation, Verdict
from schemas.stamp import Stamp

VERSIONS_KEPT = 8
TEXT_KEPT_CHARACTERS = 4_000
HEADLINE_CHARACTERS = 120
CLAIMS = ("post", "article")
"""Kinds that say something of the world; a new betting question is no report of an event."""
SHARP_SECONDS = 3_600.0
"""A stamp with a wider interval is no reference."""


@dataclass(slots=True)
class Version:
    """One revision of an item, as far as the rules need it. Never changed.

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

    It is made once and looked at with every record of its story, so all that follows from its versions and
    its verdict is worked out at the beginning.

    Attributes:
        versions: the last ones, at least one.
        story: the story it is in; none: in none.
        current: the newest state: the last version that is not an older one seen late.
        source: the wire's name.
        delivery: class of the source; a delivery that a newer ingest invented counts as polled.
        stamp: `published` of the newest state; none if it could not be read.
        span: the interval of that stamp, both ends in seconds since 1970.
        sight: the version that first showed it.
        behind: the seconds by which it surfaced later than it says; none if nothing can tell. Where a look
            that lacked it is known, only the time until that look counts: what came later is our doing.
        independent: a report of its own: no copy, no forward, no betting question.
        sharp: independent, and its stamp is narrow enough for a reference.
    """

    item_id: str
    versions: tuple[Version, ...]
    verdict: Verdict
    story: str | None
    current: Version = field(init=False, compare=False)
    source: str = field(init=False, compare=False)
    delivery: str = field(init=False, compare=False)
    stamp: Stamp | None = field(init=False, compare=False)
    span: tuple[float, float] | None = field(init=False, compare=False)
    sight: Version = field(init=False, compare=False)
    behind: float | None = field(init=False, compare=False)
    independent: bool = field(init=False, compare=False)
    sharp: bool = field(init=False, compare=False)

    def __post_init__(self) -> None:
        current = self.versions[-1]
        if current.late:
            current = next((v for v in reversed(self.versions) if not v.late), current)
        stamp, sight, span, behind = current.published, current, None, None
        if stamp is not None and len(self.versions) > 1:
            sight = next(v for v in self.versions if v.published and v.published.raw == stamp.raw)
        if stamp is not None and stamp.lo is not None and stamp.hi is not None:
            span = stamp.lo.timestamp(), stamp.hi.timestamp()
            if sight.witnessed:
                behind = (sight.absent or sight.observed).timestamp() - span[1]
        self.current, self.sight, self.span, self.behind = current, sight, span, behind
        self.stamp = None if span is None else stamp
        self.source = current.source
        self.delivery = "pushed" if current.delivery == "pushed" else "polled"
        self.independent = (
            self.verdict.role == "original"
            and current.kind in CLAIMS
            and not any(relation.kind == "forward_of" for relation in current.relations)
        )
        self.sharp = self.independent and span is not None and span[1] - span[0] <= SHARP_SECONDS

    @property
    def subject(self) -> Subject:
        """How a flag names it."""
        v = self.current
        return Subject(
            item_id=self.item_id, revision=v.revision, source=v.source, url=v.url, headline=v.headline
        )

    def links(self, *kinds: str) -> Iterator[Relation]:
        """Give its relations of these kinds."""
        return (relation for relation in self.current.relations if relation.kind in kinds)


class Writer:
    """Writes down what a record carries of an item.

    Judging a record and folding it write the same report, so the last one is remembered.
    """

    def __init__(self) -> None:
        self._asked: tuple[object, ...] = (None,) * 4
        self._last: Report | None = None

    def report(self, known: Report | None, carried: Deduplicated, story: str | None, at: datetime) -> Report:
        """Give an item as it is after a record, known as it was before."""
        asked = known, carried, story, at
        if self._last is None or not all(map(is_, asked, self._asked)):
            self._asked, self._last = asked, _after(known, carried, story, at)
        return self._last


def _after(known: Report | None, carried: Deduplicated, story: str | None, at: datetime) -> Report:
    version = Version.of(carried.item, at)
    before = () if known is None else known.versions
    if not version.late:
        before = tuple(v if v.text is None else replace(v, text=None) for v in before)
    return Report(carried.item.item_id, (*before, version)[-VERSIONS_KEPT:], carried.verdict, story)
