"""What happens in the week: the same for everybody who watches, by its seed."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from telethon.tl import types

from tests.telegram.server import Room, Server

START = 1_783_166_400.0


@dataclass(frozen=True, slots=True)
class Size:
    """How much happens.

    Attributes:
        channels: that there are.
        posts: that are published, about, in all rounds together.
        rounds: so many.
        gaps: posts that are published at once while nobody is told.
        before: posts that each channel has before anybody looks.
    """

    channels: int
    posts: int
    rounds: int
    gaps: Sequence[int]
    before: int = 0


FULL = Size(20, 20_000, 80, (1, 5, 40, 99, 100, 101, 150, 400, 1000, 2000, 5000))
SHORT = Size(4, 500, 12, (1, 99, 101, 130))
DAEMON = Size(20, 17_000, 80, FULL.gaps, before=150)
DAEMON_SHORT = Size(4, 1500, 12, (1, 99, 600), before=150)


class Week:
    """Makes things happen.

    Attributes:
        rooms: the channels.
        counts: of what happened.
        gaps: by number of the round, posts that are published at once.
        gap: the channel of the last of them.
    """

    def __init__(self, server: Server, size: Size, seed: int) -> None:
        self.server, self.size = server, size
        self.dice = random.Random(seed)
        self.time = START
        self.counts: dict[str, int] = {}
        self.rooms: list[Room] = []
        self.gap: Room | None = None
        for number in range(size.channels):
            room = server.room(f"channel{number}")
            room.now = lambda: self.time
            room.too_long = 100
            self.rooms.append(room)
            for _ in range(size.before):
                self._publish(room)
        spread = max(1, size.rounds // len(size.gaps))
        self.gaps = {index * spread: gap for index, gap in enumerate(size.gaps)}
        self.each = max(1, (size.posts - sum(size.gaps)) // size.rounds)

    def play(self, number: int) -> None:
        """Let one round happen, all at once."""
        for _ in self.steps(number):
            pass

    def steps(self, number: int) -> Iterator[None]:
        """Let one round happen, step by step; in some all connections are cut, in some nobody is told."""
        gap = self.gaps.get(number)
        if number % 2:
            self._count("disconnects")
            self.server.drop()
        if number % 5 == 2:
            self._count("flood waits")
            self.server.refuse(self.dice.choice(["GetHistory", "GetChannelDifference"]), "FLOOD_WAIT_1")
        self.server.mute = gap is not None or number % 3 == 1
        room = self.dice.choice(self.rooms)
        if gap is not None:
            for _ in range(gap):
                self._publish(room)
            self.gap = room
        published = 0
        while published < self.each:
            other = self.dice.choice(self.rooms)
            if gap is None or other is not room:  # what is changed far below a gap nobody can know
                published += self._happen(other)
            else:
                published += 1
                self._publish(other)
            yield
        self.server.mute = False

    def change(self, room: Room, *, delete: bool) -> None:
        """Edit or delete one of the last posts of a channel."""
        recent = sorted(room.messages)[-30:]
        if delete:
            self._delete(room, self.dice.choice(recent))
        else:
            spoken = [one for one in recent if getattr(room.messages[one], "message", None)]
            self._edit(room, self.dice.choice(spoken))

    def _happen(self, room: Room) -> int:
        self.time += self.dice.choice([0, 1, 30])
        recent = sorted(room.messages)[-30:]
        what = self.dice.random()
        if what < 0.12 and recent:
            self._edit(room, self.dice.choice(recent))
        elif what < 0.17 and recent:
            self._delete(room, self.dice.choice(recent))
        elif what < 0.22:
            self._count("albums")
            captions = ["" for _ in range(self.dice.randrange(1, 9))]
            return len(room.album(self._text("album"), *captions))
        else:
            self._publish(room)
            return 1
        return 0

    def _delete(self, room: Room, number: int) -> None:
        self._count("deletions")
        room.delete(number)

    def _edit(self, room: Room, number: int) -> None:
        old = room.messages[number]
        if isinstance(old, types.Message) and old.message:
            hide = self.dice.random() < 1 / 3
            self._count("hidden edits" if hide else "edits")
            room.edit(number, self._text("edited"), hide=hide)

    def _publish(self, room: Room) -> None:
        what = self.dice.random()
        if what < 0.05:
            self._count("forwards")
            stamp = datetime.fromtimestamp(self.time, UTC)
            header = types.MessageFwdHeader(stamp, from_id=types.PeerChannel(3), channel_post=9)
            room.publish(self._text("forwarded"), fwd_from=header)
        elif what < 0.06:
            self._count("service messages")
            room.publish("", action=types.MessageActionPinMessage())
        else:
            self._count("plain posts")
            room.publish(self._text("post"))

    def _text(self, what: str) -> str:
        return f"{what} {self.dice.getrandbits(48):x} about the ferry 🇫🇮"

    def _count(self, what: str) -> None:
        self.counts[what] = self.counts.get(what, 0) + 1
