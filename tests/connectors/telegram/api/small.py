"""A channel in small, without a network: a server's truth, and the ways in which its words go astray."""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.telegram.albums import Part, Parts
from connectors.telegram.api.asks import (
    Answer,
    Ask,
    Back,
    Changes,
    Deleted,
    Difference,
    Moment,
    Newer,
    Older,
    Page,
    Said,
    These,
    Update,
)
from connectors.telegram.api.known import Shown, Vanished
from connectors.telegram.api.stand import read_stand
from connectors.telegram.api.standing import Standing
from connectors.telegram.api.telling import Asked, Hole, Look, Telling
from connectors.telegram.config import TelegramConfig

START = datetime(2026, 7, 4, 12, tzinfo=UTC)
CONFIG = TelegramConfig(
    name="wire", channel="wire", via="api", poll_seconds=30, reread_seconds=600, backfill_posts=1000
)


def print_of(parts: Parts) -> str:
    return " ".join(f"{part.id}:{part.body['text']}" for part in parts)


@dataclass
class Channel:
    """The server's side."""

    now: float = 0.0
    messages: dict[int, Part] = field(default_factory=dict)
    states: dict[int, list[str]] = field(default_factory=dict)
    log: list[tuple[int, Update]] = field(default_factory=list)
    deleted: set[int] = field(default_factory=set)
    top: int = 0
    groups: int = 0
    too_long: bool = False
    page: int = 5
    """Messages that a page shows, and a difference tells: few, so that there are many."""
    hide: int = 0
    """Of each page every so manieth message is left out; 0: none."""

    @property
    def pts(self) -> int:
        return len(self.log) + 1

    def note(self, update: Update) -> Update:
        self.log.append((self.pts + 1, update))
        return update

    def publish(self, count: int) -> list[Update]:
        self.groups += 1
        group = f"g{self.groups}" if count > 1 else None
        found = []
        for _ in range(count):
            self.top += 1
            part = Part(self.top, group, 0, {"text": "v0"})
            self.messages[self.top] = part
            self.states[self.top] = ["v0"]
            found.append(self.note(Said(part, self.pts + 1)))
        return found

    def edit(self, which: int) -> list[Update]:
        if not self.messages:
            return []
        number = sorted(self.messages)[which % len(self.messages)]
        text = f"v{len(self.states[number])}"
        self.states[number].append(text)
        old = self.messages[number]
        self.messages[number] = Part(number, old.group, 1 + int(self.now), {"text": text})
        return [self.note(Said(self.messages[number], self.pts + 1))]

    def delete(self, which: int, count: int) -> list[Update]:
        numbers = sorted(self.messages)
        gone = tuple(numbers[which % len(numbers) :][:count]) if numbers else ()
        for number in gone:
            del self.messages[number]
        self.deleted |= set(gone)
        return [self.note(Deleted(gone, self.pts + 1))] if gone else []

    def answer(self, ask: Ask) -> Answer:
        if isinstance(ask, Difference):
            return self.difference(ask.pts)
        if isinstance(ask, These):
            there = tuple(self.messages[one] for one in ask.messages if one in self.messages)
            return Page(there, tuple(one for one in ask.messages if one not in self.messages), self.pts)
        numbers = sorted(self.messages)
        if isinstance(ask, Newer):
            shown = [one for one in numbers if one > ask.after][: self.page]
            shown += [one for one in numbers if one <= ask.after][-2:]  # as servers do
        elif isinstance(ask, Back):
            below = [one for one in numbers if one <= ask.head]
            shown = below[: max(0, len(below) - ask.skip)][-ask.limit :]
        else:
            assert isinstance(ask, Older)
            below = [one for one in numbers if not ask.before or one < ask.before]
            shown = below[-max(self.page, 20) :] if ask.limit == 20 else below[-self.page :]
        if self.hide and isinstance(ask, Newer):
            shown = [one for index, one in enumerate(shown, 1) if index % self.hide]
        return Page(tuple(self.messages[one] for one in shown), (), self.pts, len(numbers))

    def difference(self, pts: int) -> Changes:
        if self.too_long:
            return Changes(pts=self.pts, too_long=True, top=self.top)
        told = [(count, update) for count, update in self.log if count > pts]
        now, rest = told[: self.page], told[self.page :]
        new = [one.part for _, one in now if isinstance(one, Said) and not one.part.version]
        others = [one for _, one in now if not (isinstance(one, Said) and not one.part.version)]
        there = tuple(self.messages.get(part.id, part) for part in new if part.id in self.messages)
        return Changes(there, tuple(others), now[-1][0] if now else pts, final=not rest)


@dataclass
class Books:
    """What ingest has in the end: states in their order, by the rules of `pipeline.ingest.revise`."""

    states: dict[int, list[Parts]] = field(default_factory=dict)
    late: dict[int, list[Parts]] = field(default_factory=dict)
    gone: set[int] = field(default_factory=set)
    holes: list[Hole] = field(default_factory=list)
    after_all: set[int] = field(default_factory=set)
    """Messages of holes that were seen later."""

    def enter(self, telling: Telling) -> None:
        what = telling.what
        if isinstance(what, Shown):
            first = what.parts[0]
            self.after_all |= {one for hole in self.holes for one in hole.messages} & {
                part.id for part in what.parts
            }
            states = self.states.setdefault(first.id, [])
            old = first.group is None and states and first.version < states[-1][0].version
            if states and (what.late or (old and first.id not in self.gone)):
                if what.parts not in states:
                    self.late.setdefault(first.id, []).append(what.parts)
            else:
                states.append(what.parts)
                self.gone.discard(first.id)
        elif isinstance(what, Vanished):
            self.gone.add(what.messages[0])
        elif isinstance(what, Hole) and what.repaired:
            self.holes.remove(replace(what, repaired=False))
        elif isinstance(what, Hole):
            self.holes.append(what)


class Desk:
    """Follows the channel, and can be restarted from any cursor that was told."""

    def __init__(self, channel: Channel, config: TelegramConfig = CONFIG) -> None:
        self.channel = channel
        self.config = config
        self.told: list[Telling] = []
        self.pushes: deque[Update] = deque()
        self.shown: dict[tuple[int, str], int | None] = {}
        """States of single messages that it was shown; and where the look is told that began later."""
        self.asked: tuple[Asked, Answer | None] | None = None
        self.open(None)

    def now(self) -> Moment:
        return Moment(START + timedelta(seconds=self.channel.now), self.channel.now)

    def open(self, cursor: Mapping[str, Any] | None) -> None:
        stand = read_stand(cursor, channel=7, name="wire")
        self.standing = Standing(self.config, stand, fingerprint=print_of, now=self.now(), jitter=lambda: 0.5)
        self.asked = None
        self.pushes.clear()

    def restart(self, back: int) -> None:
        """Lose what was told behind the cursor that was told so many tellings ago, and go on from there."""
        places = [index for index, one in enumerate(self.told) if one.cursor is not None]
        place = places[-1 - back % len(places)] if places else None
        cursor = None if place is None else self.told[place].cursor
        self.told = [] if place is None else self.told[: place + 1]
        until = -1 if place is None else place
        self.shown = {state: look for state, look in self.shown.items() if look is not None and look <= until}
        self.open(cursor)

    def collect(self) -> None:
        looked = any(isinstance(one.what, Look) for one in self.standing.told)
        self.told += self.standing.told
        self.standing.told.clear()
        if looked:
            place = len(self.told) - 1
            self.shown = {state: place if look is None else look for state, look in self.shown.items()}

    def see(self, parts: Iterable[Part]) -> None:
        for part in parts:
            if part.group is None:
                self.shown.setdefault((part.id, part.body["text"]), None)

    def ask(self) -> bool:
        for _ in range(2):
            if self.asked is None and (asked := self.standing.next(self.now())) is not None:
                self.asked = (asked, None)
            self.standing.release(self.now())
        self.collect()
        return self.asked is not None

    def serve(self) -> None:
        """Let the server make its answer now; it arrives later."""
        if self.asked is not None and self.asked[1] is None:
            self.asked = (self.asked[0], self.channel.answer(self.asked[0].ask))

    def deliver(self) -> None:
        self.serve()
        if self.asked is not None:
            (asked, answer), self.asked = self.asked, None
            assert answer is not None
            if isinstance(answer, Changes):
                self.see([*answer.new, *(one.part for one in answer.updates if isinstance(one, Said))])
            elif asked.why != "first":  # it only measures
                above = asked.ask.after if isinstance(asked.ask, Newer) else 0
                self.see(part for part in answer.parts if part.id > above)
            self.standing.answered(asked, answer, self.now())
            self.collect()

    def fail(self) -> None:
        if self.asked is not None:
            asked, self.asked = self.asked[0], None
            self.standing.failed(asked, self.now(), 1.0)

    def refuse(self) -> None:
        if self.asked is not None and isinstance(self.asked[0].ask, Difference):
            self.asked = None
            self.standing.refused(self.now())

    def push(self, index: int) -> None:
        """Let one of the pushes that are under way arrive."""
        if self.pushes:
            self.pushes.rotate(-(index % len(self.pushes)))
            update = self.pushes.popleft()
            self.standing.release(self.now())
            self.collect()
            if isinstance(update, Said) and self.standing.cursor().get("last") is not None:
                self.see([update.part])
            self.standing.heard(update, self.now())
            self.collect()

    def quiet(self) -> None:
        """Let pushes be lost, and look until two rounds brought nothing."""
        self.pushes.clear()
        for _ in range(3):
            self.channel.now += 1000
            self.standing.shaken(self.now())
            steps = 0
            while self.ask():
                self.deliver()
                steps += 1
                assert steps < 2000, "it spins"
            self.channel.now += self.config.album_seconds + 1
            self.standing.tick(self.now())
            self.collect()

    def books(self) -> Books:
        books = Books()
        for telling in self.told:
            books.enter(telling)
        return books
