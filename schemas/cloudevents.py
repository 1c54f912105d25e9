"""CloudEvents 1.0 in Kafka's binary mode: attributes in `ce_*` headers, the value is the data.

Source: CloudEvents Kafka Protocol Binding 1.0.2.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import cache, lru_cache
from types import MappingProxyType
from typing import Generic, NamedTuple, TypeVar

from schemas.base import Record, name_of

JSON = b"application/json"
R_co = TypeVar("R_co", bound=Record, covariant=True)
Headers = list[tuple[str, bytes]]
SPECVERSION = "1.0"
_SPECVERSION = ("ce_specversion", SPECVERSION.encode())
_CONTENT_TYPE = ("content-type", JSON)
_PREFIX = "ce_"
_NEEDED = ("specversion", "id", "source", "type", "time", "subject")
"""CloudEvents leaves time and subject to the writer; our events have them all."""


class UnreadableEvent(ValueError):
    """A Kafka record that is no event of ours; the message says what is missing or wrong."""


class Event(NamedTuple, Generic[R_co]):
    """One event.

    Attributes:
        id: deterministic; with `source` it is what a subscriber drops repeats on.
        source: URI reference of who says so.
        type: such as dateline.item.
        time: of ingest's events when we observed, of a stage's events stage time.
        subject: what it is about; the record key.
        data: the message, or none for a tombstone.
        extensions: further attributes, lower-case letters and digits.
    """

    id: str
    source: str
    type: str
    time: datetime
    subject: str
    data: R_co | None
    extensions: Mapping[str, str] = MappingProxyType({})


@lru_cache(256)  # a record's outputs, and often the records of a second, share one time
def instant(time: datetime) -> str:
    """Spell a time as RFC 3339 in UTC, with microseconds only where there are some, and Z.

    Raises:
        ValueError: it has no zone.
    """
    if time.tzinfo is None:
        raise ValueError(f"a time without a zone: {time}")
    return time.astimezone(UTC).isoformat().replace("+00:00", "Z")


@cache
def dataschema(model: type[Record], version: int = 1) -> bytes:
    """Name the exported schema of a message: the `$id` of its JSON Schema, as it stands in the header."""
    return f"urn:dateline:schema:{name_of(model)}:{version}".encode()


def encode(event: Event[Record]) -> tuple[Headers, bytes | None]:
    """Give the headers and the value of the Kafka record.

    Raises:
        ValueError: an attribute is empty, or its time has no zone.
    """
    event_id, source, kind, time, subject, data, extensions = event
    if not (event_id and source and kind and subject):
        empty = [name for name in ("id", "source", "type", "subject") if not getattr(event, name)]
        raise ValueError(f"CloudEvents allows no empty ce_{', ce_'.join(empty)}")
    headers: Headers = [
        _SPECVERSION,
        ("ce_id", event_id.encode()),
        ("ce_source", source.encode()),
        ("ce_type", kind.encode()),
        ("ce_time", instant(time).encode()),
        ("ce_subject", subject.encode()),
    ]
    if data is not None:
        headers.append(("ce_dataschema", dataschema(type(data))))
    for name, text in extensions.items():
        headers.append((_PREFIX + name, text.encode()))
    if data is None:
        return headers, None
    headers.append(_CONTENT_TYPE)
    return headers, data.dump()


def decode(
    headers: Iterable[tuple[str, bytes | None]], value: bytes | None, types: Mapping[str, type[Record]]
) -> Event[Record]:
    """Read a Kafka record.

    Args:
        headers: of the record.
        value: its bytes; none is a tombstone.
        types: the model of each `ce_type` that may occur.

    Raises:
        UnreadableEvent: an attribute is missing, empty, malformed or there twice, or the type is unknown.
        pydantic.ValidationError: the data do not fit the type's model.
    """
    attributes = _attributes(headers)
    if (version := attributes.pop("specversion")) != SPECVERSION:
        raise UnreadableEvent(f"ce_specversion: {version!r}")
    kind = attributes.pop("type")
    if kind not in types:
        raise UnreadableEvent(f"ce_type: {kind!r} is none of {', '.join(types)}")
    event_id, source, subject = (attributes.pop(name) for name in ("id", "source", "subject"))
    time = _time(attributes.pop("time"))
    attributes.pop("dataschema", None)
    data = None if value is None else types[kind].read(value)
    return Event(event_id, source, kind, time, subject, data, attributes)


def _attributes(headers: Iterable[tuple[str, bytes | None]]) -> dict[str, str]:
    attributes: dict[str, str] = {}
    for header, content in headers:
        if not header.startswith(_PREFIX):
            continue
        name = header[len(_PREFIX) :]
        if name in attributes:
            raise UnreadableEvent(f"{header} is there twice")
        try:
            attributes[name] = content.decode() if content else ""
        except UnicodeDecodeError:
            raise UnreadableEvent(f"{header} is not UTF-8") from None
    if not all(map(attributes.get, _NEEDED)):
        missing = [f"ce_{name}" for name in _NEEDED if not attributes.get(name)]
        raise UnreadableEvent(f"no {', '.join(missing)}")
    return attributes


def _time(text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
        if time.tzinfo is UTC:  # as it is in all that we wrote
            return time
        utc = time.astimezone(UTC) if time.tzinfo else None
    except (ValueError, OverflowError) as wrong:
        raise UnreadableEvent(f"ce_time: {wrong}") from None
    if utc is None:
        raise UnreadableEvent(f"ce_time: {text!r} has no zone")
    return utc
