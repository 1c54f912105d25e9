"""Every message: strict when written, tolerant when read, the same after a round trip."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from schemas import flag, item, records, stamp, story, topics
from schemas.base import Record
from schemas.item import Draft, Item, Verdict
from schemas.json_schema import models_of, schema_for
from schemas.stamp import Stamp
from schemas.story import StoryChange
from schemas.topics import TOPICS

Strategy = st.SearchStrategy[Any]
MODELS = [model for model, _ in models_of(TOPICS)]
NAMED: Mapping[Any, str] = {
    item: "Raw Item Look Ruling Relation Deduplicated Originals",
    stamp: "Stamp",
    story: "Story StoryChange",
    flag: "Flag",
    records: "Learned Baseline Gap DeadLetter Checkpoint Seen Control",
}
RAW_TIMES = ("2026-07-04T16:07:00+03:00", "16:07", "04/07/2026", "Sat, 04 Jul 2026 12:00:00 EST", "", "soon")
ROLES = {"ingest", "deduplicate", "cluster", "chronology", "stages", "operator"}
EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 # hypothesis wants its bounds naive
STAMPS = st.builds(
    Stamp.parse, st.sampled_from(RAW_TIMES), assumed_zone=st.sampled_from((None, "Asia/Tokyo"))
).map(lambda stamp: json.loads(stamp.dump()))
few = settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))


def documents(model: type[Record], *, news: bool = False) -> Strategy:
    """JSON documents by the exported schema; with news, full ones from a later version: more is in them."""
    schema = schema_for(model)
    return _values(schema, schema, news=news)


def _values(node: Mapping[str, Any], root: Mapping[str, Any], *, news: bool) -> Strategy:
    if "$ref" in node:
        name = node["$ref"].rpartition("/")[2]
        # What a stamp's ends have to do with each other is beyond a schema.
        return STAMPS if name == "Stamp" else _values(root["$defs"][name], root, news=news)
    if "anyOf" in node:
        branches = node["anyOf"][:1] if news else node["anyOf"]
        return st.one_of([_values(each, root, news=news) for each in branches])
    if known := node.get("x-extensible-enum"):
        return st.just("unheard_of") if news else st.sampled_from(known)
    if "properties" in node:
        return _objects(node, root, news=news)
    if part := node.get("items") or node.get("additionalProperties"):
        return _several(node["type"], {} if part is True else part, root, news=news)
    return _plain(node)


def _several(kind: str, part: Mapping[str, Any], root: Mapping[str, Any], *, news: bool) -> Strategy:
    values = _values(part, root, news=news) if part else st.none() | st.integers() | st.text(max_size=5)
    size: dict[str, Any] = {"min_size": int(news), "max_size": 2}
    return (
        st.lists(values, **size) if kind == "array" else st.dictionaries(st.text(max_size=5), values, **size)
    )


def _objects(node: Mapping[str, Any], root: Mapping[str, Any], *, news: bool) -> Strategy:
    fields = {name: _values(each, root, news=news) for name, each in node["properties"].items()}
    if news:
        return st.fixed_dictionaries({**fields, "unheard_of": st.just(1)})
    required = {name: each for name, each in fields.items() if name in node.get("required", ())}
    return st.fixed_dictionaries(required, optional={k: v for k, v in fields.items() if k not in required})


def _plain(node: Mapping[str, Any]) -> Strategy:
    low, high = node.get("minimum"), node.get("maximum")
    return {
        "date-time": st.datetimes(EPOCH, timezones=st.just(UTC)).map(datetime.isoformat),
        "string": st.text(max_size=8),
        "boolean": st.booleans(),
        "null": st.none(),
        "integer": st.integers(-(2**53) if low is None else low, 2**53 if high is None else high),
        "number": st.floats(low, high, allow_nan=False, allow_infinity=False),
    }[node.get("format", node["type"])]


def post(**fields: Any) -> Item:
    known: dict[str, Any] = {
        "item_id": "tg:1:2",
        "source": "a",
        "native_id": "2",
        "text": "Explosion reported near the port",
        "published": Stamp.parse("2026-07-04T12:00:00Z"),
        "revision": 1,
        "content_hash": "1:0",
        "via": "a",
        "connector": "telegram/1",
        "raw_id": "tg:1:2/raw",
        "observed": datetime(2026, 7, 4, 12, 0, 5, tzinfo=UTC),
    }
    return Item(**{**known, **fields})


@pytest.mark.parametrize(("module", "names"), NAMED.items(), ids=str)
def test_the_messages_are_where_their_names_say(module: Any, names: str) -> None:
    for name in names.split():
        assert issubclass(getattr(module, name), Record)


@pytest.mark.parametrize("model", MODELS)
def test_what_the_schema_allows_is_read_and_written_again_the_same(model: type[Record]) -> None:
    validator = Draft202012Validator(schema_for(model))

    @given(documents(model))
    @few
    def check(document: Any) -> None:
        read = model.read(json.dumps(document))
        written = read.dump()
        assert model.model_validate_json(written) == read
        assert model.model_validate_json(written).dump() == written
        assert not list(validator.iter_errors(json.loads(written)))

    check()


@pytest.mark.parametrize("model", MODELS)
def test_what_a_later_version_may_add_is_read_but_not_written(model: type[Record]) -> None:
    validator = Draft202012Validator(schema_for(model))

    @given(documents(model, news=True))
    @few
    def check(document: Any) -> None:
        assert not list(validator.iter_errors(document))
        with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
            model.model_validate_json(json.dumps(document))
        known = model.read(json.dumps(document)).dump()
        assert b'"unheard_of":' not in known
        if b'"unheard_of"' in known:  # as the value of an enumeration
            with pytest.raises(ValidationError, match=r"none of .* input_value='unheard_of'"):
                model.model_validate_json(known)

    check()


@pytest.mark.parametrize("model", MODELS)
def test_a_message_cannot_be_changed(model: type[Record]) -> None:
    assert model.model_config["frozen"]
    assert model.model_config["extra"] == "forbid"


def test_freezing_holds() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        post().text = "another"  # type: ignore[misc] # that is the point


@pytest.mark.parametrize("field", ["item_id", "revision", "observed"])
def test_a_reader_does_not_make_up_what_is_missing(field: str) -> None:
    document = json.loads(post().dump())
    del document[field]
    with pytest.raises(ValidationError, match=field):
        Item.read(json.dumps(document))


def test_a_time_without_a_zone_is_no_instant() -> None:
    with pytest.raises(ValidationError, match="observed"):
        post(observed=datetime(2026, 7, 4, 12, 0))  # noqa: DTZ001 # that is the point


def test_a_time_of_any_offset_is_written_in_utc() -> None:
    document = {**json.loads(post().dump()), "observed": "2026-07-04T15:00:05.250+03:00"}
    assert b'"observed":"2026-07-04T12:00:05.250000Z"' in Item.read(json.dumps(document)).dump()


def test_events_and_messages_agree_by_name() -> None:
    for topic in TOPICS:
        for kind, model in topic.types.items():
            head, _, tail = kind.removeprefix("dateline.").partition(".")
            if not tail:
                assert head == model.__name__.lower()
            elif head == "story":
                assert model is StoryChange
            else:
                assert model is (item.VerdictChanged if tail == "changed" else item.Deduplicated)


def test_every_change_and_every_role_has_its_event() -> None:
    def known(model: type[Record], field: str) -> set[str]:
        return set(schema_for(model)["properties"][field]["x-extensible-enum"])

    changes = {f"dateline.story.{change}" for change in known(StoryChange, "change")}
    assert {kind for kind in topics.STORY_CHANGES.types if ".story." in kind} == changes
    verdicts = {f"dateline.deduplicated.{role}" for role in known(Verdict, "role")}
    assert {
        kind for kind, model in topics.DEDUPLICATED.types.items() if model is item.Deduplicated
    } == verdicts


def test_an_event_means_the_same_on_every_topic() -> None:
    meanings: dict[str, type[Record]] = {}
    for topic in TOPICS:
        for kind, model in topic.types.items():
            assert meanings.setdefault(kind, model) is model


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_a_topic_has_known_roles_and_ends_somewhere(topic: topics.Topic) -> None:
    assert {*topic.writer.split(", "), *topic.readers} <= ROLES
    assert topic.compact or topic.retention_days
    assert topics.by_name(topic.name) is topics.by_name(topic.name.removesuffix(".v1")) is topic


def test_a_topic_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(KeyError, match=r"no topic 'rumours'; there are raw\.v1"):
        topics.by_name("rumours")


def test_the_content_hash_is_the_one_of_all_earlier_versions() -> None:
    reply = item.Relation(kind="reply_to", item_id="tg:1:1")
    article = post(headline="Explosion", kind="article", relations=(reply,))
    assert post().hashed() == "1:e19c3d4ee76ebd02a9fa380ed81d9805"
    assert article.hashed() == "1:a27b3419bf27a3d89370922e9e78c9b5"


@pytest.mark.parametrize(
    "unseen",
    [
        {"observed": datetime(2026, 7, 5, tzinfo=UTC)},
        {"absent": datetime(2026, 7, 5, tzinfo=UTC)},
        {"url": "https://t.me/a/2"},
        {"via": "b", "delivery": "pushed", "revision": 2, "native_id": "3"},
        {"alt_ids": {"guid": "2"}},
        {"revised": Stamp.parse("2026-07-04T13:00:00Z")},
        {"published": Stamp.parse("2026-07-04T12:00:00Z", assumed_zone="Asia/Tokyo")},
        {"headline": "", "relations": ()},
    ],
    ids=", ".join,
)
def test_the_content_hash_leaves_out_what_a_source_does_not_show(unseen: dict[str, Any]) -> None:
    assert post(**unseen).hashed() == post().hashed()


@pytest.mark.parametrize(
    "shown",
    [
        {"text": "Explosion reported near the port."},
        {"headline": "Explosion"},
        {"published": Stamp.parse("2026-07-04T12:00:01Z")},
        {"published": None},
        {"status": "withdrawn"},
        {"kind": "article"},
        {"relations": (item.Relation(kind="reply_to", item_id="tg:1:1"),)},
    ],
    ids=", ".join,
)
def test_the_content_hash_covers_what_a_source_shows(shown: dict[str, Any]) -> None:
    assert post(**shown).hashed() != post().hashed()


def test_a_draft_has_the_hash_of_its_item() -> None:
    shown = post().model_dump(include=set(Draft.model_fields))
    assert Draft(**shown).hashed() == post().hashed()
