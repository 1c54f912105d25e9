"""A message in a few words: what an operator wants to see of it in one line."""

from datetime import datetime
from functools import singledispatch

from schemas.base import Record
from schemas.flag import Flag
from schemas.item import Deduplicated, Draft, Item, Look, Originals, Raw, Ruling, Verdict, VerdictChanged
from schemas.records import Baseline, Checkpoint, Control, DeadLetter, Gap, Learned, Seen
from schemas.stamp import Stamp
from schemas.story import Story, StoryChange

SHOWN = 90
"""Characters of a text."""


def printable(text: str) -> str:
    """Put a text on one line, without what could steer a terminal: it may come from anybody."""
    return "".join(each for each in " ".join(text.split()) if each.isprintable())


def beginning(text: str) -> str:
    """Give the beginning of a text on one line."""
    line = printable(text)
    return line if len(line) <= SHOWN else f"{line[:SHOWN]}…"


def title(item: Draft) -> str:
    """Give the headline of an item, or the beginning of its text."""
    return beginning(item.headline or item.text)


def stamped(stamp: Stamp | None) -> str:
    """Give a time as the source wrote it."""
    return "no stamp" if stamp is None else f"stamped {stamp.raw!r}"


def at(time: datetime | None) -> str:
    """Give a time in UTC, to the second."""
    return "never" if time is None else f"{time:%Y-%m-%d %H:%M:%S}"


@singledispatch
def telling(value: Record | None) -> str:
    """Give the most telling fields of a message; of a tombstone, that it is one."""
    return "gone" if value is None else beginning(repr(value))


@telling.register
def _(value: Item) -> str:
    status = "" if value.status == "usable" else f" {value.status}"
    return f"{value.source} r{value.revision}{status}, {stamped(value.published)}: {title(value)}"


@telling.register
def _(value: Raw) -> str:
    return f"{value.place} {value.content_type}, {len(value.body)} characters"


@telling.register
def _(value: Look) -> str:
    ill = [name for name, each in value.sources.items() if each.result != "ok"]
    named = f", not {', '.join(ill)}" if ill else ""
    return f"{len(value.sources) - len(ill)} of {len(value.sources)} sources ok{named}"


@telling.register
def _(value: Ruling) -> str:
    return " ".join(filter(None, (f"{value.by}:", value.subject, value.verdict, value.other, value.note)))


@telling.register
def _(value: Verdict) -> str:
    if value.original is None:
        return value.role
    score = "" if value.score is None else f" {value.score:.2f}"
    return f"{value.kind} {value.role}{score} of {value.original}"


@telling.register
def _(value: Deduplicated) -> str:
    return f"{value.item.source} r{value.item.revision}, {telling(value.verdict)}: {title(value.item)}"


@telling.register
def _(value: VerdictChanged) -> str:
    return f"was {telling(value.previous)}, is {telling(value.verdict)}"


@telling.register
def _(value: Originals) -> str:
    return f"page {value.page}, {len(value.item_ids)} originals"


@telling.register
def _(value: Story) -> str:
    tally = f"{value.tally.items} items, {value.tally.owners} owners"
    return f"{value.state} #{value.number}, {tally}: {beginning(value.headline)}"


@telling.register
def _(value: StoryChange) -> str:
    score = "" if value.score is None else f" {value.score:.2f}"
    what = title(value.carried.item) if value.carried else value.item_id or value.other_story_id or ""
    return f"{value.story_id or 'no story'}{score}, {beginning(value.reason)}: {what}"


@telling.register
def _(value: Flag) -> str:
    return f"{value.severity} {value.flag} {value.state}: {value.summary}"


@telling.register
def _(value: Gap) -> str:
    return f"{value.source} blind from {at(value.since)} to {at(value.until)}: {value.reason}"


@telling.register
def _(value: DeadLetter) -> str:
    return f"{value.stage}, {value.length} bytes: {beginning(value.cause)}"


@telling.register
def _(value: Checkpoint) -> str:
    return f"unit {value.unit}, looked {at(value.looked)}{', done' if value.done else ''}: {value.cursor}"


@telling.register
def _(value: Seen) -> str:
    return f"{value.source} r{value.revision} {value.status}, listed {at(value.listed)}"


@telling.register
def _(value: Learned) -> str:
    return f"until {at(value.boundary)}, fold from {value.fold_from}, {len(value.values)} values"


@telling.register
def _(value: Baseline) -> str:
    return f"until {at(value.boundary)}, {value.count} items, zone {value.zone}"


@telling.register
def _(value: Control) -> str:
    paused = ", paused" if value.paused else ""
    removed = f", removed {at(value.removed)}" if value.removed else ""
    return f"generation {value.generation}{paused}{removed}, by {value.by}"
