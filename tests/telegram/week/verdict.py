"""What came of the week, against the server's log of truth."""

import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

from telethon import events

from connectors.telegram.window import read_spelled
from schemas.item import Item
from tests.telegram.account import Account
from tests.telegram.server import Room


def posts_of(room: Room) -> dict[int, list[Any]]:
    """Give the posts that exist: the messages of each by its first id."""
    groups: dict[int, int] = {}
    posts: dict[int, list[Any]] = {}
    for number in sorted(room.messages):
        group = getattr(room.messages[number], "grouped_id", None)
        first = number if group is None else groups.setdefault(group, number)
        posts.setdefault(first, []).append(room.messages[number])
    return posts


def text_of(messages: list[Any]) -> str:
    """Give what a post says."""
    return "\n".join(text for one in messages if (text := getattr(one, "message", None)))


def judge(room: Room, items: Iterable[Item], gaps: Iterable[str], *, first: int = 1) -> Counter[str]:
    """Count what is wrong with what is known of a channel after its last look; nothing is right.

    Args:
        room: the truth.
        items: all revisions of its posts, in order.
        gaps: reasons of what was told to be missing.
        first: nobody asked for messages below it.
    """
    wrong: Counter[str] = Counter()
    newest = {item.native_id: item for item in items if not item.late}
    for number, messages in posts_of(room).items():
        item = newest.get(str(number))
        wrong["posts lost"] += item is None and number >= first
        if item is not None:
            wrong["posts said to be gone"] += item.status == "withdrawn"
            wrong["newest content missing"] += item.status != "withdrawn" and item.text != text_of(messages)
    histories: dict[str, list[str]] = {}
    for one in items:
        if not one.late and one.status == "usable":
            histories.setdefault(one.native_id, []).append(one.text)
    for native, texts in histories.items():
        states = room.states[int(native)]
        places = [states.index(text) for text in texts if text in states]
        wrong["false revisions"] += places != sorted(places)
        gone = int(native) in room.deleted
        wrong["deletions not seen"] += gone and newest[native].status != "withdrawn"
    for native, item in newest.items():
        wrong["invented deletions"] += item.status == "withdrawn" and int(native) not in room.deleted
    wrong["invented gaps"] += sum(not missed_in(reason) <= room.deleted for reason in gaps)
    return +wrong


def missed_in(reason: str) -> set[int]:
    """Give the messages that a gap names; of very many it names the first."""
    spelled = re.sub(r",?[^,]*\.\.\.$", "", reason.rpartition(": ")[2])
    return set(read_spelled(spelled))


def count_in(reason: str) -> int:
    """Give how many messages a gap is about."""
    return int(reason.partition(" ")[0])


class Plain:
    """A plain telethon handler with catch_up, as many write it."""

    def __init__(self, account: Account) -> None:
        self.texts: dict[tuple[int, int], str] = {}
        self.gone: set[tuple[int, int]] = set()
        account.client.add_event_handler(self._said, events.NewMessage())
        account.client.add_event_handler(self._said, events.MessageEdited())
        account.client.add_event_handler(self._deleted, events.MessageDeleted())

    async def _said(self, event: Any) -> None:
        self.texts[event.message.peer_id.channel_id, event.message.id] = event.message.message or ""

    async def _deleted(self, event: Any) -> None:
        channel = getattr(event.original_update, "channel_id", 0)
        self.gone |= {(channel, number) for number in event.deleted_ids}

    def judge(self, room: Room) -> Counter[str]:
        """Count what it does not know; service messages are none of its business."""
        wrong: Counter[str] = Counter()
        for number, message in room.messages.items():
            if hasattr(message, "action") and message.action is not None:
                continue
            text = self.texts.get((room.number, number))
            wrong["messages lost"] += text is None
            wrong["newest content missing"] += text is not None and text != (message.message or "")
        wrong["deletions not seen"] += len(
            {one for one in room.deleted if (room.number, one) in self.texts}
            - {number for channel, number in self.gone if channel == room.number}
        )
        return +wrong
