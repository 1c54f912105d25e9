"""`dateline tail`: a line for each record, for people and for programs."""

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from typer.testing import CliRunner

from pipeline.cli.app import app
from pipeline.cli.tail import as_line, as_line_of_json, newest, records, topic_of
from pipeline.kafka import Admin, KafkaRecord, KafkaSettings, Producer, Reader
from schemas.base import Record
from schemas.cloudevents import Event, encode
from schemas.item import Look, SourceLook
from schemas.records import Checkpoint, Gap
from schemas.topics import CHECKPOINTS, GAPS, ITEMS, TOPICS, Topic

NOON = datetime(2026, 7, 4, 12, tzinfo=UTC)


def gap(number: int, reason: str = "quota") -> Event[Record]:
    value = Gap(gap_id=f"a/{number}", source="a", since=None, until=NOON, reason=reason)
    return Event(f"gap:{number}", "/dateline/ingest/a", "dateline.gap", NOON, f"a/{number}", value)


def record(event: Event[Record], **changes: Any) -> KafkaRecord:
    headers, value = encode(event)
    fields = {"topic": "t", "partition": 0, "offset": 7, "timestamp_ms": 0, "key": event.subject.encode()}
    return KafkaRecord(**{**fields, "value": value, "headers": headers, **changes})


def test_a_line_has_time_type_key_and_what_tells_most() -> None:
    line = as_line(record(gap(1)), GAPS)
    assert line == "2026-07-04 12:00:00  gap           a/1  a blind from never to 2026-07-04 12:00:00: quota"


def test_what_the_wire_wrote_cannot_steer_the_terminal() -> None:
    line = as_line(record(gap(1, "red \x1b[31m\r\nnew\u202e line\x9b")), GAPS)
    assert line.endswith("red [31m new line")


def test_a_tombstone_and_what_cannot_be_read_are_shown_too() -> None:
    assert as_line(record(gap(1), value=None), GAPS).endswith("  gone")
    assert as_line(record(gap(1), headers=[]), GAPS).startswith("0/7 unreadable: ")
    assert as_line(record(gap(1), value=b"\xff"), GAPS).startswith("0/7 unreadable: ")


def test_json_carries_everything() -> None:
    shown = json.loads(as_line_of_json(record(gap(1, "заряд"))))
    assert (shown["partition"], shown["offset"], shown["key"]) == (0, 7, "a/1")
    assert shown["headers"]["ce_type"] == "dateline.gap"
    assert shown["value"]["reason"] == "заряд"
    assert "заряд" in as_line_of_json(record(gap(1, "заряд")))
    shown = json.loads(as_line_of_json(record(gap(1), value=None, key=None)))
    assert (shown["key"], shown["value"]) == (None, None)
    assert json.loads(as_line_of_json(record(gap(1), value=b"no json")))["value"] == "no json"
    assert as_line_of_json(record(gap(1), value=b'"\\ud800"')).encode()


def test_a_topic_is_known_by_name_with_or_without_version_and_prefix() -> None:
    assert topic_of("items") is topic_of("items.v1") is ITEMS
    result = CliRunner().invoke(app, ["tail", "itmes"])
    assert result.exit_code == 2
    assert "items.v1" in result.output


def test_looks_name_the_sources_that_are_not_well() -> None:
    sources = {"a": SourceLook(result="ok"), "b": SourceLook(result="failed", reason="timeout")}
    value = Look(unit="main", observed=NOON, sources=sources)
    event: Event[Record] = Event("look", "/dateline/ingest/main", "dateline.look", NOON, "main", value)
    assert as_line(record(event), ITEMS).endswith("main  1 of 2 sources ok, not b")


async def write(
    settings: KafkaSettings, topic: Topic, prefix: str, events: list[tuple[int, Event[Record]]]
) -> None:
    async with Admin(settings) as admin:
        await admin.create(TOPICS, prefix)
    producer = await Producer.open(settings, f"{prefix}tail")
    try:
        for partition, event in events:
            await producer.begin()
            headers, value = encode(event)
            key = event.subject.encode()
            producer.send(topic.full(prefix), key=key, value=value, headers=headers, partition=partition)
            await producer.commit()
    finally:
        await producer.close()


def tail(kafka: str, prefix: str, *more: str) -> list[str]:
    result = CliRunner().invoke(app, ["tail", *more, "--bootstrap", kafka, "--prefix", prefix])
    assert result.exit_code == 0, result.output
    return [line.split()[3] for line in result.stdout.splitlines()]


@pytest.mark.kafka
def test_the_last_the_first_or_all_records(kafka: str, topic_prefix: str) -> None:
    settings = KafkaSettings(bootstrap_servers=kafka)
    asyncio.run(write(settings, GAPS, topic_prefix, [(0, gap(number)) for number in range(12)]))
    keys = [f"a/{number}" for number in range(12)]
    assert tail(kafka, topic_prefix, "gaps") == keys[-10:]
    assert tail(kafka, topic_prefix, f"{topic_prefix}gaps.v1", "-n", "2") == keys[-2:]
    assert tail(kafka, topic_prefix, "gaps", "-n", "0") == []
    assert tail(kafka, topic_prefix, "gaps", "--from-start") == keys
    assert tail(kafka, topic_prefix, "gaps", "--from-start", "-n", "3") == keys[:3]
    assert tail(kafka, topic_prefix, "gaps", "--from-start", "--follow", "-n", "3") == keys[:3]
    result = CliRunner().invoke(
        app, ["tail", "gaps", "--bootstrap", kafka, "--prefix", topic_prefix, "--json", "-n1"]
    )
    assert json.loads(result.stdout)["key"] == "a/11"


@pytest.mark.kafka
async def test_following_goes_on_with_what_comes(kafka: str, topic_prefix: str) -> None:
    settings = KafkaSettings(bootstrap_servers=kafka)
    await write(settings, GAPS, topic_prefix, [(0, gap(1)), (0, gap(2))])
    shown = records(settings, GAPS, topic_prefix, from_start=False, follow=True, lines=1)
    assert (await anext(shown)).key == b"a/2"
    await write(settings, GAPS, topic_prefix, [(0, gap(3))])
    assert (await anext(shown)).key == b"a/3"
    await shown.aclose()


def checkpoint(number: int) -> Event[Record]:
    value = Checkpoint(source=f"s{number}", unit="main", connector="feed/1", cursor=None, changed=NOON)
    return Event(f"c{number}", "/dateline/ingest", "dateline.checkpoint", NOON, f"s{number}", value)


@pytest.mark.kafka
async def test_the_last_of_several_partitions_come_in_the_order_of_their_arrival(
    kafka: str, topic_prefix: str
) -> None:
    settings = KafkaSettings(bootstrap_servers=kafka)
    places = [5, 1, 5, 11, 1]
    events = [(partition, checkpoint(number)) for number, partition in enumerate(places)]
    await write(settings, CHECKPOINTS, topic_prefix, events)
    reader = await Reader.open(settings, CHECKPOINTS.full(topic_prefix), range(CHECKPOINTS.partitions))
    try:
        found = await newest(reader, CHECKPOINTS.partitions, 3)
        assert [one.key for one in found] == [b"s2", b"s3", b"s4"]
        await write(settings, CHECKPOINTS, topic_prefix, [(1, checkpoint(9))])
        assert [one.key for one in await reader.fetch(max_records=10, wait_seconds=5)] == [b"s9"]
    finally:
        await reader.close()
