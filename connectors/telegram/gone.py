"""A deletion, spelled as an observation, the same for both ways. Pure.

    {"gone": [12, 13], "channel": {"id": 123, "name": "bricsnews"}, "looked": "2026-07-04T21:08:00+00:00"}

Several ids are the messages of one album that is gone as a whole. `looked` is when it was seen gone.
"""

from collections.abc import Sequence
from datetime import datetime

from pydantic import BaseModel, Field
from pydantic_core import to_json

from connectors.telegram.post import Post
from connectors.telegram.reading import read

GONE_TYPE = "application/vnd.dateline.telegram-gone+json"
"""Content type of a deletion."""


class _Channel(BaseModel):
    id: int = Field(ge=1)
    name: str = ""


class _Gone(BaseModel):
    gone: list[int] = Field(min_length=1)
    channel: _Channel


def gone_bytes(messages: Sequence[int], channel: int, name: str, looked: datetime) -> bytes:
    """Spell that one post is gone.

    Args:
        messages: ids of its messages, of an album several.
        channel: the channel's number.
        name: its public name.
        looked: when that was seen, UTC.
    """
    channel_now = {"id": channel, "name": name}
    return to_json({"gone": list(messages), "channel": channel_now, "looked": looked.isoformat()})


def gone_of(data: bytes, place: str) -> Post:
    """Make a withdrawn post of a deletion.

    Raises:
        Unreadable: it is none; the message names place and field.
    """
    gone = read(_Gone, data, place, "deletion")
    return Post(
        channel=gone.channel.id,
        name=gone.channel.name,
        messages=tuple(sorted(set(gone.gone))),
        status="withdrawn",
    )
