"""What is pushed about one channel, kept until it is asked for; bounded, and never lost in silence."""

import asyncio
from collections import deque
from typing import Any

from connectors.telegram.api.lending import Heard, Pushed, Shaken

LIMIT = 1000


class BoundedEars:
    """Hears what is pushed about one channel.

    What tells is never held up: when nobody asks for so long that there is no room, what comes then becomes
    one `Shaken`, and whoever follows the channel looks at all of it again, behind what is kept.

    Args:
        limit: so many pushes are kept.

    Attributes:
        overflows: times that there was no room.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._kept: deque[Heard] = deque()
        self._some = asyncio.Event()
        self.overflows = 0

    def tell(self, heard: Heard) -> None:
        """Keep it; never waits."""
        full = len(self._kept) >= self._limit
        if (full or isinstance(heard, Shaken)) and self._kept and isinstance(self._kept[-1], Shaken):
            return  # one look, which is still to come, serves for both
        if full and isinstance(heard, Pushed):
            self.overflows += 1
            heard = Shaken(f"more than {self._limit} updates waited to be taken in")
        self._kept.append(heard)
        self._some.set()

    async def get(self) -> Heard:
        """Give the next."""
        while not self._kept:
            self._some.clear()
            await self._some.wait()
        return self._kept.popleft()


def channel_of(thing: Any) -> int | None:
    """Give the number of the channel that an update or a request is about; none if it is about none."""
    for name in ("channel", "peer"):
        inner = getattr(thing, name, None)
        if inner is not None and hasattr(inner, "channel_id"):
            thing = inner
            break
    message = getattr(thing, "message", None)
    peer = getattr(message, "peer_id", None)
    found = getattr(thing, "channel_id", None) or getattr(peer, "channel_id", None)
    return found if isinstance(found, int) else None


def pushed_of(update: Any) -> Pushed:
    """Give an update with the chats that came along, by their numbers."""
    chats = (getattr(update, "_entities", None) or {}).values()
    return Pushed(update, {chat.id: chat for chat in chats})
