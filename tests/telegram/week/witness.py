"""A small Telegram that remembers what it showed to whom, so that nobody is blamed for what he never saw."""

import time
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from telethon.tl import types

from tests.telegram.server import Room, Server
from tests.telegram.server.link import Link


class State(NamedTuple):
    """What a message said at one time."""

    channel: int
    message: int
    text: str


class Witness(Server):
    """Remembers what each connection was sent, and lets something be done at a very moment.

    Attributes:
        shown: of each state the connections that were sent it, and when each was for the first time (seconds
            of the epoch, as all moments here).
    """

    def __init__(self) -> None:
        super().__init__()
        self.shown: dict[State, dict[Link, float]] = {}
        self._taking: Link | None = None
        self._alarm: tuple[str, Room | None, int, Callable[[Room], None]] | None = None

    def when(self, name: str, times: int, do: Callable[[Room], None], *, room: Room | None = None) -> None:
        """Do something as soon as so many requests of a name have come from now on; one thing at a time."""
        self._alarm = name, room, times, do

    def _take(self, link: Link, number: int, request: Any) -> None:
        self._taking = link
        super()._take(link, number, request)

    def _answer(self, name: str, request: Any) -> Any:
        result = super()._answer(name, request)
        if self._taking is not None:
            self._note(self._taking, messages_in(result))
        peer = getattr(request, "peer", None) or getattr(request, "channel", None)
        if (room := self.rooms.get(getattr(peer, "channel_id", 0))) is not None:
            self._count(name, room)
        return result

    def _push(self, update: Any, room: Room) -> None:
        for link in self._hearing():
            self._note(link, messages_in(update))
        super()._push(update, room)

    def _note(self, link: Link, messages: Iterable[Any]) -> None:
        at = time.time()
        if link.ended < at:
            return
        for message in messages:
            if isinstance(message, types.Message | types.MessageService):  # and no mere id
                state = State(message.peer_id.channel_id, message.id, getattr(message, "message", None) or "")
                self.shown.setdefault(state, {}).setdefault(link, at)

    def _count(self, name: str, room: Room) -> None:
        if self._alarm is None:
            return
        wanted, where, times, do = self._alarm
        if name == wanted and where in (None, room):
            self._alarm = (wanted, where, times - 1, do) if times > 1 else None
            if self._alarm is None:
                do(room)


def messages_in(result: Any) -> list[Any]:
    """Give the messages that an answer or an update shows."""
    told = [getattr(one, "message", None) for one in (result, *getattr(result, "other_updates", ()))]
    lists = (getattr(result, "messages", None), getattr(result, "new_messages", None))
    return [one for one in told if hasattr(one, "peer_id")] + [one for some in lists for one in some or ()]
