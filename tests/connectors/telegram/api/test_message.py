"""From the API's messages to posts: what a message says, and what it does not."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.seam import Unreadable
from connectors.telegram.api.message import Entity, piece, post_of, version_of
from connectors.telegram.gone import gone_bytes, gone_of
from connectors.telegram.post import draft_of

SAMPLES = Path(__file__).parents[5] / "shared/samples/telegram"
CHANNEL = {"id": 77, "name": "Wire"}


def message(number: int = 5, text: str | None = "The ferry is late.", **fields: Any) -> dict[str, Any]:
    plain = {"_": "Message", "id": number, "date": "2026-07-04T21:08:00+00:00", "message": text}
    return {**plain, "peer_id": {"_": "PeerChannel", "channel_id": 77}, "edit_hide": False, **fields}


def envelope(*messages: dict[str, Any], **fields: Any) -> bytes:
    return json.dumps(
        {"layer": 229, "channel": CHANNEL, "messages": messages, "way": "poll", **fields}
    ).encode()


def test_a_plain_message() -> None:
    draft = draft_of(post_of(envelope(message()), "t"))
    assert (draft.item_id, draft.native_id, draft.sequence) == ("telegram/77/5", "5", "5")
    assert (draft.text, draft.kind, draft.status) == ("The ferry is late.", "post", "usable")
    assert (draft.source, draft.url) == ("Wire", "https://t.me/Wire/5")
    assert draft.published is not None
    assert draft.published.raw == "2026-07-04T21:08:00+00:00"
    assert (draft.revised, draft.version, draft.delivery) == (None, 0, "polled")


def test_a_push_is_told_and_is_the_same_content() -> None:
    pushed = draft_of(post_of(envelope(message(), way="push"), "t"))
    assert pushed.delivery == "pushed"
    assert pushed.hashed() == draft_of(post_of(envelope(message()), "t")).hashed()


def test_views_reactions_and_a_hidden_edit_are_no_other_content() -> None:
    edited = message(views=12, reactions={"_": "MessageReactions"}, edit_date="2026-07-04T21:20:00+00:00")
    post = post_of(envelope({**edited, "edit_hide": True}), "t")
    assert post.edited == "2026-07-04T21:20:00+00:00"
    assert post.edited_hidden
    assert draft_of(post).hashed() == draft_of(post_of(envelope(message()), "t")).hashed()


def test_an_album_is_one_post_by_its_lowest_id_whatever_the_order() -> None:
    parts = [message(number, "caption" if number == 8 else "", grouped_id=99) for number in (9, 7, 8)]
    post = post_of(envelope(*parts), "t")
    assert (post.messages, post.text, post.group) == ((7, 8, 9), "caption", "99")
    draft = draft_of(post)
    assert draft.item_id == "telegram/77/7"
    assert [one.item_id for one in draft.relations] == ["telegram/77/8", "telegram/77/9"]


def test_a_forward_names_its_channel_and_post() -> None:
    peer = {"_": "PeerChannel", "channel_id": 3}
    header = {
        "_": "MessageFwdHeader",
        "date": "2026-07-04T20:00:00+00:00",
        "from_id": peer,
        "channel_post": 9,
    }
    post = post_of(envelope(message(fwd_from=header), chats={"3": "origin"}), "t")
    assert post.origin is not None
    assert (post.origin.name, post.origin.channel, post.origin.message) == ("origin", 3, 9)
    (relation,) = draft_of(post).relations
    assert (relation.kind, relation.item_id, relation.source) == ("forward_of", "telegram/3/9", "origin")


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ({"from_name": "Hidden Person"}, "Hidden Person"),
        ({"from_id": {"_": "PeerUser", "user_id": 8}}, "8"),
        ({"from_id": {"_": "PeerUser", "user_id": 8}, "from_name": "N"}, "N"),
        ({}, ""),
    ],
)
def test_an_origin_that_is_hidden_is_what_is_shown_of_it(header: dict[str, Any], name: str) -> None:
    post = post_of(envelope(message(fwd_from={"_": "MessageFwdHeader", **header})), "t")
    assert post.origin is not None
    assert (post.origin.name, post.origin.message) == (name, None)
    draft_of(post)


def test_a_reply_is_one_in_this_channel() -> None:
    here = {"_": "MessageReplyHeader", "reply_to_msg_id": 4}
    there = {**here, "reply_to_peer_id": {"_": "PeerChannel", "channel_id": 78}}
    same = {**here, "reply_to_peer_id": {"_": "PeerChannel", "channel_id": 77}}
    story = {"_": "MessageReplyStoryHeader", "peer": {"_": "PeerChannel", "channel_id": 77}, "story_id": 4}
    found = [post_of(envelope(message(reply_to=one)), "t").reply_to for one in (here, there, same, story)]
    assert found == [4, None, 4, None]


def test_links_are_what_words_lead_to_and_the_preview_in_their_order() -> None:
    text = "🇧🇷 see here or example.org/x or https://a.example/ 🇧🇷"
    entities = [
        {"_": "MessageEntityBold", "offset": 0, "length": 4},
        {"_": "MessageEntityTextUrl", "offset": 9, "length": 4, "url": "https://b.example/"},
        {"_": "MessageEntityUrl", "offset": 17, "length": 13},
        {"_": "MessageEntityUrl", "offset": 34, "length": 18},
    ]
    media = {"_": "MessageMediaWebPage", "webpage": {"_": "WebPage", "url": "https://b.example/"}}
    post = post_of(envelope(message(text=text, entities=entities, media=media)), "t")
    assert post.links == ("https://b.example/", "http://example.org/x", "https://a.example/")


def test_a_poll_is_its_question_and_answers_each_on_a_line() -> None:
    def words(text: str) -> dict[str, Any]:
        return {"_": "TextWithEntities", "text": text, "entities": []}

    answers = [{"_": "PollAnswer", "text": words(text), "option": "MQ=="} for text in ("Yes", "No")]
    poll = {"_": "Poll", "question": words("Is it late?"), "answers": answers}
    post = post_of(envelope(message(text="", media={"_": "MessageMediaPoll", "poll": poll})), "t")
    assert post.text == "Is it late?\nYes\nNo"


def test_what_a_channel_says_of_itself_is_an_item_without_text() -> None:
    action = {"_": "MessageActionPinMessage"}
    pinned = {"_": "MessageService", "id": 6, "date": "2026-07-04T21:08:00+00:00", "action": action}
    pinned["reply_to"] = {"_": "MessageReplyHeader", "reply_to_msg_id": 5}
    draft = draft_of(post_of(envelope(pinned), "t"))
    assert (draft.kind, draft.text, draft.relations) == ("service", "", ())


@pytest.mark.parametrize(
    ("platform", "status"), [("all", "withheld"), ("ios", "usable"), ("android", "usable")]
)
def test_withheld_is_what_nobody_is_shown(platform: str, status: str) -> None:
    reason = {"_": "RestrictionReason", "platform": platform, "reason": "terms", "text": "No."}
    assert post_of(envelope(message(restriction_reason=[reason])), "t").status == status


def test_a_message_without_words_is_still_a_post() -> None:
    assert draft_of(post_of(envelope(message(text=None, date=None)), "t")).text == ""


def test_a_channel_without_a_public_name() -> None:
    draft = draft_of(post_of(envelope(message(), channel={"id": 77, "name": ""}), "t"))
    assert (draft.source, draft.url) == ("77", "https://t.me/c/77/5")


def test_a_deletion_is_a_withdrawn_item_with_the_same_identity() -> None:
    data = gone_bytes([7, 8], 77, "Wire", datetime(2026, 7, 4, 22, tzinfo=UTC))
    draft = draft_of(gone_of(data, "t"))
    assert (draft.item_id, draft.status, draft.text, draft.published) == (
        "telegram/77/7",
        "withdrawn",
        "",
        None,
    )


CORRUPT = {
    "no json": (b"{", "no JSON"),
    "not utf-8": (b"\xff\xfe", "no JSON"),
    "half a surrogate": (b'{"a": "\\ud83d"}', "no JSON"),
    "too deep": (b"[" * 5000, "no JSON"),
    "an array": (b"[]", "message: Input should be"),
    "no messages": (envelope(), "messages: List should have at least 1"),
    "no channel": (b'{"messages": []}', "channel: Field required"),
    "id of a wrong type": (envelope(message("x")), "messages.0.id: "),  # type: ignore[arg-type]
    "text is a list": (envelope(message(text=[])), "messages.0.message: "),  # type: ignore[arg-type]
    "an empty message": (envelope({"_": "MessageEmpty", "id": 5}), "messages: MessageEmpty is no message"),
    "another object": (envelope({"id": 5}), "messages: an object without a type is no message"),
}


@pytest.mark.parametrize("case", CORRUPT)
def test_what_is_no_message_is_told_by_place_and_field(case: str) -> None:
    data, words = CORRUPT[case]
    with pytest.raises(Unreadable) as problem:
        post_of(data, "t.me/Wire/5")
    assert str(problem.value).startswith("t.me/Wire/5: ")
    assert words in str(problem.value)


@pytest.mark.parametrize(
    "data", [b"{", b"[]", b"{}", b'{"gone": [], "channel": {"id": 1}}', b'{"gone": [1]}']
)
def test_what_is_no_deletion_is_told(data: bytes) -> None:
    with pytest.raises(Unreadable, match=r"t\.me/Wire: "):
        gone_of(data, "t.me/Wire")


@given(st.text(max_size=30), st.text(min_size=1, max_size=10), st.text(max_size=10))
def test_pieces_count_utf_16_units(before: str, words: str, behind: str) -> None:
    start, length = len(before.encode("utf-16-le")) // 2, len(words.encode("utf-16-le")) // 2
    entity = Entity(offset=start, length=length)
    assert piece(before + words + behind, entity) == words


@given(st.text(max_size=10), st.integers(-5, 30), st.integers(-5, 30))
def test_a_piece_beyond_the_text_does_no_harm(text: str, offset: int, length: int) -> None:
    piece(text, Entity(offset=offset, length=length)).encode()


SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=8)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = ["id", "date", "message", "edit_date", "reply_to", "fwd_from", "media", "entities", "grouped_id"]


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from([*FIELDS, "restriction_reason", "_"]), JSON, max_size=4))
def test_whatever_stands_in_a_message_it_is_read_or_told(fields: dict[str, Any]) -> None:
    data = envelope({**message(), **fields})
    try:
        draft_of(post_of(data, "t")).hashed()
    except Unreadable as problem:
        told = str(problem)
        assert told.startswith("t: ")


@pytest.mark.parametrize(
    ("edited", "version"),
    [(None, 0), ("1970-01-01T00:01:00+00:00", 60), ("yesterday", None), ("2026-13-01T00:00:00+00:00", None)],
)
def test_states_are_ordered_by_their_last_edit(edited: str | None, version: int | None) -> None:
    assert version_of(edited) == version


@pytest.mark.shared
@pytest.mark.skipif(not SAMPLES.exists(), reason=f"{SAMPLES} is absent")
def test_real_messages_are_read() -> None:
    kinds = []
    for path in sorted(SAMPLES.glob("*.json")):
        one = json.loads(path.read_text())
        if isinstance(one, dict) and one.get("_") in ("Message", "MessageService"):
            post = post_of(envelope(one), path.name)
            draft_of(post).hashed()
            kinds.append(post.kind)
    assert kinds.count("post") >= 8
    assert kinds.count("service") == 2
