"""CloudEvents 1.0 in Kafka's binary mode: attributes in `ce_*` headers, the value is the data.

Source: CloudEvents Kafka Protocol Binding 1.0.2.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeVar

from schemas.base import Record

JSON = b"application/json"
R = TypeVar("R", bound=Record, covariant=True)
Headers = list[tuple[str, bytes]]


class UnreadableEvent(ValueError):
    """A Kafka record that is no event of ours; the message says what is missing or wrong."""


@dataclass(frozen=True, slots=True)
class Event(Generic[R]):
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
    data: R | None
    extensions: Mapping[str, str] = field(default_factory=dict)


def instant(time: datetime) -> str:
    """Spell a UTC time as RFC 3339 with microseconds only where there are some, and Z."""
    return time.isoformat().replace("+00:00", "Z")


def encode(event: Event[Record]) -> tuple[Headers, bytes | None]:
    """Give the headers and the value of the Kafka record."""
    headers: Headers = [
        ("ce_specversion", b"1.0"),
        ("ce_id", event.id.encode()),
        ("ce_source", event.source.encode()),
        ("ce_type", event.type.encode()),
        ("ce_time", instant(event.time).encode()),
        ("ce_subject", event.subject.encode()),
    ]
    headers += [(f"ce_{name}", value.encode()) for name, value in event.extensions.items()]
    if event.data is None:
        return headers, None
    return [*headers, ("content-type", JSON)], event.data.dump()


def decode(
    headers: Iterable[tuple[str, bytes]], value: bytes | None, types: Mapping[str, type[Record]]
) -> Event[Record]:
    """Read a Kafka record.

    Args:
        headers: of the record.
        value: its bytes; none is a tombstone.
        types: the model of each `ce_type` that may occur.

    Raises:
        UnreadableEvent: an attribute is missing or malformed, or the type is unknown.
        pydantic.ValidationError: the data do not fit the type's model.
    """
    attributes = {
        name[3:]: content.decode("utf-8", "replace") for name, content in headers if name.startswith("ce_")
    }
    try:
        kind = attributes.pop("type")
        model = types[kind]
        event_id, source = attributes.pop("id"), attributes.pop("source")
        time = datetime.fromisoformat(attributes.pop("time"))
        subject = attributes.pop("subject")
    except KeyError as missing:
        raise UnreadableEvent(f"no such CloudEvents attribute or type: {missing}") from None
    except ValueError as wrong:
        raise UnreadableEvent(f"ce_time: {wrong}") from None
    attributes.pop("specversion", None)
    data = None if value is None else model.read(value)
    return Event(event_id, source, kind, time, subject, data, attributes)
