"""The AsyncAPI 3 document of our topics, made from the registry.

Sources: AsyncAPI 3.1.0; its Kafka bindings 0.5.0; CloudEvents Kafka Protocol Binding 1.0.2.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from schemas.base import Record
from schemas.json_schema import file_of, version_of
from schemas.topics import DEFAULT_PREFIX, Topic

BINDING_VERSION = "0.5.0"
NO_STAGES = {"ingest", "operator"}
"""What they write follows from no input record."""
_ABOUT = """\
Dateline listens to public wires, writes every post in one schema, says which posts repeat each other, which
tell of the same event, and which timestamps cannot be right.

Every record is a CloudEvents 1.0 event in Kafka's binary mode. Read with `isolation.level=read_committed`;
a record whose `ce_source` and `ce_id` you have seen is a repeat. Ignore fields and accept enumeration values
that you do not know. On compacted topics a record without a value says that its key is gone. An installation
may give its topics another prefix than the one shown.
"""


def document(topics: Iterable[Topic], prefix: str = DEFAULT_PREFIX) -> dict[str, Any]:
    """Describe the topics; payloads refer to the schema files, which lie in the same folder.

    Args:
        topics: all of them.
        prefix: of their names on the broker.
    """
    topics = tuple(topics)
    return {
        "asyncapi": "3.1.0",
        "info": {
            "title": "Dateline",
            "version": "1",
            "description": _ABOUT,
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {topic.name: _channel(topic, prefix) for topic in topics},
        "operations": {f"send-{topic.name}": _operation(topic) for topic in topics},
        "components": {"messageTraits": {"event": _event_trait(), "output": _output_trait()}},
    }


def _channel(topic: Topic, prefix: str) -> dict[str, Any]:
    settings: dict[str, Any] = topic.settings()
    configuration = settings | {
        "cleanup.policy": settings["cleanup.policy"].split(","),
        "retention.ms": int(settings["retention.ms"]),
        "max.message.bytes": int(settings["max.message.bytes"]),
    }
    return {
        "address": topic.full(prefix),
        "title": topic.name,
        "description": f"{topic.sentence} Written by {topic.writer}.",
        "messages": {kind: _message(topic, kind, model) for kind, model in topic.types.items()},
        "bindings": {
            "kafka": {
                "partitions": topic.partitions,
                "topicConfiguration": configuration,
                "bindingVersion": BINDING_VERSION,
            }
        },
    }


def _message(topic: Topic, kind: str, model: type[Record]) -> dict[str, Any]:
    traits = ["event"] if set(topic.writer.split(", ")) <= NO_STAGES else ["event", "output"]
    return {
        "name": kind,
        "title": model.__name__,
        "contentType": "application/json",
        "headers": {"type": "object", "properties": {"ce_type": {"const": kind}}},
        "payload": {"$ref": f"./{file_of(model, version_of(topic))}"},
        "bindings": {
            "kafka": {
                "key": {"type": "string", "description": topic.key},
                "bindingVersion": BINDING_VERSION,
            }
        },
        "traits": [{"$ref": f"#/components/messageTraits/{trait}"} for trait in traits],
    }


def _operation(topic: Topic) -> dict[str, Any]:
    channel = f"#/channels/{topic.name}"
    return {
        "action": "send",
        "channel": {"$ref": channel},
        "summary": topic.sentence,
        "messages": [{"$ref": f"{channel}/messages/{kind}"} for kind in topic.types],
    }


def _event_trait() -> dict[str, Any]:
    """Say what CloudEvents' own headers trait says, and which optional attributes we always write."""
    properties = {
        "ce_specversion": _text("of CloudEvents", const="1.0"),
        "ce_id": _text("with ce_source it names this event; a re-sent one has the same", minLength=1),
        "ce_source": _text("who says so", format="uri-reference", minLength=1),
        "ce_type": _text("what it is; the payload's schema hangs on it", minLength=1),
        "ce_time": _text(
            "of ingest's events when we observed, of a stage's events stage time", format="date-time"
        ),
        "ce_subject": _text("what it is about; equals the record key", minLength=1),
        "ce_dataschema": _text("the $id of the payload's JSON Schema; absent where there is no value"),
        "content-type": _text("of the value; absent where there is no value", const="application/json"),
        "ce_retryof": _text("origin of the dead letter that this is another try of, or that led to it"),
        "ce_attempt": _text("of what is tried again: which try it is", pattern="^[0-9]+$"),
    }
    optional = ("ce_dataschema", "content-type", "ce_retryof", "ce_attempt")
    required = [name for name in properties if name not in optional]
    return _headers("CloudEvents attributes, each a UTF-8 string.", properties, required)


def _output_trait() -> dict[str, Any]:
    properties = {
        "ce_inputoffset": _text("offset of the record that led to this one", pattern="^[0-9]+$"),
        "ce_code": _text("fingerprint of the code that decided"),
        "ce_config": _text("fingerprint of the config that it decided under"),
    }
    return _headers("Extension attributes on what a stage wrote.", properties, [])


def _headers(summary: str, properties: Mapping[str, Any], required: list[str]) -> dict[str, Any]:
    headers: dict[str, Any] = {"type": "object", "properties": properties}
    return {"summary": summary, "headers": headers | ({"required": required} if required else {})}


def _text(description: str, **constraints: object) -> dict[str, object]:
    return {"type": "string", "description": description, **constraints}
