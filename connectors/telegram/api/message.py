"""From the API's messages, as JSON, to a post. Pure: it knows no telethon, only what telethon writes.

The bytes are an envelope around one message, or around all parts of an album:

    {"layer": 229, "channel": {"id": 123, "name": "bricsnews"}, "messages": [Message.to_dict() as JSON, ...],
     "chats": {"<id>": "name or title", ...}, "way": "push|poll|history|reread"}
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from connectors.seam import Unreadable
from connectors.telegram.post import Origin, Post
from connectors.telegram.reading import read

MESSAGE_TYPE = "application/vnd.dateline.telegram-message+json"
"""Content type of the envelope."""


class _Tl(BaseModel):
    """An object of the API: its constructor's name stands in `_`, as telethon writes it."""

    model_config = ConfigDict(extra="ignore", populate_by_name=True)

    type: str = Field("", alias="_")


class Peer(_Tl):
    """Who: a channel, a user, or a group."""

    channel_id: int | None = None
    user_id: int | None = None
    chat_id: int | None = None

    @property
    def key(self) -> str:
        """How `chats` names it."""
        return str(self.channel_id or self.user_id or self.chat_id or "")


class Forward(_Tl):
    """Where a message was forwarded from."""

    from_id: Peer | None = None
    from_name: str | None = None
    channel_post: int | None = None
    date: str | None = None


class Reply(_Tl):
    """What a message answers."""

    reply_to_msg_id: int | None = None
    reply_to_peer_id: Peer | None = None


class Entity(_Tl):
    """A piece of the text; offset and length count UTF-16 code units."""

    offset: int = 0
    length: int = 0
    url: str | None = None


class Words(_Tl):
    """Text inside of something else."""

    text: str = ""


class Answer(_Tl):
    """One answer of a poll."""

    text: Words | str = ""


class Poll(_Tl):
    """A poll."""

    question: Words | str = ""
    answers: list[Answer] = []


class WebPage(_Tl):
    """A link preview."""

    url: str | None = None


class Media(_Tl):
    """What hangs on a message."""

    poll: Poll | None = None
    webpage: WebPage | None = None


class Restriction(_Tl):
    """Why some may not see a message."""

    platform: str = ""


class Message(_Tl):
    """The fields of a message that mean something here; the others stay in raw."""

    id: int = Field(ge=1)
    date: str | None = None
    message: str | None = None
    edit_date: str | None = None
    edit_hide: bool | None = None
    reply_to: Reply | None = None
    fwd_from: Forward | None = None
    media: Media | None = None
    entities: list[Entity] | None = None
    post_author: str | None = None
    grouped_id: int | None = None
    restriction_reason: list[Restriction] | None = None

    @property
    def service(self) -> bool:
        """What the channel says of itself: renamed, pinned and the like."""
        return self.type == "MessageService"


class Channel(BaseModel):
    """The channel it stands in."""

    id: int = Field(ge=1)
    name: str = ""


class Envelope(BaseModel):
    """All that is needed to make a post."""

    channel: Channel
    messages: list[Message] = Field(min_length=1)
    chats: dict[str, str] = {}
    way: Literal["push", "poll", "history", "reread"] = "history"


def post_of(data: bytes, place: str) -> Post:
    """Make a post of an envelope.

    Raises:
        Unreadable: it is no envelope, or what is in it is no post; the message names place and field.
    """
    return _checked(read(Envelope, data, place, "message"), place)


def post_told(told: Mapping[str, Any]) -> Post:
    """Make the same post of what is not spelled yet.

    Raises:
        Unreadable: what is in it is no post.
        pydantic.ValidationError: it is no envelope.
    """
    return _checked(Envelope.model_validate(told), "")


def _checked(envelope: Envelope, place: str) -> Post:
    for message in envelope.messages:
        if message.type not in ("Message", "MessageService"):
            raise Unreadable(f"{place}: messages: {message.type or 'an object without a type'} is no message")
    return _post(envelope)


def version_of(edited: str | None) -> int | None:
    """Give the second of the last edit: of two states of a message the one that is older has less.

    An edit always sets it, also a hidden one; 0 is a message as it was first published. None of one whose
    time of edit cannot be read.
    """
    if edited is None:
        return 0
    try:
        return int(datetime.fromisoformat(edited).timestamp())
    except (ValueError, OverflowError):
        return None


def plain_text(message: Message) -> str:
    """Give what a message says: its text, and of a poll question and answers, each on a line."""
    lines = [message.message] if message.message else []
    if message.media and (poll := message.media.poll):
        lines += [_words(poll.question), *(_words(answer.text) for answer in poll.answers)]
    return "\n".join(lines)


def piece(text: str, entity: Entity) -> str:
    """Give the words that an entity is about: it counts UTF-16 code units, in which a flag is four."""
    units = text.encode("utf-16-le", "surrogatepass")
    start = 2 * max(entity.offset, 0)
    return units[start : start + 2 * max(entity.length, 0)].decode("utf-16-le", "ignore")


def _post(envelope: Envelope) -> Post:
    parts = sorted(envelope.messages, key=lambda message: message.id)
    first = parts[0]
    service = first.service
    edits = [part for part in parts if part.edit_date is not None]
    newest = max(edits, key=lambda part: version_of(part.edit_date) or 0, default=None)
    album = any(part.grouped_id is not None for part in parts)
    return Post(
        channel=envelope.channel.id,
        name=envelope.channel.name,
        messages=tuple(dict.fromkeys(part.id for part in parts)),
        kind="service" if service else "post",
        status="withheld" if any(map(_withheld, parts)) else "usable",
        text="" if service else "\n".join(filter(None, map(plain_text, parts))),
        date=first.date,
        edited=newest.edit_date if newest else None,
        edited_hidden=bool(newest and newest.edit_hide),
        version=None if album else version_of(first.edit_date),  # an album can lose the part edited last
        reply_to=None if service else _reply_to(parts, envelope.channel.id),
        origin=_origin(parts, envelope.chats),
        links=tuple(dict.fromkeys(_links(parts))),
        author=next((part.post_author for part in parts if part.post_author), None),
        group=next((str(part.grouped_id) for part in parts if part.grouped_id is not None), None),
        pushed=envelope.way == "push",
    )


def _withheld(message: Message) -> bool:
    """Whether nobody is shown it; what is restricted on some platforms is shown on the others."""
    return any(reason.platform.casefold() == "all" for reason in message.restriction_reason or ())


def _reply_to(parts: Sequence[Message], channel: int) -> int | None:
    for part in parts:
        if (reply := part.reply_to) is not None and reply.reply_to_msg_id is not None:
            other = reply.reply_to_peer_id
            if other is None or other.channel_id == channel:
                return reply.reply_to_msg_id
    return None


def _origin(parts: Sequence[Message], chats: dict[str, str]) -> Origin | None:
    forward = next((part.fwd_from for part in parts if part.fwd_from is not None), None)
    if forward is None:
        return None
    peer = forward.from_id
    name = (chats.get(peer.key) if peer else None) or forward.from_name or (peer.key if peer else "")
    return Origin(
        name=name,
        channel=peer.channel_id if peer else None,
        message=forward.channel_post,
        date=forward.date,
    )


def _links(parts: Sequence[Message]) -> Iterator[str]:
    for part in parts:
        for entity in part.entities or ():
            if entity.type == "MessageEntityTextUrl" and entity.url:
                yield entity.url
            elif entity.type == "MessageEntityUrl" and (words := piece(part.message or "", entity)):
                yield words if "://" in words else f"http://{words}"  # so do Telegram's own programs
        if part.media and part.media.webpage and part.media.webpage.url:
            yield part.media.webpage.url


def _words(text: Words | str | Any) -> str:
    return text.text if isinstance(text, Words) else str(text)
