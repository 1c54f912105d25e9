"""What two desks made of the same items: where verdicts, stories and flags differ. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, TypeVar

from schemas.flag import Flag
from schemas.item import Verdict
from schemas.story import StoryChange

K = TypeVar("K")
V = TypeVar("V")

ItemRevision = tuple[str, int]
"""item_id, and number of the revision."""


@dataclass(frozen=True, slots=True)
class Span:
    """A span of time, in UTC: from `since` on; `until` is not in it."""

    since: datetime
    until: datetime

    def __contains__(self, time: datetime) -> bool:
        return self.since <= time < self.until


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the stages of one prefix made of the items of a span.

    Attributes:
        verdicts: of each item revision, as it arrived.
        places: the story change that carries each item revision.
        flags: by flag_id, those raised within the span, as they stand now.
    """

    verdicts: dict[ItemRevision, Verdict] = field(default_factory=dict)
    places: dict[ItemRevision, StoryChange] = field(default_factory=dict)
    flags: dict[str, Flag] = field(default_factory=dict)


class Difference(NamedTuple):
    """One thing on which they do not agree.

    Attributes:
        what: verdict, story or flag.
        kind: in which respect; missing: the shadow does not have it; new: the live topics do not.
        subject: the item revision or the flag.
        live: how it stands on the live topics, in words.
        shadow: how it stands under the shadow prefix, in words.
    """

    what: str
    kind: str
    subject: str
    live: str | None
    shadow: str | None


def differences(live: Outcome, shadow: Outcome, span: Span) -> list[Difference]:
    """List all differences: verdicts, then stories, then flags, each in the order of the live topics.

    A flag's state is compared only where the live one was not changed behind the span: what came later, the
    shadow has not seen.
    """
    found: list[Difference] = []
    for key, verdict, other_verdict in _pairs(live.verdicts, shadow.verdicts):
        kind = _by_verdict(verdict, other_verdict)
        found += _noted("verdict", kind, _named(key), _judged(verdict), _judged(other_verdict))
    for key, place, other_place in _pairs(live.places, shadow.places):
        kind = _by_place(place, other_place)
        found += _noted("story", kind, _named(key), _placed(place), _placed(other_place))
    for name, flag, other_flag in _pairs(live.flags, shadow.flags):
        found += _noted("flag", _by_flag(flag, other_flag, span), name, _told(flag), _told(other_flag))
    return found


def counted(found: Iterable[Difference]) -> dict[tuple[str, str], int]:
    """Count the differences by what and kind, in the order in which they come."""
    return dict(Counter((one.what, one.kind) for one in found))


def _pairs(live: Mapping[K, V], shadow: Mapping[K, V]) -> Iterator[tuple[K, V | None, V | None]]:
    for key in dict.fromkeys((*live, *shadow)):
        yield key, live.get(key), shadow.get(key)


def _noted(
    what: str, kind: str | None, subject: str, live: str | None, shadow: str | None
) -> list[Difference]:
    return [] if kind is None else [Difference(what, kind, subject, live, shadow)]


def _by_verdict(live: Verdict | None, shadow: Verdict | None) -> str | None:
    if live is None or shadow is None:
        return "new" if live is None else "missing"
    return _first_of(live, shadow, "role", "original", "kind", "rule")


def _by_place(live: StoryChange | None, shadow: StoryChange | None) -> str | None:
    if live is None or shadow is None:
        return "new" if live is None else "missing"
    return _first_of(live, shadow, "story_id", "change", "rule")


def _by_flag(live: Flag | None, shadow: Flag | None, span: Span) -> str | None:
    if live is None or shadow is None:
        return "new" if live is None else "missing"
    aspects = ("state", "severity", "rule") if live.changed < span.until else ("rule",)
    return _first_of(live, shadow, *aspects)


def _first_of(live: object, shadow: object, *aspects: str) -> str | None:
    """Name the first aspect in which they differ: the weightiest comes first."""
    return next((name for name in aspects if getattr(live, name) != getattr(shadow, name)), None)


def _named(key: ItemRevision) -> str:
    return f"{key[0]} r{key[1]}"


def _judged(verdict: Verdict | None) -> str | None:
    if verdict is None:
        return None
    copied = "" if verdict.original is None else f" {verdict.kind} of {verdict.original}"
    return f"{verdict.role}{copied}, {verdict.rule}"


def _placed(change: StoryChange | None) -> str | None:
    if change is None:
        return None
    return f"{change.change} {change.story_id or 'no story'}, {change.rule}: {change.reason}"


def _told(flag: Flag | None) -> str | None:
    return None if flag is None else f"{flag.severity} {flag.flag} {flag.state}, {flag.rule}: {flag.summary}"
