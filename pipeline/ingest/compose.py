"""From one sight of a connector to the records it becomes: raw, item, seen, gap, dead letter. Pure."""

import base64
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from connectors.seam import Missed, Observation
from pipeline.core import Output
from pipeline.ingest.revise import Judgement
from schemas.base import Record
from schemas.cloudevents import Event
from schemas.item import TEXT_LIMIT_BYTES, Draft, Item, Look, Raw, SourceLook
from schemas.records import Checkpoint, DeadLetter, Gap, Seen
from schemas.topics import CHECKPOINTS, DEADLETTERS, GAPS, ITEMS, RAW, SEEN

RAW_LIMIT_BYTES = 1_048_576
"""Encoded size of a raw record; what is larger becomes a dead letter with its first part."""
DEAD_LIMIT_BYTES = 3_000_000


@dataclass(frozen=True, slots=True)
class Composed:
    """One record to write, with its identity.

    Attributes:
        output: topic, key, type and value.
        id: its ce_id.
        time: its ce_time.
    """

    output: Output
    id: str
    time: datetime


def event_source(name: str) -> str:
    """Give the `ce_source` of what a configured source brought: a URI reference."""
    return f"/dateline/ingest/{quote(name, safe='')}"


def encoded(data: bytes) -> tuple[str, str]:
    """Give bytes as (encoding, text): as they are if they are UTF-8, else base64."""
    try:
        return "utf-8", data.decode()
    except UnicodeDecodeError:
        return "base64", base64.b64encode(data).decode()


def fitted(draft: Draft) -> Mapping[str, Any]:
    """Give the draft's fields with the text cut to what an item may hold; the whole stays in raw."""
    fields = dict(draft)
    data = draft.text.encode()
    if len(data) > TEXT_LIMIT_BYTES:
        cut = data[:TEXT_LIMIT_BYTES].decode(errors="ignore")
        fields.update(text=cut, text_length=len(draft.text), truncated=True)
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
    encoding, body = encoded(sight.data)
    raw = Raw(
        item_id=draft.item_id,
        via=seen.source,
        place=sight.place,
        content_type=sight.content_type,
        encoding=encoding,
        body=body,
        received=received,
    )
    item = Item.model_construct(  # every field was validated in the draft or is made here
        **fitted(draft),
        revision=judgement.revision,
        hash=content_hash,
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
    whole = len(body.encode()) <= RAW_LIMIT_BYTES
    dead = None if whole else oversize(sight, draft.item_id, seen.source, received)
    kept = Output(RAW, draft.item_id, "dateline.raw", raw)
    return [
        Composed(kept, f"{name}/raw", received) if dead is None else dead,
        Composed(Output(ITEMS, draft.item_id, "dateline.item", item), name, observed),
        Composed(Output(SEEN, draft.item_id, "dateline.seen", seen), f"{name}/seen", observed),
    ]


def _dead(letter: DeadLetter) -> Composed:
    return Composed(
        Output(DEADLETTERS, letter.origin, "dateline.deadletter", letter), f"dead:{letter.origin}", letter.at
    )


def _letter(sight: Observation, source: str, at: datetime, **fields: Any) -> Composed:
    encoding, body = encoded(sight.data[:DEAD_LIMIT_BYTES])
    letter = DeadLetter(
        origin=f"{source}/{sight.place}",
        stage="ingest",
        place=sight.place,
        encoding=encoding,
        body=body[:DEAD_LIMIT_BYTES],
        truncated=len(sight.data) > DEAD_LIMIT_BYTES or len(body) > DEAD_LIMIT_BYTES,
        length=len(sight.data),
        at=at,
        **fields,
    )
    return _dead(letter)


def oversize(sight: Observation, item_id: str, source: str, at: datetime) -> Composed:
    """Give the dead letter that stands in for a raw record that is too large."""
    cause = f"raw is larger than {RAW_LIMIT_BYTES} bytes; the item itself was written"
    return _letter(sight, source, at, cause=cause, item_id=item_id)


def unreadable(sight: Observation, source: str, at: datetime, problem: Exception) -> Composed:
    """Give the dead letter of a post that could not be normalised, with its bytes and its place."""
    trace = "".join(traceback.format_exception(problem))
    return _letter(sight, source, at, cause=f"{type(problem).__name__}: {problem}", trace=trace)


def gap(missed: Missed, source: str, at: datetime) -> Composed:
    """Give the gap record of a hole that cannot be filled."""
    gap_id = f"{source}/{missed.until.isoformat()}"
    value = Gap(gap_id=gap_id, source=source, since=missed.since, until=missed.until, reason=missed.reason)
    return Composed(Output(GAPS, gap_id, "dateline.gap", value), f"gap:{gap_id}", at)


def look(unit: str, observed: datetime, sources: Mapping[str, SourceLook]) -> Composed:
    """Give the look of a unit, for the stages' clock and for everybody downstream."""
    value = Look(unit=unit, observed=observed, sources=dict(sources))
    stamp = observed.isoformat()
    return Composed(Output(ITEMS, unit, "dateline.look", value), f"look:{unit}@{stamp}", observed)


def checkpoint(value: Checkpoint) -> Composed:
    """Give the record of where a source stands."""
    output = Output(CHECKPOINTS, value.source, "dateline.checkpoint", value)
    return Composed(output, f"checkpoint:{value.source}@{value.changed.isoformat()}", value.changed)


def event(composed: Composed, source: str) -> Event[Record]:
    """Give a composed record as the event that goes to Kafka."""
    output = composed.output
    return Event(composed.id, event_source(source), output.type, composed.time, output.key, output.value)


def memory(value: Seen, at: datetime) -> Composed:
    """Give the record of what is known of an unchanged item."""
    output = Output(SEEN, value.item_id, "dateline.seen", value)
    return Composed(output, f"seen:{value.item_id}@{at.isoformat()}", at)
