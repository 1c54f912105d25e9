"""From one sight of a connector to the records it becomes: raw, item, seen, gap, dead letter. Pure."""

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple
from urllib.parse import quote

from pydantic_core import to_json

from connectors.seam import Missed, Observation, Unreadable
from pipeline.burial import CAUSE_LIMIT, CONTROLS, PLACE_LIMIT, dead_letter, encoded, fit
from pipeline.core import Output
from pipeline.ingest.again import particulars
from pipeline.ingest.revise import Judgement
from schemas.base import Record
from schemas.cloudevents import Event, Headers, encode
from schemas.item import TEXT_LIMIT_BYTES, Draft, Item, Look, Raw, SourceLook
from schemas.records import Checkpoint, DeadLetter, Gap, Seen
from schemas.topics import CHECKPOINTS, DEADLETTERS, GAPS, ITEMS, RAW, SEEN

STAMP_LIMIT = 1000
"""Characters; no time is printed longer, and stories carry the stamps of fifty members."""
RAW_LIMIT_BYTES = 1_048_576
"""Of a raw body in its JSON; what is larger becomes a dead letter with its first part."""


class Composed(NamedTuple):
    """One record to write, with its identity.

    Attributes:
        output: topic, key, type and value.
        id: its ce_id.
        time: its ce_time.
    """

    output: Output
    id: str
    time: datetime


class Packed(NamedTuple):
    """A record ready for its topic.

    Attributes:
        output: topic, key, type and value.
        event: as a CloudEvent.
        headers: of the Kafka record.
        data: its value.
    """

    output: Output
    event: Event[Record]
    headers: Headers
    data: bytes | None


@cache
def event_source(name: str, prefix: str) -> str:
    """Give the `ce_source` of what a configured source brought: a URI reference."""
    return f"/{prefix}ingest/{quote(name, safe='')}"


def pack(composed: Composed, source: str, prefix: str) -> Packed:
    """Encode a record of a configured source.

    Raises:
        ValueError: what it says cannot be written as JSON.
    """
    output = composed.output
    event: Event[Record] = Event(
        composed.id,
        event_source(source, prefix),
        output.type,
        composed.time,
        output.key,
        output.value,
    )
    headers, data = encode(event)
    return Packed(output, event, headers, data)


def check(draft: Draft, place: str) -> None:
    """Refuse what cannot be carried on, whatever is cut.

    Raises:
        Unreadable: the message names the place, the field and the limit.
    """
    if len(place) > PLACE_LIMIT:
        raise Unreadable(f"a place of {len(place)} characters; no more than {PLACE_LIMIT}: {place}")
    if CONTROLS.search(draft.item_id):
        raise Unreadable(f"{place}: an item_id with control characters: {draft.item_id!r}")
    for name in ("published", "revised", "responded", "modified"):
        stamp = getattr(draft, name)
        if stamp is not None and len(stamp.raw) > STAMP_LIMIT:
            raise Unreadable(
                f"{place}: {name}: a time of {len(stamp.raw)} characters; no more than {STAMP_LIMIT}"
            )


def fitted(draft: Draft) -> Mapping[str, Any]:
    """Give the draft's fields with the text cut to what an item may hold; the whole stays in raw."""
    fields = dict(draft.__dict__)  # not dict(draft), which asks the model for every field
    text, size = draft.text, 6 * len(draft.text)
    while size > TEXT_LIMIT_BYTES and (size := len(to_json(text))) > TEXT_LIMIT_BYTES:
        text = text[: len(text) * TEXT_LIMIT_BYTES // size]
    if len(text) < len(draft.text):
        fields.update(text=text, text_length=len(draft.text), truncated=True)
    return fields


def revision(
    draft: Draft,
    sight: Observation,
    judgement: Judgement,
    seen: Seen,
    *,
    content_hash: str,
    observed: datetime,
    received: datetime,
) -> list[Composed]:
    """Give raw, item and seen of one revision."""
    name = f"{draft.item_id}#{judgement.revision}:{content_hash[2:14]}"
    encoding, body, cut = encoded(sight.data, RAW_LIMIT_BYTES)
    raw = Raw(
        item_id=draft.item_id,
        via=seen.source,
        place=sight.place,
        content_type=sight.content_type,
        encoding=encoding,
        body=body,
        received=received,
    )
    item = Item(
        **fitted(draft),
        revision=judgement.revision,
        content_hash=content_hash,
        returned_to=judgement.returned_to,
        late=judgement.late,
        via=seen.source,
        connector=seen.connector,
        raw_id=f"{name}/raw",
        observed=observed,
        observed_assumed=sight.observed_assumed,
        absent=sight.absent,
        backlog=sight.backlog,
    )
    kept = Composed(Output(RAW, draft.item_id, "dateline.raw", raw), f"{name}/raw", received)
    return [
        oversize(sight, draft.item_id, seen.source, received) if cut else kept,
        Composed(Output(ITEMS, draft.item_id, "dateline.item", item), name, observed),
        Composed(Output(SEEN, draft.item_id, "dateline.seen", seen), f"{name}/seen", observed),
    ]


def oversize(sight: Observation, item_id: str, source: str, at: datetime) -> Composed:
    """Give the dead letter that stands in for a raw record that is too large."""
    problem = ValueError(f"raw is larger than {RAW_LIMIT_BYTES} bytes; the item itself was written")
    return unreadable(sight, source, at, problem, item_id=item_id)


def unreadable(
    sight: Observation, source: str, at: datetime, problem: Exception, *, item_id: str | None = None
) -> Composed:
    """Give the dead letter of a post that could not be normalised, with its bytes and how it was seen."""
    letter = dead_letter(
        sight.data,
        f"{source}/{sight.place}",
        "ingest",
        problem,
        at,
        place=fit(sight.place, PLACE_LIMIT),
        item_id=item_id,
        source=source,
        headers=particulars(sight),
    )
    return buried(letter, f"dead:{letter.origin}", at)


def buried(letter: DeadLetter, name: str, at: datetime) -> Composed:
    """Give the record of a dead letter, or of what became of it."""
    return Composed(Output(DEADLETTERS, letter.origin, "dateline.deadletter", letter), name, at)


def retried(letter: DeadLetter, at: datetime) -> Composed:
    """Give a letter whose post went through at last."""
    marked = letter.model_copy(update={"state": "retried", "marked": at})
    return buried(marked, f"dead:{letter.origin}/retried@{at.isoformat()}", at)


def failed_again(letter: DeadLetter, sight: Observation, at: datetime, problem: Exception) -> Composed:
    """Give a letter whose post could not be normalised once more."""
    tried = dead_letter(sight.data, "", "ingest", problem, at)
    again = letter.model_copy(
        update={
            "cause": tried.cause,
            "trace": tried.trace,
            "attempts": letter.attempts + 1,
            "headers": particulars(sight),
            "recorded": at,
            "retry_of": letter.origin,
            "state": "open",
        }
    )
    return buried(again, f"dead:{letter.origin}/{again.attempts}", at)


def gap(missed: Missed, source: str, at: datetime) -> Composed:
    """Give the gap record of a hole, or of one that was filled after all."""
    gap_id = f"{source}/{missed.until.isoformat()}"
    reason = fit(missed.reason, CAUSE_LIMIT)
    value = Gap(
        gap_id=gap_id,
        source=source,
        since=missed.since,
        until=missed.until,
        reason=reason,
        repaired=missed.repaired,
    )
    name = f"gap:{gap_id}/repaired" if missed.repaired else f"gap:{gap_id}"
    return Composed(Output(GAPS, gap_id, "dateline.gap", value), name, at)


def look(unit: str, observed: datetime, sources: Mapping[str, SourceLook]) -> Composed:
    """Give the look of a unit, for the stages' clock and for everybody downstream."""
    value = Look(unit=unit, observed=observed, sources=dict(sources))
    stamp = observed.isoformat()
    return Composed(Output(ITEMS, unit, "dateline.look", value), f"look:{unit}@{stamp}", observed)


def checkpoint(value: Checkpoint) -> Composed:
    """Give the record of where a source stands."""
    output = Output(CHECKPOINTS, value.source, "dateline.checkpoint", value)
    return Composed(output, f"checkpoint:{value.source}@{value.changed.isoformat()}", value.changed)


def memory(value: Seen, at: datetime) -> Composed:
    """Give the record of what is known of an unchanged item."""
    output = Output(SEEN, value.item_id, "dateline.seen", value)
    return Composed(output, f"seen:{value.item_id}@{at.isoformat()}", at)
