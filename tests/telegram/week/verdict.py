"""What came of the week, against the server's log of truth."""

import re
from collections import Counter
from typing import Any

from telethon import events

from connectors.telegram.window import read_spelled
from tests.connectors.telegram.following import Following
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


def judge(room: Room, run: Following) -> Counter[str]:
    """Count what is wrong with what is known of a channel; nothing is right."""
    wrong: Counter[str] = Counter()
    newest = run.newest()
    for first, messages in posts_of(room).items():
        item = newest.get(str(first))
        wrong["posts lost"] += item is None
        if item is not None:
            wrong["posts said to be gone"] += item.status == "withdrawn"
            wrong["newest content missing"] += item.status != "withdrawn" and item.text != text_of(messages)
    histories: dict[str, list[str]] = {}
    for one in run.desk.items:
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
    for missed in run.missed:
        spelled = re.sub(r"\.\.\.$", "", missed.reason.rpartition(": ")[2]).rpartition(",")
        ids = read_spelled(spelled[0] or spelled[2])
        wrong["invented gaps"] += not set(ids) <= room.deleted
    return +wrong


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
