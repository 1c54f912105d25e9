"""From one line of a recording to a draft. Pure."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import from_json

from connectors.seam import Unreadable
from schemas.item import Draft, Relation
from schemas.stamp import Reading, Stamp

Line = Mapping[str, Any]
PUSHED = ("telegram", "wire")


class Forward(BaseModel):
    """The `forward` of a line."""

    source: str
    item_id: str | None = None
    date: str | None = None


class Row(BaseModel):
    """The fields of a line that mean something; others are left alone."""

    model_config = ConfigDict(coerce_numbers_to_str=True)

    id: str | None = None
    item_id: str | None = None
    event_id: str | None = None
    source: str
    text: str
    version: int | None = Field(None, ge=0)
    kind: str | None = None
    seq: int | None = None
    url: str | None = None
    title: str | None = None
    lang: str | None = None
    published_at: str | None = None
    published_raw: str | None = None
    updated_at: str | None = None
    edit_hidden: bool = False
    http_date: str | None = None
    last_modified: str | None = None
    reply_to: str | None = None
    forward: Forward | None = None


def parse(data: bytes, place: str) -> Line:
    """Read one line as a JSON object.

    Raises:
        Unreadable: it is none; the message names the place.
    """
    try:
        line = from_json(data)
    except ValueError as problem:
        raise Unreadable(f"{place}: no JSON: {problem}") from None
    if not isinstance(line, dict):
        raise Unreadable(f"{place}: a line must be a JSON object, this is {type(line).__name__}")
    return line


def normalise(data: bytes, place: str) -> Draft:
    """Make a draft of one line.

    Raises:
        Unreadable: a field is missing or of the wrong type; the message names place and field.
    """
    try:
        return draft(Row.model_validate(parse(data, place)), place)
    except ValidationError as problem:
        first = problem.errors()[0]
        field = ".".join(map(str, first["loc"])) or "line"
        raise Unreadable(f"{place}: {field}: {first['msg']}") from None


def draft(row: Row, place: str) -> Draft:
    """Make a draft of a line's fields.

    Raises:
        Unreadable: it has no id.
        pydantic.ValidationError: a field is beyond what an item may hold.
    """
    native_id = row.id or row.item_id
    if not native_id:
        raise Unreadable(f"{place}: id: a line needs `id` or `item_id`")
    return Draft(
        item_id=f"{row.source}/{native_id}",
        source=row.source,
        native_id=native_id,
        sequence=None if row.seq is None else str(row.seq),
        version=row.version,
        kind="article" if row.kind == "rss" else "post",
        delivery="pushed" if row.kind in PUSHED else "polled",
        url=row.url,
        headline=row.title,
        text=row.text,
        language=row.lang,
        published=published(row),
        revised=Stamp.parse(row.updated_at) if row.updated_at else None,
        revised_hidden=row.edit_hidden,
        responded=Stamp.parse(row.http_date) if row.http_date else None,
        modified=Stamp.parse(row.last_modified) if row.last_modified else None,
        relations=tuple(relations(row)),
        alt_ids={"event_id": row.event_id} if row.event_id else {},
    )


def published(row: Row) -> Stamp | None:
    """Read the source's own string; what the recorder made of it is another reading, never a correction.

    Only where the string cannot be read does the recorder's time stand in, marked as assumed.
    """
    if row.published_raw is None:
        return Stamp.parse(row.published_at) if row.published_at else None
    stamp = Stamp.parse(row.published_raw)
    recorder = Stamp.parse(row.published_at) if row.published_at else None
    if recorder is None or recorder.lo is None or recorder.hi is None:
        return stamp
    if stamp.lo is None or stamp.hi is None:
        assumed = {"lo": recorder.lo, "hi": recorder.hi, "precision": recorder.precision, "zone": "assumed"}
        return stamp.model_copy(update={**assumed, "zone_name": "recorder"})
    if stamp.lo <= recorder.lo and recorder.hi <= stamp.hi and stamp.zone != "none":
        return stamp
    if recorder.lo <= stamp.lo and stamp.hi <= recorder.hi:
        return stamp
    reading = Reading(lo=recorder.lo, hi=recorder.hi, reason="collector")
    return stamp.model_copy(update={"readings": (*stamp.readings, reading)})


def relations(row: Row) -> list[Relation]:
    """Give what the post refers to."""
    found = []
    if row.reply_to:
        found.append(Relation(kind="reply_to", item_id=f"{row.source}/{row.reply_to}", source=row.source))
    if row.forward:
        origin = row.forward
        found.append(
            Relation(
                kind="forward_of",
                item_id=f"{origin.source}/{origin.item_id}" if origin.item_id else None,
                source=origin.source,
                date=Stamp.parse(origin.date) if origin.date else None,
            )
        )
    return found
