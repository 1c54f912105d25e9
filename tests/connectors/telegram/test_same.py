"""The page and the API give the same items: the same identity, the same content hash."""

import json
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from connectors.telegram.api import message as api
from connectors.telegram.post import Post, draft_of
from connectors.telegram.web.page import read
from tests.connectors.telegram.web.test_text import posts
from tests.telegram.pages import Entity, page
from tests.telegram.shown import Chat, posts_of

CHANNEL, NAME = 1_259_934_336, "BricsNews"
CHATS = {3: Chat("Some channel 🔥", "some"), 4: Chat("A private one")}
SAMPLES = Path(__file__).parents[4] / "shared/samples/telegram"

Message = dict[str, Any]


def message(number: int = 17, text: str = "The ferry is late!", **fields: Any) -> Message:
    plain = {"_": "Message", "id": number, "date": "2026-07-04T21:08:00+00:00", "message": text}
    return {**plain, "entities": [], "media": None, **fields}


def service(action: str) -> Message:
    return {"_": "MessageService", "id": 17, "date": "2026-07-04T21:08:00+00:00", "action": {"_": action}}


def media(kind: str, **fields: Any) -> dict[str, Any]:
    return {"_": f"MessageMedia{kind}", **fields}


def poll(question: str, *answers: str) -> dict[str, Any]:
    words = [{"_": "PollAnswer", "text": {"_": "TextWithEntities", "text": one}} for one in answers]
    asked = {"_": "Poll", "question": {"_": "TextWithEntities", "text": question}, "answers": words}
    return media("Poll", poll=asked)


def by_api(messages: list[Message]) -> Post:
    data = {
        "layer": 229,
        "channel": {"id": CHANNEL, "name": NAME},
        "messages": messages,
        "chats": {str(number): chat.name or chat.title for number, chat in CHATS.items()},
        "way": "history",
    }
    return api.post_of(json.dumps(data).encode(), "api")


def by_page(messages: list[Message]) -> Post:
    shown = posts_of(messages, name=NAME, chats=CHATS)
    html = page(shown, name=NAME, channel=CHANNEL)
    (block,) = read(html.encode("utf-8", "surrogatepass"), NAME, "page").blocks
    assert block.post is not None, block.problem
    return block.post


def same(messages: list[Message]) -> tuple[Post, Post]:
    one, other = by_api(messages), by_page(messages)
    assert draft_of(one).item_id == draft_of(other).item_id
    assert (one.text, one.date, one.kind, one.status) == (other.text, other.date, other.kind, other.status)
    assert draft_of(one).hashed() == draft_of(other).hashed()
    assert (one.messages, one.reply_to, one.author) == (other.messages, other.reply_to, other.author)
    assert one.links == other.links
    return one, other


def forward(channel: int | None, post: int | None = None, name: str | None = None) -> Message:
    peer = {"_": "PeerChannel", "channel_id": channel} if channel else None
    header = {"_": "MessageFwdHeader", "date": "2026-07-04T20:00:00+00:00", "from_id": peer}
    return message(fwd_from={**header, "channel_post": post, "from_name": name})


def reply(other: int | None = None) -> Message:
    peer = {"_": "PeerChannel", "channel_id": other} if other else None
    return message(reply_to={"_": "MessageReplyHeader", "reply_to_msg_id": 5, "reply_to_peer_id": peer})


def album(*captions: str) -> list[Message]:
    return [
        message(17 + number, caption, grouped_id=99, media=media("Photo"))
        for number, caption in enumerate(captions)
    ]


KINDS: dict[str, list[Message]] = {
    "text": [message()],
    "lines, emoji and spaces": [message(text="🔥 A  b \n\n ✍️ c ")],
    "photo with words": [message(media=media("Photo"))],
    "photo alone": [message(text="", media=media("Photo"))],
    "document alone": [message(text="", media=media("Document"))],
    "location": [message(text="", media=media("Geo"))],
    "album": album("Caption.", "", ""),
    "album with its caption on another part": album("", "", "Caption."),
    "album with two captions": album("One.", "", "Two."),
    "album without words": album("", ""),
    "poll": [message(text="", media=poll("Now?", "Yes", "No 🔥"))],
    "service: created": [service("MessageActionChannelCreate")],
    "service: pinned": [service("MessageActionPinMessage")],
    "service: unknown to the page": [service("MessageActionBoostApply")],
    "signed": [message(post_author="Álvaro")],
    "edited": [message(edit_date="2026-07-04T22:00:00+00:00")],
    "edited in hiding": [message(edit_date="2026-07-04T22:00:00+00:00", edit_hide=True)],
    "answer": [reply()],
    "answer to another channel": [reply(3)],
    "forward": [forward(3, 1178)],
    "forward of a private channel": [forward(4, 12)],
    "forward of somebody hidden": [forward(None, name="Ann")],
    "link preview": [
        message(media=media("WebPage", webpage={"_": "WebPage", "url": "https://a.org/?b=1&c=2"}))
    ],
    "looked at and liked": [message(views=12, forwards=3, reactions={"_": "MessageReactions"})],
}


@pytest.mark.parametrize("kind", KINDS)
def test_both_ways_give_the_same_item(kind: str) -> None:
    same(KINDS[kind])


def test_both_ways_name_the_origin_alike() -> None:
    one, other = same([forward(3, 1178)])
    assert one.origin is not None
    assert other.origin is not None
    assert (
        (one.origin.name, one.origin.message) == (other.origin.name, other.origin.message) == ("some", 1178)
    )


types: Any = import_module("telethon.tl.types")  # it has no types of its own
WHEN = datetime(2026, 7, 4, 21, 8, tzinfo=UTC)
PEER = types.PeerChannel(CHANNEL)


def written(**fields: Any) -> Message:
    """Give a message as telethon writes it."""
    plain = {"id": 17, "peer_id": PEER, "date": WHEN, "message": "The ferry is late!"}
    found: Message = json.loads(types.Message(**{**plain, **fields}).to_json())
    return found


def asked(*answers: str) -> Any:
    options = [types.PollAnswer(types.TextWithEntities(one, []), one.encode()) for one in answers]
    question = types.TextWithEntities("Now?", [])
    return types.MessageMediaPoll(types.Poll(1, question, options, 0), types.PollResults())


WRITTEN: dict[str, Message] = {
    "text": written(),
    "entities": written(
        message="🔥 Breaking: see here",
        entities=[types.MessageEntityBold(3, 9), types.MessageEntityTextUrl(17, 4, "https://a.org/?b=1&c=2")],
    ),
    "photo alone": written(message="", media=types.MessageMediaPhoto()),
    "poll": written(message="", media=asked("Yes", "No 🔥")),
    "signed and edited": written(post_author="Álvaro", edit_date=WHEN),
    "answer": written(reply_to=types.MessageReplyHeader(reply_to_msg_id=5)),
    "forward": written(
        fwd_from=types.MessageFwdHeader(date=WHEN, from_id=types.PeerChannel(3), channel_post=1178)
    ),
    "service": json.loads(
        types.MessageService(
            id=17, peer_id=PEER, date=WHEN, action=types.MessageActionChatEditTitle("New")
        ).to_json()
        or ""
    ),
}


@pytest.mark.parametrize("kind", WRITTEN)
def test_what_telethon_writes_is_the_same_on_the_page(kind: str) -> None:
    same([WRITTEN[kind]])


@given(posts())
def test_any_text_with_any_entities_is_the_same(post: tuple[str, list[Entity]]) -> None:
    text, entities = post
    messages = [message(text=text, entities=entities)]
    if text.strip():
        one, other = by_api(messages), by_page(messages)
        assert one.text == other.text
        assert draft_of(one).hashed() == draft_of(other).hashed()


@pytest.mark.shared
@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the folder ../shared is not there")
def test_messages_that_telethon_wrote_are_the_same() -> None:
    files = sorted(SAMPLES.glob("telethon145_*.json"))
    found = [json.loads(file.read_text("utf-8")) for file in files]
    singles = [
        one for one in found if one["_"] in ("Message", "MessageService") and not one.get("grouped_id")
    ]
    albums = [one for one in found if one.get("grouped_id")]
    for messages in [*([one] for one in singles), albums]:
        same(messages)
    assert len(singles) > 5
    assert len(albums) == 2
