"""From the API's messages, as JSON, to what t.me/s shows of them: the same channel, seen the other way."""

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any, NamedTuple

from tests.telegram.pages import Shown

Json = Mapping[str, Any]

MEDIA = {
    "MessageMediaPhoto": "photo",
    "MessageMediaDocument": "document",
    "MessageMediaGeo": "location",
}
SERVICES = {
    "MessageActionChannelCreate": "Channel created",
    "MessageActionChatEditTitle": "Channel name was changed",
    "MessageActionChatEditPhoto": "Channel photo updated",
    "MessageActionPinMessage": "A channel pinned a post",
}


class Chat(NamedTuple):
    """Another channel or a person that a message refers to: title, and public name if there is one."""

    title: str
    name: str = ""


def posts_of(messages: Iterable[Json], *, name: str, chats: Mapping[int, Chat] | None = None) -> list[Shown]:
    """Give the posts that the page shows of a channel's messages.

    Args:
        messages: of the channel, as `json.loads(message.to_json())` gives them.
        name: the channel's public name.
        chats: by number, what messages refer to.
    """
    groups: dict[Any, list[Json]] = {}
    for message in sorted(messages, key=lambda one: one["id"]):
        if message["_"] in ("Message", "MessageService"):
            group = message.get("grouped_id")
            groups.setdefault(("album", group) if group else message["id"], []).append(message)
    return [shown_of(parts, name, chats or {}) for parts in groups.values()]


def shown_of(parts: list[Json], name: str, chats: Mapping[int, Chat]) -> Shown:
    """Give what the page shows of one message, or of an album's messages."""
    first = parts[0]
    post = Shown(tuple(part["id"] for part in parts), first["date"], author=first.get("post_author") or "")
    if first["_"] == "MessageService":
        post.service = SERVICES.get(first["action"]["_"], "Something happened")
        return post
    media = first.get("media") or {}
    if len(parts) > 1:
        post.captions = [(one["message"], one.get("entities") or []) for one in parts if one.get("message")]
    else:
        post.text, post.entities = first.get("message") or "", first.get("entities") or []
        post.media = MEDIA.get(media.get("_", ""), "")
    if poll := media.get("poll"):
        answers = tuple(one["text"]["text"] for one in poll["answers"])
        post.poll = (poll["question"]["text"], answers)
    post.preview = (media.get("webpage") or {}).get("url") or ""
    post.edited = any(part.get("edit_date") and not part.get("edit_hide") for part in parts)
    if reply := first.get("reply_to"):
        other = (reply.get("reply_to_peer_id") or {}).get("channel_id")
        post.reply_to = (chats[other].name if other else name, reply["reply_to_msg_id"])
    if forward := first.get("fwd_from"):
        post.forward = forward_of(forward, chats)
    return post


def forward_of(forward: Json, chats: Mapping[int, Chat]) -> tuple[str, str]:
    """Give an origin's name and address as the page shows them."""
    number = (forward.get("from_id") or {}).get("channel_id")
    if number is None:
        return forward.get("from_name") or "Somebody", ""
    chat = chats.get(number, Chat(f"Channel {number}"))
    where = chat.name or f"c/{number}"
    return chat.title, escape(f"https://t.me/{where}/{forward.get('channel_post') or ''}").rstrip("/")
