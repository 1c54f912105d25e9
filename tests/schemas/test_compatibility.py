"""Each rule of what breaks a reader, with the message it gives; and each change that breaks nothing."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from schemas import asyncapi
from schemas.compatibility import breaking, breaking_topics, main
from schemas.export import GENERATED, ROOT, files, write
from schemas.item import Item
from schemas.json_schema import models_of, schema_for
from schemas.story import StoryChange
from schemas.topics import TOPICS

TEXT = {"type": "string"}
TIME = {"type": "string", "format": "date-time"}
NULL = {"type": "null"}
STAMP = {"type": "object", "properties": {"lo": {"anyOf": [TIME, NULL]}}}
TIGHT_STAMP = {"type": "object", "properties": {"lo": TIME}}

BREAKING: Mapping[str, tuple[Any, Any, str]] = {
    "retyped": (TEXT, {"type": "integer"}, "item.f: type string became integer"),
    "null removed": ({"anyOf": [TIME, NULL]}, TIME, "item.f: type date-time|null became date-time"),
    "null removed from a list": (
        {"type": ["string", "null"]},
        TEXT,
        "item.f: type string|null became string",
    ),
    "alternative removed": (
        {"oneOf": [TEXT, {"type": "integer"}]},
        TEXT,
        "item.f: type string|integer became string",
    ),
    "number narrowed": ({"type": "number"}, {"type": "integer"}, "item.f: type number became integer"),
    "anything narrowed": ({}, TEXT, "item.f: type any became string"),
    "nothing allowed any more": (TEXT, False, "item.f: type string became nothing"),
    "format added": (TEXT, TIME, "item.f: type string became date-time"),
    "format changed": (TIME, {**TIME, "format": "date"}, "item.f: type date-time became date"),
    "value removed": (
        {**TEXT, "enum": ["a", "b"]},
        {**TEXT, "enum": ["a"]},
        'item.f: value "b" removed',
    ),
    "closed": (TEXT, {**TEXT, "enum": ["a", "b"]}, 'item.f: any value became one of "a", "b"'),
    "open one closed": (
        {**TEXT, "x-extensible-enum": ["a"]},
        {**TEXT, "enum": ["a"]},
        'item.f: any value became one of "a"',
    ),
    "constant": (TEXT, {**TEXT, "const": "a"}, 'item.f: any value became one of "a"'),
    "other constant": ({"const": 1}, {"const": True}, "item.f: value 1 removed"),
    "enumeration became a constant": (
        {**TEXT, "enum": ["a", "b"]},
        {**TEXT, "const": "a"},
        'item.f: value "b" removed',
    ),
    "known value removed": (
        {**TEXT, "x-extensible-enum": ["a", "b"]},
        {**TEXT, "x-extensible-enum": ["a", "c"]},
        'item.f: known value "b" removed',
    ),
    "minimum added": (
        {"type": "integer"},
        {"type": "integer", "minimum": 1},
        "item.f: minimum none became 1",
    ),
    "minimum raised": (
        {"type": "integer", "exclusiveMinimum": 0},
        {"type": "integer", "exclusiveMinimum": 1},
        "item.f: exclusiveMinimum 0 became 1",
    ),
    "maximum lowered": (
        {"type": "number", "maximum": 1},
        {"type": "number", "maximum": 0.5},
        "item.f: maximum 1 became 0.5",
    ),
    "shorter": ({**TEXT, "maxLength": 9}, {**TEXT, "maxLength": 8}, "item.f: maxLength 9 became 8"),
    "never empty": (TEXT, {**TEXT, "minLength": 1}, "item.f: minLength none became 1"),
    "fewer items": (
        {"type": "array", "maxItems": 9},
        {"type": "array", "maxItems": 8},
        "item.f: maxItems 9 became 8",
    ),
    "bound beside alternatives": (
        {"anyOf": [TEXT, NULL], "maxLength": 9},
        {"anyOf": [TEXT, NULL], "maxLength": 8},
        "item.f: maxLength 9 became 8",
    ),
    "pattern added": (TEXT, {**TEXT, "pattern": "^a"}, "item.f: pattern none became ^a"),
    "pattern changed": (
        {**TEXT, "pattern": "^b"},
        {**TEXT, "pattern": "^a"},
        "item.f: pattern ^b became ^a",
    ),
    "items narrowed": (
        {"type": "array", "items": {"anyOf": [TEXT, NULL]}},
        {"type": "array", "items": TEXT},
        "item.f[]: type string|null became string",
    ),
    "items given a type": (
        {"type": "array"},
        {"type": "array", "items": TEXT},
        "item.f[]: type any became string",
    ),
    "map narrowed": (
        {"type": "object", "additionalProperties": {"type": "number"}},
        {"type": "object", "additionalProperties": {"type": "integer"}},
        "item.f.*: type number became integer",
    ),
    "unknown fields refused": (
        {"type": "object"},
        {"type": "object", "additionalProperties": False},
        "item.f.*: type any became nothing",
    ),
    "nested": (STAMP, TIGHT_STAMP, "item.f.lo: type date-time|null became date-time"),
    "the nearest alternative, not the first": (
        {"anyOf": [STAMP, NULL]},
        {"anyOf": [{**TEXT}, {"type": "object", "required": ["lo", "x"]}, TIGHT_STAMP, NULL]},
        "item.f.lo: type date-time|null became date-time",
    ),
}
PASSING: Mapping[str, tuple[Any, Any]] = {
    "null added": (TEXT, {"anyOf": [TEXT, NULL]}),
    "alternative added": ({"type": ["string"]}, {"type": ["integer", "string"]}),
    "number widened": ({"type": "integer"}, {"type": "number"}),
    "anything": (TEXT, {}),
    "something": (False, TEXT),
    "format removed": (TIME, TEXT),
    "value added": ({**TEXT, "enum": ["a"]}, {**TEXT, "enum": ["b", "a"]}),
    "known value added": ({**TEXT, "x-extensible-enum": ["a"]}, {**TEXT, "x-extensible-enum": ["b", "a"]}),
    "values listed": (TEXT, {**TEXT, "x-extensible-enum": ["a"]}),
    "opened": ({**TEXT, "enum": ["a"]}, {**TEXT, "x-extensible-enum": ["a"]}),
    "bounds loosened": (
        {"type": "number", "minimum": 1, "maximum": 2},
        {"type": "number", "minimum": 0.5, "maximum": 3},
    ),
    "bounds removed": ({**TEXT, "minLength": 1, "pattern": "^a"}, TEXT),
    "items widened": ({"type": "array", "items": TEXT}, {"type": "array", "items": {"anyOf": [NULL, TEXT]}}),
    "unknown fields allowed": ({"type": "object", "additionalProperties": False}, {"type": "object"}),
    "words": (
        {**TEXT, "description": "a", "title": "A"},
        {**TEXT, "description": "b", "default": "c", "x-more": 1},
    ),
    "alternatives turned round": ({"anyOf": [TEXT, NULL]}, {"anyOf": [NULL, TEXT]}),
}


def message(field: Any, **more: Any) -> dict[str, Any]:
    return {"$id": "urn:dateline:schema:item:1", "type": "object", "properties": {"f": field}, **more}


@pytest.mark.parametrize(("old", "new", "said"), BREAKING.values(), ids=BREAKING)
def test_a_change_that_breaks_is_told_with_its_place(old: Any, new: Any, said: str) -> None:
    assert breaking(message(old), message(new)) == [said]


@pytest.mark.parametrize(("old", "new"), PASSING.values(), ids=PASSING)
def test_a_change_that_breaks_nothing_passes(old: Any, new: Any) -> None:
    assert breaking(message(old), message(new)) == []


def test_a_removed_field_breaks() -> None:
    assert breaking(message(TEXT), {**message(TEXT), "properties": {}}) == ["item.f: field removed"]


def test_a_field_that_becomes_required_breaks_and_the_other_way_round_not() -> None:
    old, new = message(TEXT), message(TEXT, required=["f"])
    assert breaking(old, new) == ["item.f: optional field became required"]
    assert breaking(new, old) == []


def test_a_new_field_breaks_only_if_it_is_required() -> None:
    new = message(TEXT, required=["g"])
    new["properties"]["g"] = TEXT
    assert breaking(message(TEXT), new) == ["item.g: new field is required"]
    assert breaking(message(TEXT), {**new, "required": []}) == []


def test_definitions_are_followed_whatever_they_are_called() -> None:
    old = message({"anyOf": [{"$ref": "#/$defs/Stamp"}, NULL]}, **{"$defs": {"Stamp": STAMP}})
    moved = message(
        {"anyOf": [NULL, {"$ref": "#/$defs/Time", "description": "x"}]}, **{"$defs": {"Time": STAMP}}
    )
    inlined = message({"anyOf": [STAMP, NULL]})
    tight = message({"anyOf": [{"$ref": "#/$defs/Stamp"}, NULL]}, **{"$defs": {"Stamp": TIGHT_STAMP}})
    assert breaking(old, moved) == []
    assert breaking(old, inlined) == []
    assert breaking(inlined, old) == []
    assert breaking(old, tight) == ["item.f.lo: type date-time|null became date-time"]


def test_a_definition_may_refer_to_itself() -> None:
    def tree(leaf: Any) -> dict[str, Any]:
        below = {"type": "array", "items": {"$ref": "#/$defs/Tree"}}
        node = {"type": "object", "properties": {"below": below, "leaf": leaf}}
        return message({"$ref": "#/$defs/Tree"}, **{"$defs": {"Tree": node}})

    assert breaking(tree(TEXT), tree(TEXT)) == []
    assert breaking(tree(TEXT), tree(TIME)) == ["item.f.leaf: type string became date-time"]


@pytest.mark.parametrize("model", [model for model, _ in models_of(TOPICS)])
def test_our_schemas_agree_with_themselves(model: Any) -> None:
    assert breaking(schema_for(model), schema_for(model)) == []


def test_a_change_deep_in_a_real_schema_is_found_wherever_it_shows() -> None:
    new = schema_for(StoryChange)
    new["$defs"]["Stamp"]["properties"]["lo"] = {"type": "string", "format": "date-time"}
    times = ("published", "revised", "responded", "modified", "relations[].date")
    place = "story-change.carried.item"
    told = [f"{place}.{time}.lo: type date-time|null became date-time" for time in times]
    assert sorted(breaking(schema_for(StoryChange), new)) == sorted(told)


def test_a_subscriber_misses_topics_events_partitions_and_payloads() -> None:
    old = asyncapi.document(TOPICS)
    new = yaml.safe_load(yaml.safe_dump(asyncapi.document(TOPICS)))
    assert breaking_topics(old, new) == []
    del new["channels"]["gaps.v1"]
    new["channels"]["raw.v1"]["bindings"]["kafka"]["partitions"] = 24
    messages = new["channels"]["items.v1"]["messages"]
    del messages["dateline.look"]
    messages["dateline.item"]["payload"] = {"$ref": "./post.v1.schema.json"}
    assert breaking_topics(old, new) == [
        "raw.v1: partitions 12 became 24",
        "items.v1: event dateline.item: ./item.v1.schema.json became ./post.v1.schema.json",
        "items.v1: event dateline.look removed",
        "gaps.v1: topic removed",
    ]
    del old["channels"]["gaps.v1"]
    assert breaking_topics(old, asyncapi.document(TOPICS)) == []


def git(root: Path, *arguments: str) -> None:
    program = shutil.which("git")
    assert program
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false")
    subprocess.run([program, "-C", str(root), *identity, *arguments], check=True, capture_output=True)


@pytest.fixture(autouse=True)
def _no_other_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a hook of git's its variables name the repository, and win over where we are."""
    for name in [each for each in os.environ if each.startswith("GIT_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    git(tmp_path, "init", "--quiet")
    write(tmp_path)
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "-m", "first")
    return tmp_path


def test_the_files_are_compared_with_those_of_a_commit(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = checkout / GENERATED / "item.v1.schema.json"
    schema = schema_for(Item)
    del schema["properties"]["late"]
    path.write_text(json.dumps(schema), "utf-8")
    (checkout / GENERATED / "gap.v1.schema.json").unlink()
    (checkout / GENERATED / "new.v1.schema.json").write_text("{}", "utf-8")
    assert main(["--against", "HEAD"], checkout) == 1
    assert capsys.readouterr().out.splitlines() == [
        f"breaks readers: {GENERATED}/gap.v1.schema.json: file removed",
        "breaks readers: item.late: field removed",
    ]


def test_unchanged_files_pass(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([], checkout) == 0
    assert capsys.readouterr().out == ""


def test_topics_are_compared_too(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = checkout / GENERATED / "asyncapi.yaml"
    path.write_bytes(files()[f"{GENERATED}/asyncapi.yaml"].replace(b"partitions: 12", b"partitions: 6"))
    assert main([], checkout) == 1
    assert "breaks readers: raw.v1: partitions 12 became 6" in capsys.readouterr().out


def test_without_a_history_nothing_is_compared_and_that_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--against", "HEAD"], tmp_path) == 0
    assert "nothing to compare with" in capsys.readouterr().out


def test_a_commit_that_does_not_exist_is_an_error(checkout: Path) -> None:
    assert main(["--against", "v0.0.0"], checkout) == 2


def test_without_git_nothing_is_compared(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "")
    assert main([], ROOT) == 0
    assert "nothing to compare with" in capsys.readouterr().out
