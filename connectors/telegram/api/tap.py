"""What is pushed about channels, as it comes over the line and ahead of what telethon makes of it.

Telethon ignores what is pushed about a channel while it asks for that channel's difference, and holds back
for half a second what is ahead of a gap (`_updates/messagebox.py`, `process_updates`). It counts on the
difference to bring all of it again; what was deleted by then, or edited once more, no difference brings.
"""

from collections.abc import Callable, Iterator
from typing import Any

from telethon import TelegramClient, events
from telethon import types as tl

_MESSAGES = (tl.UpdateNewChannelMessage, tl.UpdateEditChannelMessage, tl.UpdateDeleteChannelMessages)


def tap(client: TelegramClient, heard: Callable[[Any], None]) -> None:
    """Be told of the messages of channels as they are pushed, and of everything else as telethon tells it.

    Args:
        client: not connected yet.
        heard: gets each update; the chats and users that came along are the values of its `_entities`.
    """
    queue = client._updates_queue  # noqa: SLF001  # there is no other place before the pushes are sorted
    put = queue.put_nowait

    def put_and_tell(updates: Any) -> None:
        put(updates)
        for update in pushed_in(updates):
            heard(update)

    queue.put_nowait = put_and_tell

    async def others(update: Any) -> None:
        if not isinstance(update, _MESSAGES):
            heard(update)

    client.add_event_handler(others, events.Raw())  # no filter of chats: telethon would resolve names


def pushed_in(updates: Any) -> Iterator[Any]:
    """Give what a push says of messages of channels."""
    chats = {chat.id: chat for name in ("users", "chats") for chat in getattr(updates, name, None) or ()}
    for update in getattr(updates, "updates", None) or [getattr(updates, "update", None)]:
        if isinstance(update, _MESSAGES):
            update._entities = chats  # noqa: SLF001  # where telethon puts them, too
            yield update
