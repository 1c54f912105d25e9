"""Our events against the CloudEvents project's own package, both ways."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, cast

import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary_event, to_binary_event
from cloudevents.core.v1.event import CloudEvent
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.base import Record
from schemas.cloudevents import Event, Headers, UnreadableEvent, decode, encode, instant


class Word(Record):
    text: str


TYPES: Mapping[str, type[Record]] = {"dateline.word": Word}
NOON = datetime(2026, 7, 4, 12, 0, tzinfo=UTC)
GOOD: Mapping[str, bytes] = {
    "ce_specversion": b"1.0",
    "ce_id": b"a#1",
    "ce_source": b"/dateline/ingest/a",
    "ce_type": b"dateline.word",
    "ce_time": b"2026-07-04T12:00:00Z",
    "ce_subject": b"a",
}

words = st.text(min_size=1)
times = st.datetimes(min_value=datetime(1970, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 # naive by contract
extensions = st.dictionaries(st.sampled_from(("inputoffset", "code", "config")), st.text())


@st.composite
def events(draw: st.DrawFn) -> Event[Record]:
    return Event(
        id=draw(words),
        source=draw(words),
        type="dateline.word",
        time=draw(times),
        subject=draw(words),
        data=draw(st.builds(Word, text=st.text())),
        extensions=draw(extensions),
    )


@given(events())
@settings(max_examples=60)
def test_they_read_what_we_write(event: Event[Record]) -> None:
    headers, value = encode(event)
    assert value is not None
    theirs = from_binary_event(KafkaMessage(headers=dict(headers), key=None, value=value))
    assert theirs.get_attributes() == {
        "specversion": "1.0",
        "id": event.id,
        "source": event.source,
        "type": event.type,
        "time": event.time,
        "subject": event.subject,
        "datacontenttype": "application/json",
        "dataschema": "urn:dateline:schema:word:1",
        **event.extensions,
    }
    assert theirs.get_data() == {"text": cast("Word", event.data).text}


@given(events())
@settings(max_examples=60)
def test_we_read_what_they_write(event: Event[Record]) -> None:
    attributes: dict[str, Any] = {
        "id": event.id,
        "source": event.source,
        "type": event.type,
        "time": event.time,
        "subject": event.subject,
        "datacontenttype": "application/json",
        **event.extensions,
    }
    theirs = to_binary_event(CloudEvent(attributes, {"text": cast("Word", event.data).text}))
    assert decode(theirs.headers.items(), theirs.value, TYPES) == event


@given(events())
@settings(max_examples=60)
def test_we_read_what_we_write(event: Event[Record]) -> None:
    assert decode(*encode(event), TYPES) == event


def test_a_tombstone_has_attributes_but_no_value_and_no_content_type() -> None:
    event: Event[Record] = Event("a#1/gone", "/dateline/ingest/a", "dateline.word", NOON, "a", None)
    headers, value = encode(event)
    assert value is None
    assert "content-type" not in dict(headers)
    assert decode(headers, value, TYPES) == event
    theirs = from_binary_event(KafkaMessage(headers=dict(headers), key="a", value=b""))
    assert theirs.get_data() is None


def test_times_are_written_in_utc_with_a_z_and_read_from_any_offset() -> None:
    summer = timezone(timedelta(hours=2))
    assert instant(datetime(2026, 7, 4, 14, 0, tzinfo=summer)) == "2026-07-04T12:00:00Z"
    assert instant(NOON.replace(microsecond=1)) == "2026-07-04T12:00:00.000001Z"
    headers = {**GOOD, "ce_time": b"2026-07-04T14:00:00+02:00"}
    time = decode(headers.items(), None, TYPES).time
    assert time == NOON
    assert time.utcoffset() == timedelta(0)


@pytest.mark.parametrize("empty", ["id", "source", "type", "subject"])
def test_a_writer_may_not_leave_an_attribute_empty(empty: str) -> None:
    fields: dict[str, Any] = {"id": "a", "source": "/a", "type": "dateline.word", "subject": "a"}
    with pytest.raises(ValueError, match=empty):
        encode(Event(**{**fields, empty: ""}, time=NOON, data=None))


def test_a_writer_may_not_give_a_time_without_a_zone() -> None:
    with pytest.raises(ValueError, match="without a zone"):
        instant(NOON.replace(tzinfo=None))


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize("wrong", [None, b"", b"\xff"], ids=["null", "empty", "not UTF-8"])
def test_an_attribute_without_sense_is_named(name: str, wrong: bytes | None) -> None:
    with pytest.raises(UnreadableEvent, match=name):
        decode({**GOOD, name: wrong}.items(), b"{}", TYPES)


@pytest.mark.parametrize("name", GOOD)
def test_a_missing_attribute_is_named(name: str) -> None:
    headers = [(header, content) for header, content in GOOD.items() if header != name]
    with pytest.raises(UnreadableEvent, match=name):
        decode(headers, b"{}", TYPES)


@pytest.mark.parametrize("name", GOOD)
def test_an_attribute_that_is_there_twice_is_named(name: str) -> None:
    with pytest.raises(UnreadableEvent, match=name):
        decode([*GOOD.items(), (name, b"1.0")], b"{}", TYPES)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("ce_specversion", b"0.3"),
        ("ce_type", b"dateline.unheard"),
        ("ce_time", b"yesterday"),
        ("ce_time", b"2026-07-04T12:00:00"),
        ("ce_time", b"2026-07-04"),
        ("ce_time", b"0001-01-01T00:00:00+14:00"),
    ],
)
def test_a_malformed_attribute_is_named(name: str, content: bytes) -> None:
    with pytest.raises(UnreadableEvent, match=name):
        decode({**GOOD, name: content}.items(), b"{}", TYPES)


def test_a_reader_ignores_headers_that_are_no_attributes_and_keeps_extensions() -> None:
    headers: Headers = [*GOOD.items(), ("traceparent", b"\xff"), ("traceparent", b"2"), ("ce_code", b"c0de")]
    assert decode(headers, None, TYPES).extensions == {"code": "c0de"}


@pytest.mark.parametrize("value", [b"", b"null", b"{}", b'{"text": 1}', b'{"text": "a"', b"\xff"])
def test_data_that_do_not_fit_the_type_are_refused(value: bytes) -> None:
    with pytest.raises(ValidationError):
        decode(GOOD.items(), value, TYPES)


@given(st.lists(st.tuples(st.one_of(st.sampled_from(list(GOOD)), st.text()), st.none() | st.binary())))
@settings(max_examples=60)
def test_no_headers_whatever_raise_anything_else(noise: list[tuple[str, bytes | None]]) -> None:
    headers = {**GOOD, **dict(noise)}
    try:
        event = decode(headers.items(), None, TYPES)
    except UnreadableEvent:
        return
    assert event.data is None
