"""The page that tells people of the topics and of every field, made from the registry and the models."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from schemas.json_schema import OPEN, models_of, schema_for
from schemas.topics import DEFAULT_PREFIX, Topic

_DAY_MS = 86_400_000
_BOUNDS = {"minimum": "≥", "maximum": "≤"}
_INTRODUCTION = f"""\
<!-- Made by `python -m schemas.export --write` from schemas/; edits here are lost. -->

# Topics

Every name has a prefix, `{DEFAULT_PREFIX}` unless configured. Every record is a CloudEvents 1.0 event in
Kafka's binary mode: attributes are `ce_*` headers, the value is JSON. The same for machines is in
[schemas/generated](../schemas/generated): `asyncapi.yaml`, and a JSON Schema for each message.

Read with `isolation.level=read_committed`. A record whose `ce_source` and `ce_id` you have seen is a repeat.
On compacted topics a record without a value says that its key is gone.
"""
_FIELDS = """\
## Messages

Readers ignore fields they do not know. Where the type is a list of values, they are those known today; accept
others. Fields marked *required* are always there. So are the others in what is written today; a record of an
older version may lack them, and then the default holds.
"""


def page(topics: Iterable[Topic]) -> str:
    """Write the page as Markdown."""
    topics = tuple(topics)
    sections = [_INTRODUCTION, *_tables(topics), _FIELDS]
    sections += [_section(name, schema) for name, schema in _objects(topics).items()]
    return "\n".join(sections)


def _tables(topics: Iterable[Topic]) -> list[str]:
    meaning = [(f"`{t.name}`", t.sentence, t.key, _events(t)) for t in topics]
    keeping = [
        (f"`{t.name}`", str(t.partitions), _kept(t), f"{t.max_bytes:,} B", t.writer, _readers(t))
        for t in topics
    ]
    return [
        _table(("topic", "what stands there", "key", "`ce_type` and message"), meaning),
        _table(("topic", "partitions", "kept", "largest record", "writer", "readers"), keeping),
    ]


def _events(topic: Topic) -> str:
    return "<br>".join(f"`{kind}` {_link(model.__name__)}" for kind, model in topic.types.items())


def _kept(topic: Topic) -> str:
    settings = topic.settings()
    kept = ["last record of each key"] if "compact" in settings["cleanup.policy"] else []
    milliseconds = int(settings["retention.ms"])
    return ", ".join([*kept, f"{milliseconds // _DAY_MS} days" if milliseconds > 0 else "for ever"])


def _readers(topic: Topic) -> str:
    return ", ".join([*topic.readers, *(["subscribers"] if topic.public else [])])


def _objects(topics: Iterable[Topic]) -> dict[str, Mapping[str, Any]]:
    """Collect the messages, each followed by those of its parts that are not above it."""
    found: dict[str, Mapping[str, Any]] = {}
    for model, version in models_of(topics):
        schema = schema_for(model, version)
        found.setdefault(model.__name__, schema)
        for name, part in schema.get("$defs", {}).items():
            found.setdefault(name, part)
    return found


def _section(name: str, schema: Mapping[str, Any]) -> str:
    required = schema.get("required", ())
    rows = [
        (f"`{field}`", _type(node), "*required*" if field in required else _default(node), _meaning(node))
        for field, node in schema["properties"].items()
    ]
    text = schema.get("description", "")
    return f"### {name}\n\n{text}\n\n{_table(('field', 'type', 'default', 'meaning'), rows)}"


def _type(node: Mapping[str, Any]) -> str:
    if "$ref" in node:
        return _link(node["$ref"].rpartition("/")[2])
    if "anyOf" in node:
        return " or ".join(_type(each) for each in node["anyOf"])
    if "x-extensible-enum" in node:
        return ", ".join(f"`{value}`" for value in node["x-extensible-enum"])
    if node.get("type") == "array":
        return f"list of {_type(node['items'])}"
    if node.get("type") == "object" and isinstance(node.get("additionalProperties"), Mapping):
        return f"map to {_type(node['additionalProperties'])}"
    words = [str(node.get("format") or node.get("type", "any"))]
    words += [f"{sign} {node[key]}" for key, sign in _BOUNDS.items() if key in node]
    return " ".join(words)


def _default(node: Mapping[str, Any]) -> str:
    return f"`{json.dumps(node['default'])}`" if "default" in node else "empty"


def _meaning(node: Mapping[str, Any]) -> str:
    return str(node.get("description", "")).removesuffix(OPEN).removesuffix(". ")


def _link(name: str) -> str:
    return f"[{name}](#{name.lower()})"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    cells = [head, ("---",) * len(head), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |\n" for row in cells)
