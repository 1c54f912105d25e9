"""Where pushes, polls and pages meet: messages become posts, and what is new in them is told. Pure."""

from collections.abc import Iterable
from dataclasses import replace

from connectors.telegram.albums import Held, Part, Parts, joined, posts_of
from connectors.telegram.api.asks import Page
from connectors.telegram.api.known import Known, News, Shown, Vanished, Word
from connectors.telegram.api.stand import Stand
from connectors.telegram.api.walks import ALBUM


class Intake:
    """The one idempotent step of one channel: it gives what is to be told.

    Attributes:
        known: what is known of the last posts.
        last: highest id up to which pages proved everything; none: first contact is not over.
        first: lowest id that was taken in.
        top: the newest message that was heard of.
        around: messages whose albums are to be looked at.
        unseen: messages that were gone before they were seen.

    Args:
        stand: where the channel stood.
        known: what is known of its last posts.
        album_seconds: that a pushed part of an album waits for the others.
    """

    def __init__(self, stand: Stand, known: Known, album_seconds: float) -> None:
        self.known = known
        self.last = stand.last
        self.first = stand.first if stand.first is not None else min(stand.window, default=None)
        self.top = 0
        self.around: dict[int, None] = {}
        self.unseen: dict[int, None] = dict.fromkeys(stand.unseen)
        self._above = dict.fromkeys(stand.gone)
        self._held = Held(album_seconds)

    def gone_above(self, last: int) -> list[int]:
        """Give the messages above the cursor's `last` that are known to be gone; no later one is lower."""
        self._above = {one: None for one in self._above if one > last and self.known.was_gone(one)}
        return list(self._above)

    def due(self) -> float:
        """Give the moment at which an album has waited long enough."""
        due = self._held.due()
        return float("inf") if due is None else due

    def let_go(self, word: Word) -> list[News]:
        """Give the albums that have waited long enough, as far as they came."""
        news: list[News] = []
        for states in self._held.take_due(word.ticks):
            news += self._pushed(states, word)
        return news

    def say(self, part: Part, word: Word) -> list[News]:
        """Take in a message by itself. A part of an album joins those that are known, or waits for them."""
        self.top = max(self.top, part.id)
        if part.group is None:
            # a push about a post that is too old to be remembered is new; a difference tells old things too
            lowest = self.known.lowest() if word.way == "push" else 0
            passed = lowest <= part.id <= (self.last or 0)
            if passed and not self.known.has(part.id):  # it was not there: this word may be an old one
                self.known.doubt(part, word)
                return []
            return self.known.arrive((part,), word)
        if self.known.has_whole(part) or self.known.was_gone(part.id):
            return self.known.arrive((part,), replace(word, whole=False))
        if part.id > (self.last or 0) and not self.known.has(part.id):
            self._held.add(part, word.ticks, word.pts)
        else:
            self.around[part.id] = None
        return []

    def show(self, parts: Parts, word: Word) -> list[News]:
        """Take in a post that a page shows whole, and first what it said while it waited."""
        held = self._held.take(parts[0].group) if parts[0].group else []
        now = joined(held[-1][0] if held else (), parts)
        states = [(posts_of((*parts, *state))[0], count) for state, count in held]
        others = [(state, count) for state, count in states if state != now]
        return [*self._pushed(others, word), *self.known.arrive(now, word)]

    def _pushed(self, states: Iterable[tuple[Parts, int | None]], word: Word) -> list[News]:
        """Take in the states of an album that waited, in their order."""
        news: list[News] = []
        for parts, count in states:
            pushed = replace(word, way="push", asked=self.known.number, whole=False, pts=count)
            news += self.known.arrive(parts, pushed)
        return news

    def delete(self, messages: Iterable[int], word: Word) -> list[News]:
        """Take in that messages are gone."""
        fresh = [message for message in messages if not self.known.was_gone(message)]
        news: list[News] = []
        for group in sorted({group for one in fresh if (group := self._held.group_of(one))}):
            news += self._pushed(self._held.take(group), word)
        lowest = self.known.lowest()
        old: list[News] = []
        for message in fresh:
            self._above[message] = None
            if self.known.has(message):
                continue
            if message > (self.last or 0):
                self.unseen[message] = None
            elif message >= lowest:
                self.around[message] = None  # of an album, or never seen: its neighbours tell
            elif self.first is not None and message >= self.first:
                old.append(Vanished((message,), None))
        said = [message for message in messages if self.known.waits(message)]
        return [*news, *self.known.delete(dict.fromkeys([*fresh, *said]), word), *old]

    def told(self, news: Iterable[News]) -> list[int]:
        """Take in what is told: what is seen late is not among what was gone before it was seen; give it."""
        seen = [part.id for one in news if isinstance(one, Shown) for part in one.parts]
        for message in seen:
            self.unseen.pop(message, None)
        return seen

    def clear(self, page: Page, word: Word) -> list[News]:
        """Take in what stands where there was doubt."""
        news: list[News] = []
        for parts in posts_of(page.parts):
            if parts[0].group is not None and not self.known.has_whole(parts[0]):
                self.around[parts[0].id] = None
            else:
                news += self.known.arrive(parts, word)
        return [*news, *self.delete(page.empty, word)]

    def look_around(self, message: int, page: Page, word: Word) -> list[News]:
        """Take in the album around a message, and what else is shown of what is followed."""
        news: list[News] = []
        for parts in posts_of(page.parts):
            near = ALBUM if parts[0].group is not None else 1
            followed = self.known.has(parts[0].id) or parts[0].id > (self.last or 0)
            if parts[0].id - near < message < parts[-1].id + near:
                news += self.show(parts, word)
            elif parts[0].group is None and followed:
                news += self.say(parts[0], word)
        return news
