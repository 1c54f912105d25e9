"""A subscriber who knows nothing of us but schemas/generated, and reads with clients that are not ours."""

import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from confluent_kafka import Consumer, KafkaError, TopicPartition
from jsonschema import Draft202012Validator, FormatChecker

from pipeline.demo import RECORDED_DAY
from tests import kafka_tools

pytestmark = pytest.mark.kafka

ROOT = Path(__file__).parents[2]
GENERATED = ROOT / "schemas/generated"
DOCUMENT = yaml.safe_load((GENERATED / "asyncapi.yaml").read_text())
CHANNELS: Mapping[str, Any] = DOCUMENT["channels"]
EMPTY = {"gaps.v1", "control.v1"}
"""The day has no hole that could not be filled, and nothing writes control yet."""
BAD_LINE = b'{"id": "1", "source":\n'
PREFIX = "subscriber."

FORMATS = FormatChecker(formats=())
"""Ours, because jsonschema checks a format only where a library for it happens to be installed."""


@FORMATS.checks("date-time", raises=ValueError)
def is_rfc_3339(value: object) -> bool:
    time = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)"
    return not isinstance(value, str) or bool(re.fullmatch(time, value) and datetime.fromisoformat(value))


@FORMATS.checks("uri-reference")
def is_rfc_3986(value: object) -> bool:
    return not isinstance(value, str) or bool(re.fullmatch(r"[\w.~:/?#\[\]@!$&'()*+,;=%-]+", value, re.ASCII))


@dataclass(frozen=True)
class Message:
    """One record as a foreign client gives it."""

    channel: str
    key: str
    headers: list[tuple[str, str]]
    value: bytes | None

    @property
    def attributes(self) -> dict[str, str]:
        return dict(self.headers)

    @property
    def documented(self) -> Mapping[str, Any]:
        """What the document says of its type."""
        told: Mapping[str, Any] = CHANNELS[self.channel]["messages"][self.attributes["ce_type"]]
        return told


def replayed(bootstrap: str, recording: Path) -> None:
    command = [sys.executable, "-m", "pipeline.cli", "replay", str(recording)]
    command += ["--prefix", PREFIX, "--bootstrap", bootstrap]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=150, check=False)
    assert done.returncode == 0, done.stderr


def subscribed(bootstrap: str) -> Consumer:
    return Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "stranger",
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
        }
    )


def partitions(consumer: Consumer) -> list[TopicPartition]:
    """Give all partitions of all topics with our prefix, each at its beginning."""
    topics = consumer.list_topics(timeout=10).topics.items()
    return [
        TopicPartition(name, number, 0)
        for name, topic in topics
        if name.startswith(PREFIX)
        for number in topic.partitions
    ]


def read(consumer: Consumer) -> Iterator[Message]:
    """Yield every record up to the present end of each partition."""
    places = partitions(consumer)
    consumer.assign(places)
    ends = 0
    while ends < len(places):
        message: Any = consumer.poll(10)
        assert message is not None, "a partition does not come to its end"
        if error := message.error():
            assert error.code() == KafkaError._PARTITION_EOF, error
            ends += 1
            continue
        headers = [(name, content.decode()) for name, content in message.headers()]
        channel = message.topic().removeprefix(PREFIX)
        yield Message(channel, message.key().decode(), headers, message.value())


@pytest.fixture(scope="module")
def consumer(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Consumer]:
    """A foreign client, after one replay of the recorded day and a bad line."""
    recording = tmp_path_factory.mktemp("day") / "day.jsonl"
    recording.write_bytes(RECORDED_DAY.read_bytes() + BAD_LINE)
    replayed(kafka, recording)
    consumer = subscribed(kafka)
    yield consumer
    consumer.close()


@pytest.fixture(scope="module")
def on(consumer: Consumer) -> dict[str, list[Message]]:
    """The records of each channel of the document."""
    found: dict[str, list[Message]] = {name: [] for name in CHANNELS}
    for message in read(consumer):
        found[message.channel].append(message)
    return found


def addressed(channel: Mapping[str, Any]) -> str:
    """Give the name on the broker: the document shows the prefix that an installation has by default."""
    return PREFIX + str(channel["address"]).removeprefix("dateline.")


def schema_of(message: Message) -> Mapping[str, Any]:
    """Give the exported schema that the document names for the value of this record."""
    schema: Mapping[str, Any] = json.loads((GENERATED / message.documented["payload"]["$ref"]).read_text())
    return schema


def validator(schema: Mapping[str, Any]) -> Draft202012Validator:
    return Draft202012Validator(schema, format_checker=FORMATS)


def test_the_topics_are_those_of_the_document(consumer: Consumer) -> None:
    documented = {
        addressed(channel): channel["bindings"]["kafka"]["partitions"] for channel in CHANNELS.values()
    }
    assert Counter(place.topic for place in partitions(consumer)) == documented


def test_only_these_are_empty(on: dict[str, list[Message]]) -> None:
    assert {name for name, found in on.items() if not found} == EMPTY


@pytest.mark.parametrize("name", CHANNELS)
def test_every_value_is_what_the_schema_of_its_type_says(on: dict[str, list[Message]], name: str) -> None:
    for message in on[name]:
        if message.value is not None:
            schema = schema_of(message)
            validator(schema).validate(json.loads(message.value))
            assert message.attributes["ce_dataschema"] == schema["$id"]


def test_a_value_that_is_not_would_be_found(on: dict[str, list[Message]]) -> None:
    message = on["items.v1"][0]
    value = json.loads(message.value or b"")
    for wrong in ({"observed": "4 July 2026"}, {"observed": "2026-02-30T00:00:00Z"}, {"revision": 0}):
        assert not validator(schema_of(message)).is_valid({**value, **wrong})


@pytest.mark.parametrize("name", CHANNELS)
def test_the_headers_are_cloud_events_in_binary_mode_as_documented(
    on: dict[str, list[Message]], name: str
) -> None:
    for message in on[name]:
        attributes = message.attributes
        assert len(attributes) == len(message.headers), "a header is there twice"
        traits = [each["$ref"].rpartition("/")[2] for each in message.documented["traits"]]
        known = [DOCUMENT["components"]["messageTraits"][trait]["headers"] for trait in traits]
        for schema in [message.documented["headers"], *known]:
            validator(schema).validate(attributes)
        assert set(attributes) <= {each for schema in known for each in schema["properties"]}
        assert ("content-type" in attributes) == (message.value is not None)
        assert is_rfc_3339(attributes["ce_time"])
        assert attributes["ce_specversion"] == "1.0"


@pytest.mark.parametrize("name", CHANNELS)
def test_the_key_is_what_the_document_says_and_the_subject(on: dict[str, list[Message]], name: str) -> None:
    for message in on[name]:
        assert message.attributes["ce_subject"] == message.key
        if message.value is not None:
            told = message.documented["bindings"]["kafka"]["key"]["description"]
            kind = message.attributes["ce_type"].rpartition(".")[2]
            assert message.key == documented_key(told, kind, json.loads(message.value))


def documented_key(told: str, kind: str, value: Mapping[str, Any]) -> str:
    """Do what the document tells, such as "story_id; of passed the item_id, of a look its unit"."""
    usual, _, exceptions = told.partition("; ")
    for kinds, field in re.findall(r"of (?:an? )?(.+?) (?:its|the) (\w+)", exceptions):
        if kind in kinds.split(" and "):
            return field_of(value, field)
    return "/".join(field_of(value, field) for field in usual.split("/"))


def field_of(value: Mapping[str, Any], field: str) -> str:
    """Give a field of a message, or of the item that it carries."""
    while field not in value:
        value = value["item"] if "item" in value else value["carried"]
    return str(value[field])


@pytest.mark.parametrize("name", CHANNELS)
def test_only_a_compacted_topic_has_records_without_a_value(on: dict[str, list[Message]], name: str) -> None:
    if "compact" not in CHANNELS[name]["bindings"]["kafka"]["topicConfiguration"]["cleanup.policy"]:
        assert all(message.value is not None for message in on[name])


@pytest.mark.parametrize("name", CHANNELS)
def test_source_and_id_are_there_once(on: dict[str, list[Message]], name: str) -> None:
    ids = [(message.attributes["ce_source"], message.attributes["ce_id"]) for message in on[name]]
    assert len(set(ids)) == len(ids)


def test_the_bad_line_is_the_dead_letter_and_nothing_else_is(on: dict[str, list[Message]]) -> None:
    (letter,) = (json.loads(message.value or b"") for message in on["deadletters.v1"])
    assert letter["body"].encode() == BAD_LINE.rstrip()
    assert letter["place"] == f"day.jsonl:{len(RECORDED_DAY.read_bytes().splitlines()) + 1}"


def test_kafkas_own_console_consumer_reads_the_same(kafka: str, on: dict[str, list[Message]]) -> None:
    command = kafka_tools.command("org.apache.kafka.tools.consumer.ConsoleConsumer")
    command += ["--bootstrap-server", kafka, "--topic", addressed(CHANNELS["items.v1"])]
    command += ["--from-beginning", "--isolation-level", "read_committed", "--timeout-ms", "10000"]
    command += ["--formatter-property", "print.headers=true"]
    done = subprocess.run(command, capture_output=True, timeout=100, check=False)
    lines = [line for line in done.stdout.splitlines() if line.startswith(b"ce_")]  # the tool talks, too
    assert len(lines) == len(on["items.v1"]), done.stderr
    for line, message in zip(lines, on["items.v1"], strict=True):
        headers, _, value = line.partition(b"\t")
        assert headers.decode() == ",".join(f"{name}:{content}" for name, content in message.headers)
        assert value == message.value
