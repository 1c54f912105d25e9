"""What subscribers read of us is current, is what the standards say, and holds for what we write."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator, Draft202012Validator

from schemas import asyncapi, topics_page
from schemas.base import name_of
from schemas.cloudevents import Event, encode
from schemas.export import GENERATED, ROOT, files, main, schema_for, stale, write
from schemas.item import Item, Verdict
from schemas.json_schema import OPEN, file_of, models_of
from schemas.records import Gap
from schemas.stamp import Stamp
from schemas.story import StoryChange
from schemas.topics import TOPICS, Topic

MODELS = [model for model, _ in models_of(TOPICS)]
NOON = datetime(2026, 7, 4, 12, 0, tzinfo=UTC)
GAP = Gap(gap_id="a/1", source="a", since=None, until=NOON, reason="first look")


def nodes(part: Any) -> Iterator[Mapping[str, Any]]:
    """All objects in a document, the outermost first."""
    if isinstance(part, dict):
        yield part
        for each in part.values():
            yield from nodes(each)
    elif isinstance(part, list):
        for each in part:
            yield from nodes(each)


@pytest.fixture
def document() -> dict[str, Any]:
    return asyncapi.document(TOPICS)


def test_the_committed_files_are_current() -> None:
    assert stale(ROOT) == [], "run python -m schemas.export --write"


def test_another_process_makes_the_same_bytes() -> None:
    check = [sys.executable, "-m", "schemas.export", "--check"]
    done = subprocess.run(
        check, cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": "1"}, capture_output=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, b"")


def test_files_end_in_one_newline() -> None:
    assert all(content.endswith(b"\n") and not content.endswith(b"\n\n") for content in files().values())


def test_a_check_lists_what_is_missing_changed_or_left_over_and_writing_repairs_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert write(tmp_path) == sorted(files())
    (tmp_path / "docs/topics.md").unlink()
    (tmp_path / GENERATED / "item.v1.schema.json").write_text("{}\n", "utf-8")
    (tmp_path / GENERATED / "rumour.v1.schema.json").write_text("{}\n", "utf-8")
    wrong = ["docs/topics.md", f"{GENERATED}/item.v1.schema.json", f"{GENERATED}/rumour.v1.schema.json"]
    assert main(["--check"], tmp_path) == 1
    assert capsys.readouterr().out.splitlines() == [f"stale: {path}" for path in wrong]
    assert main(["--write"], tmp_path) == 0
    assert capsys.readouterr().out.splitlines() == [f"wrote: {path}" for path in wrong]
    assert main(["--check"], tmp_path) == 0
    assert stale(tmp_path) == []


def test_there_is_a_file_for_each_message_on_each_topic() -> None:
    made = {Path(path).name for path in files()}
    assert {file_of(model, 1) for topic in TOPICS for model in topic.types.values()} <= made
    assert name_of(StoryChange) == "story-change"


@pytest.mark.parametrize("model", MODELS)
def test_a_schema_is_one_by_the_standard_and_closes_nothing(model: Any) -> None:
    schema = schema_for(model)
    Draft202012Validator.check_schema(schema)
    assert schema["$id"] == f"urn:dateline:schema:{name_of(model)}:1"
    assert schema["title"] == model.__name__
    for node in nodes(schema):
        assert node.get("additionalProperties") is not False
        assert "enum" not in node
        assert "const" not in node


@pytest.mark.parametrize("model", MODELS)
def test_fields_are_required_that_have_no_default_and_come_in_the_order_of_the_model(model: Any) -> None:
    schema = schema_for(model)
    assert schema["required"] == [name for name, field in model.model_fields.items() if field.is_required()]
    assert list(schema["properties"]) == list(model.model_fields)


@pytest.mark.parametrize("model", [*MODELS, Verdict, Stamp])
def test_an_open_enumeration_says_so(model: Any) -> None:
    for node in nodes(schema_for(model)):
        if "x-extensible-enum" in node:
            assert node["description"].endswith(OPEN)
            assert node["type"] == "string"


def test_fields_keep_their_own_description_in_front_and_their_kind() -> None:
    properties = schema_for(Verdict)["properties"]
    assert properties["role"]["description"] == f"copy: this item repeats another one. {OPEN}"
    assert properties["role"]["x-extensible-enum"] == ["original", "copy"]
    assert properties["number"]["minimum"] == 1
    assert schema_for(Item)["properties"]["observed"]["format"] == "date-time"


def test_a_later_version_of_a_model_has_its_own_id_and_file() -> None:
    assert schema_for(Item, 2)["$id"] == "urn:dateline:schema:item:2"
    assert file_of(Item, 2) == "item.v2.schema.json"
    two = Topic(name="items.v2", sentence="", key="", types={"dateline.item": Item}, writer="ingest")
    assert models_of([two]) == [(Item, 2)]


def test_the_document_is_asyncapi(document: dict[str, Any]) -> None:
    standard = json.loads(Path(__file__).with_name("asyncapi-3.1.0.schema.json").read_text("utf-8"))
    validator = Draft7Validator(standard)
    assert list(validator.iter_errors(document)) == []
    document["operations"]["send-raw.v1"]["action"] = "shout"
    assert list(validator.iter_errors(document)) != []


def test_the_file_holds_the_whole_document(document: dict[str, Any]) -> None:
    assert yaml.safe_load(files()[f"{GENERATED}/asyncapi.yaml"]) == document


def test_the_document_tells_of_each_topic_what_the_registry_knows(document: dict[str, Any]) -> None:
    assert list(document["channels"]) == [topic.name for topic in TOPICS]
    for topic in TOPICS:
        channel = document["channels"][topic.name]
        assert channel["address"] == f"dateline.{topic.name}"
        payloads = {kind: each["payload"]["$ref"] for kind, each in channel["messages"].items()}
        assert payloads == {kind: f"./{file_of(model, 1)}" for kind, model in topic.types.items()}
        kafka = channel["bindings"]["kafka"]
        assert kafka["partitions"] == topic.partitions
        told = kafka["topicConfiguration"]
        policy = ",".join(told.pop("cleanup.policy"))
        assert {"cleanup.policy": policy, **{k: str(v) for k, v in told.items()}} == topic.settings()


def test_every_reference_in_the_document_leads_somewhere(document: dict[str, Any]) -> None:
    made = files()
    for reference in [node["$ref"] for node in nodes(document) if "$ref" in node]:
        if reference.startswith("./"):
            assert f"{GENERATED}/{reference[2:]}" in made
            continue
        target: Any = document
        for part in reference.removeprefix("#/").split("/"):
            target = target[part]


def test_we_only_send_and_each_topic_once(document: dict[str, Any]) -> None:
    operations = document["operations"].values()
    assert {each["action"] for each in operations} == {"send"}
    assert [each["channel"]["$ref"] for each in operations] == [
        f"#/channels/{topic.name}" for topic in TOPICS
    ]


@pytest.mark.parametrize("data", [GAP, None], ids=["a message", "a tombstone"])
def test_the_headers_that_we_write_are_those_of_the_document(
    document: dict[str, Any], data: Gap | None
) -> None:
    extensions = {"inputoffset": "12", "code": "c0de", "config": "f00d"}
    extensions |= {"retryof": "dateline.items.v1/0/3@0123456789ab", "attempt": "2"}
    written, _ = encode(Event("a/1", "/dateline/ingest/a", "dateline.gap", NOON, "a/1", data, extensions))
    headers = {name: content.decode() for name, content in written}
    known = set()
    for trait in document["components"]["messageTraits"].values():
        Draft202012Validator(trait["headers"]).validate(headers)
        known |= set(trait["headers"]["properties"])
        for name in trait["headers"].get("required", ()):
            less = {key: value for key, value in headers.items() if key != name}
            assert not Draft202012Validator(trait["headers"]).is_valid(less)
    assert known - set(headers) <= {"content-type", "ce_dataschema"}


@pytest.mark.parametrize(
    ("topic", "known"),
    [("items.v1", ["event"]), ("deduplicated.v1", ["event", "output"]), ("flags.v1", ["event", "output"])],
)
def test_what_a_stage_wrote_carries_where_it_came_from(
    document: dict[str, Any], topic: str, known: list[str]
) -> None:
    for message in document["channels"][topic]["messages"].values():
        assert [trait["$ref"].rpartition("/")[2] for trait in message["traits"]] == known


def test_another_prefix_changes_addresses_and_nothing_else() -> None:
    plain, other = asyncapi.document(TOPICS), asyncapi.document(TOPICS, "replay.")
    assert other["channels"]["items.v1"]["address"] == "replay.items.v1"
    for document in (plain, other):
        for channel in document["channels"].values():
            del channel["address"]
    assert plain == other


def test_the_page_has_every_topic_event_and_field_and_its_links_lead_somewhere() -> None:
    page = topics_page.page(TOPICS)
    headings = {heading.lower() for heading in re.findall(r"^### (\w+)$", page, re.MULTILINE)}
    assert set(re.findall(r"\(#(\w+)\)", page)) <= headings
    for topic in TOPICS:
        assert f"| `{topic.name}` | {topic.sentence} |" in page
        for kind, model in topic.types.items():
            assert f"`{kind}` [{model.__name__}](#{model.__name__.lower()})" in page
            section = page.partition(f"### {model.__name__}\n")[2].partition("\n### ")[0]
            assert re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE) == list(model.model_fields)


@pytest.mark.parametrize(
    "row",
    [
        "| `raw.v1` | 12 | 30 days | 2,097,152 B | ingest | subscribers |",
        "| `learned.v1` | 1 | last record of each key, for ever | 1,048,576 B | stages | stages |",
        "| `deadletters.v1` | 1 | 30 days | 4,194,304 B | ingest, stages, operator | ingest, stages, subscribers |",  # noqa: E501  # a line of the page
        "| `published` | [Stamp](#stamp) or null | `null` | first published, by the source's word |",
        "| `weight` | number ≥ 0 ≤ 1 | *required* | share among the hypotheses listed; not a probability |",
        "| `zones` | list of string | `[]` | IANA names that use this offset on that date |",
        "| `sources` | map to [SourceLook](#sourcelook) | *required* | by configured name |",
        "| `alt_ids` | map to string | empty | other ids by kind, such as guid |",
        '| `encoding` | `utf-8`, `base64` | `"utf-8"` | of `body` |',
    ],
)
def test_a_row_of_the_page(row: str) -> None:
    assert row in topics_page.page(TOPICS).splitlines()
