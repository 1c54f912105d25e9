"""Walks through a channel's history, page by page: what to ask next, and what is proven. Pure."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from connectors.telegram.albums import Part, Parts, first_is_cut, posts_of, split_last
from connectors.telegram.api.asks import PAGE, Ask, Moment, Newer, Older, Page, These
from connectors.telegram.api.telling import Asked

HOLES = 1000
"""A larger jump between two ids is not looked at message by message."""
MISSING_KEPT = 100_000
ALBUM = 10
"""Messages of the largest album."""


class Counted:
    """Messages, and the channel's count of changes when each was shown, as far as that is known."""

    def __init__(self) -> None:
        self._counts: dict[int, int] = {}

    def show(self, messages: Iterable[int], count: int | None) -> None:
        """Take in that messages were shown by a page of this count."""
        self._counts |= {} if count is None else dict.fromkeys(messages, count)

    def keep(self, messages: Iterable[int]) -> None:
        """Forget all others."""
        kept = set(messages)
        self._counts = {message: count for message, count in self._counts.items() if message in kept}

    def of(self, parts: Parts) -> int | None:
        """Give the count behind which a post is as it was shown."""
        return min((self._counts[part.id] for part in parts if part.id in self._counts), default=None)


class Ready(NamedTuple):
    """A post that history proved.

    Attributes:
        parts: its messages.
        behind: the id up to which all is behind it.
        pts: the channel's count of changes when it was shown.
    """

    parts: Parts
    behind: int
    pts: int | None


class Upward:
    """From the checkpoint to the newest message, in ascending pages.

    Servers have returned fewer messages than asked for. So a short page is not the end: only an empty one is,
    or one that reaches what is known to be the newest. And an id that a page leaves out is looked at by
    itself before anything passes over it. An album that stands last on a page waits for the next page.

    Attributes:
        head: the newest message, as far as Telegram told; none: only an empty page is the end.
        done: there is nothing more to ask for.
        ready: posts that are complete, ascending.
        holes: ids that the page left out, to be looked at.
        asked: how the oldest of what waits was asked for; none before the first page.
        missing: ids of jumps that are too large to be looked at one by one.

    Args:
        after: where it starts.
        head: as the attribute.
    """

    def __init__(self, after: int, head: int | None) -> None:
        self.done = False
        self.ready: deque[Ready] = deque()
        self.holes: list[int] = []
        self.missing: list[int] = []
        self.asked: Asked | None = None
        self._counted = Counted()
        self._position = after
        self.head = head
        self._page: list[Part] = []
        self._carry: list[Part] = []
        self._short = False

    def wanted(self) -> Iterator[tuple[str, Ask]]:
        """Give what to ask next, and why; nothing at the end."""
        if self.holes:
            yield "holes", These(tuple(self.holes[:PAGE]))
        elif not self.done:
            yield "newer", Newer(self._position)

    def give(self, most: int | None = None) -> list[Ready]:
        """Give up what is `ready`, or so many of it."""
        count = len(self.ready) if most is None else min(most, len(self.ready))
        return [self.ready.popleft() for _ in range(count)]

    def take(self, page: Page, asked: Asked, gone: Callable[[int], bool]) -> None:
        """Take in a page, when what was `ready` is given; nothing is ready while there are `holes`.

        Args:
            page: the answer.
            asked: to this.
            gone: whether it is known that a message does not exist.
        """
        if not self._carry:
            self.asked = asked
        shown = {part.id: part for part in page.parts if part.id > self._position}
        self._counted.show(shown, page.pts)
        self._page = [shown[number] for number in sorted(shown)]
        self._short = len(page.parts) < PAGE
        if not self._page:
            self._release()
            return
        left_out = range(self._position + 1, self._page[-1].id)
        absent = [number for number in left_out if number not in shown and not gone(number)]
        if len(absent) > HOLES:
            self.missing = [*self.missing, *absent][:MISSING_KEPT]
        elif absent:
            self.holes = absent
            return
        self._release()

    def fill(self, found: Iterable[Part], asked: Iterable[int]) -> None:
        """Take in what stands in holes that were asked for."""
        answered = set(asked)
        self.holes = [number for number in self.holes if number not in answered]
        shown = {part.id: part for part in (*found, *self._page)}
        self._page = [shown[number] for number in sorted(shown)]
        if not self.holes:
            self._release()

    def _release(self) -> None:
        page, self._page = self._page, []
        buffer = sorted([*self._carry, *page], key=lambda part: part.id)
        if page:
            self._position = page[-1].id
            buffer, self._carry = split_last(buffer)
            at_head = self.head is not None and self._position >= self.head
            self.done = self._short and at_head and not self._carry
        else:
            self._carry, self.done = [], True
        posts = posts_of(buffer)
        waiting = [part.id for part in self._carry]
        starts = [post[0].id for post in posts[1:]]
        for index, post in enumerate(posts):
            behind = min([*starts[index:], *waiting], default=self._position + 1) - 1
            self.ready.append(Ready(post, behind, self._counted.of(post)))
        self._counted.keep(waiting)


class Downward:
    """The last posts, from the newest downwards, so many and no album cut.

    Attributes:
        done: enough was shown.

    Args:
        count: so many posts.
        floor: nothing below this id is wanted.
        number: of what had been heard when it began.
        began: when.
    """

    def __init__(self, count: int, *, floor: int, number: int, began: Moment) -> None:
        self.number = number
        self.began = began
        self.done = False
        self._counted = Counted()
        self._count = count
        self._floor = floor
        self._parts: dict[int, Part] = {}
        self._before = 0
        self._beginning = False

    def ask(self) -> Older:
        """Give what to ask next."""
        return Older(self._before, min(PAGE, self._count + ALBUM))

    def take(self, page: Page) -> None:
        """Take in a page."""
        shown = [part for part in page.parts if not self._before or part.id < self._before]
        self._counted.show((part.id for part in shown), page.pts)
        self._parts |= {part.id: part for part in shown}
        self._before = min(self._parts, default=1)
        self._beginning = not shown or self._before <= self._floor
        self.done = self._beginning or self._enough()

    def _enough(self) -> bool:
        if len(self._parts) < self._count:
            return False  # nor are there enough posts; a long walk does not put them together at each page
        posts = posts_of(self._parts.values())
        return len(posts) - first_is_cut(posts, beginning=self._beginning) >= self._count

    def posts(self) -> list[Parts]:
        """Give the posts, ascending."""
        posts = posts_of(self._parts.values())
        return [post for post in posts[max(0, len(posts) - self._count) :] if post[0].id >= self._floor]

    def low(self) -> int:
        """Give the lowest id that is covered; above all that is shown if nothing was wanted."""
        posts = posts_of(self._parts.values())
        if self._beginning and len(posts) <= self._count:
            return max(self._floor, 1)
        kept = posts[len(posts) - self._count :]
        return max(self._floor, kept[0][0].id if kept else (self.high() or 0) + 1)

    def high(self) -> int | None:
        """Give the highest id that was shown; none if there was nothing."""
        return max(self._parts, default=None)

    def pts(self, parts: Parts) -> int | None:
        """Give the channel's count of changes when a post was shown."""
        return self._counted.of(parts)

    def parts(self) -> list[Part]:
        """Give all messages that were shown, ascending."""
        return [self._parts[number] for number in sorted(self._parts)]

    def shown(self) -> set[int]:
        """Give all ids that were shown."""
        return set(self._parts)
