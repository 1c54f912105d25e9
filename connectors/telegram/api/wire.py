"""Between telethon's objects and ours: what we ask, and what they answer. Pure."""

import base64
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic_core import to_json
from telethon.errors import (
    HistoryGetFailedError,
    PersistentTimestampEmptyError,
    PersistentTimestampInvalidError,
    PersistentTimestampOutdatedError,
)
from telethon.tl import functions, types
from telethon.tl.alltlobjects import LAYER
from telethon.tl.tlobject import TLRequest

from connectors.telegram.albums import Part, Parts
from connectors.telegram.api.asks import (
    PAGE,
    Answer,
    Ask,
    Back,
    Changes,
    Deleted,
    Difference,
    Newer,
    Overflown,
    Page,
    Said,
    These,
    Until,
    Update,
)
from connectors.telegram.api.message import version_of

REFUSALS = (
    HistoryGetFailedError,
    PersistentTimestampEmptyError,
    PersistentTimestampInvalidError,
    PersistentTimestampOutdatedError,
)
"""By which Telegram says that it cannot tell a difference; for some channels for days."""


def request_of(ask: Ask, channel: int, access_hash: int) -> TLRequest:
    """Give the request for what is to be asked."""
    peer = types.InputPeerChannel(channel, access_hash)
    if isinstance(ask, Difference):
        return functions.updates.GetChannelDifferenceRequest(
            channel=types.InputChannel(channel, access_hash),
            filter=types.ChannelMessagesFilterEmpty(),
            pts=ask.pts,
            limit=PAGE,
            force=False,
        )
    if isinstance(ask, These):
        wanted = [types.InputMessageID(message) for message in ask.messages]
        return functions.channels.GetMessagesRequest(types.InputChannel(channel, access_hash), wanted)
    if isinstance(ask, Newer):
        return _history(peer, offset_id=ask.after + 1, add_offset=-PAGE)
    if isinstance(ask, Back):
        return _history(peer, offset_id=ask.head + 1, add_offset=ask.skip, limit=ask.limit)
    if isinstance(ask, Until):
        return _history(peer, offset_date=ask.when, limit=1)
    return _history(peer, offset_id=ask.before, limit=ask.limit)


def answer_of(ask: Ask, result: Any) -> Answer:
    """Read an answer."""
    if isinstance(result, types.updates.ChannelDifferenceTooLong):
        dialog = result.dialog
        return Changes(pts=dialog.pts or None, too_long=True, top=dialog.top_message)
    if isinstance(result, types.updates.ChannelDifferenceEmpty):
        return Changes(pts=result.pts or None, final=bool(result.final), wait=result.timeout)
    names = names_in([*getattr(result, "chats", ()), *getattr(result, "users", ())])
    if isinstance(result, types.updates.ChannelDifference):
        updates = (update_of(update, names) for update in result.other_updates)
        return Changes(
            new=tuple(_parts(result.new_messages, names)),
            updates=tuple(update for update in updates if update is not None),
            pts=result.pts or None,
            final=bool(result.final),
            wait=result.timeout,
        )
    messages = getattr(result, "messages", ())
    asked = frozenset(ask.messages) if isinstance(ask, These) else frozenset()
    return Page(
        parts=tuple(_parts(messages, names)),
        empty=tuple(one.id for one in messages if isinstance(one, types.MessageEmpty) and one.id in asked),
        pts=getattr(result, "pts", None) or None,
        total=getattr(result, "count", None),
    )


def update_of(update: Any, names: Mapping[str, str]) -> Update | None:
    """Read a change of the channel; none if it is about nothing that we follow."""
    if isinstance(update, (types.UpdateNewChannelMessage, types.UpdateEditChannelMessage)):
        part = next(_parts([update.message], names), None)
        return None if part is None else Said(part, update.pts or None)
    if isinstance(update, types.UpdateDeleteChannelMessages):
        return Deleted(tuple(update.messages), update.pts or None)
    return Overflown() if isinstance(update, types.UpdateChannelTooLong) else None


def names_in(chats: Iterable[Any]) -> dict[str, str]:
    """Give the names of chats and users by their numbers: the public one, or what is shown."""
    return {str(chat.id): name for chat in chats if (name := public_name_of(chat) or _title(chat))}


def public_name_of(chat: Any, configured: str = "") -> str:
    """Give a channel's public name: of several the one that the config gives, else the first.

    Args:
        chat: as telethon gives it.
        configured: the name in the config.
    """
    several = [one.username for one in getattr(chat, "usernames", None) or () if one.active]
    names = [name for name in (getattr(chat, "username", None), *several) if name]
    wanted = [name for name in names if name.casefold() == configured.casefold()]
    return next(iter(wanted or names), "")


def told(parts: Parts, channel: int, name: str, way: str) -> dict[str, Any]:
    """Give the messages of one post as the observation of it has them."""
    return {
        "layer": LAYER,
        "channel": {"id": channel, "name": name},
        "messages": [part.body for part in parts],
        "chats": {key: value for part in parts for key, value in part.names.items()},
        "way": way,
    }


def envelope(parts: Parts, channel: int, name: str, way: str) -> bytes:
    """Spell the messages of one post as the observation of it."""
    return to_json(told(parts, channel, name, way))


_AS_THEY_ARE = frozenset({bool, int, float, str})


def plain(value: Any) -> Any:
    """Give what telethon's `to_dict` gives as JSON has it: bytes in base64, times in ISO 8601."""
    if isinstance(value, dict):  # most of a message is none, and costs no call
        return {
            key: one if one is None or type(one) in _AS_THEY_ARE else plain(one) for key, one in value.items()
        }
    if isinstance(value, list):
        return [plain(one) for one in value]
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value.isoformat() if isinstance(value, datetime) else value


def _history(
    peer: types.InputPeerChannel,
    *,
    offset_id: int = 0,
    offset_date: datetime | None = None,
    add_offset: int = 0,
    limit: int = PAGE,
) -> TLRequest:
    return functions.messages.GetHistoryRequest(
        peer=peer,
        offset_id=offset_id,
        offset_date=offset_date,
        add_offset=add_offset,
        limit=limit,
        max_id=0,
        min_id=0,
        hash=0,
    )


def _parts(messages: Sequence[Any], names: Mapping[str, str]) -> Iterator[Part]:
    for message in messages:
        if not isinstance(message, (types.Message, types.MessageService)):
            continue
        body = plain(message.to_dict())
        group = getattr(message, "grouped_id", None)
        origin = getattr(getattr(message, "fwd_from", None), "from_id", None)
        key = str(next(iter(vars(origin).values()), "")) if origin is not None else ""
        yield Part(
            id=message.id,
            group=None if group is None else str(group),
            version=version_of(body.get("edit_date")) or 0,
            body=body,
            names={key: names[key]} if key in names else {},
        )


def _title(chat: Any) -> str:
    named = getattr(chat, "title", None)
    return named or " ".join(
        filter(None, (getattr(chat, "first_name", None), getattr(chat, "last_name", None)))
    )
