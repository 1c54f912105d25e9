"""JSON Schemas (2020-12) of the messages, for subscribers in any language.

A schema holds for what this version writes and for all that later ones write under the same number: fields
may be added and enumerations may grow, so neither is closed. A field is required where its model has no
default; the others are written all the same.
"""

from collections.abc import Iterable
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from schemas.base import Record, name_of
from schemas.cloudevents import dataschema
from schemas.topics import Topic

DIALECT = "https://json-schema.org/draft/2020-12/schema"
OPEN = "Open enumeration: more values may be added, so accept any string."
_FIRST = ("title", "description", "type", "properties", "required")


def schema_for(model: type[Record], version: int = 1) -> dict[str, Any]:
    """Give the JSON Schema of a message: fields in the order of the model, all else in a fixed order.

    Args:
        model: any of our records.
        version: of the topic that carries it.
    """
    body: dict[str, Any] = _described(model.model_json_schema(schema_generator=_ForReaders))
    head = {"$schema": DIALECT, "$id": dataschema(model, version).decode()}
    parts = body.pop("$defs", None)
    schema = head | {key: body[key] for key in _FIRST if key in body} | body
    return schema | {"$defs": parts} if parts else schema


def file_of(model: type[Record], version: int) -> str:
    """Give the name of the file that holds a model's schema."""
    return f"{name_of(model)}.v{version}.schema.json"


def version_of(topic: Topic) -> int:
    """Give the number that a topic's name ends in."""
    return int(topic.name.rpartition(".v")[2])


def models_of(topics: Iterable[Topic]) -> list[tuple[type[Record], int]]:
    """List what stands on the topics, a model once for each version, in order of appearance."""
    return list(
        dict.fromkeys((model, version_of(topic)) for topic in topics for model in topic.types.values())
    )


class _ForReaders(GenerateJsonSchema):
    """Leaves out what binds writers only, and titles that merely repeat a field's name."""

    def field_title_should_be_set(self, _schema: Any) -> bool:
        return False

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        exported = super().model_schema(schema)
        exported.pop("additionalProperties", None)
        return exported


def _described(node: Any) -> Any:
    """Unwrap the lines of descriptions, and say of open enumerations that they are open."""
    if isinstance(node, list):
        return [_described(each) for each in node]
    if not isinstance(node, dict):
        return node
    result = {key: _described(value) for key, value in node.items()}
    if isinstance(text := node.get("description"), str):
        result["description"] = "\n\n".join(" ".join(part.split()) for part in text.split("\n\n"))
    if "x-extensible-enum" in node:
        result["description"] = ". ".join([*filter(None, [result.get("description")]), OPEN])
    return result
