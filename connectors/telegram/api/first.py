"""First contact with a channel: where the backlog begins, and where it ends. Pure."""

from datetime import datetime

from connectors.telegram.api.asks import PAGE, Ask, Back, Moment, Older, Page, Until
from connectors.telegram.api.walks import ALBUM, Downward

WALKED = 2 * PAGE
"""Where a longer backlog begins is looked up, not walked to; an album counts there as its messages."""


class First:
    """What is asked before history is read upwards.

    Attributes:
        head: the newest message at first contact: up to it posts are backlog; 0: there is none.
        after: below all that is to be brought in; none as long as that is not known.

    Args:
        posts: so many of the last ones,
        since: or all since then.
        began: when.
    """

    def __init__(self, posts: int, since: datetime | None, *, began: Moment) -> None:
        self.head = 0
        self.after: int | None = None
        self._since = since
        self._start = Start(posts) if since is None and posts > WALKED else None
        self._down = Downward(0 if since is not None else posts, floor=0, number=0, began=began)

    def ask(self) -> Ask:
        """Give what to ask next."""
        if self._start is not None:
            return self._start.ask()
        if self._since is not None and self.head:
            return Until(self._since)
        return self._down.ask()

    def take(self, page: Page) -> None:
        """Take in a page."""
        if self._start is not None:
            self._look_up(self._start, page)
        elif self._since is not None and self.head:
            self.after = max((part.id for part in page.parts), default=0)
        else:
            self._walk(page)

    def _look_up(self, start: "Start", page: Page) -> None:
        start.take(page)
        if start.failed:
            self._start = None
        elif start.low is not None:
            self.head, self.after = start.head, start.low - 1

    def _walk(self, page: Page) -> None:
        self._down.take(page)
        if self._down.done:
            self.head = self._down.high() or 0
            if self._since is None or not self.head:
                self.after = self._down.low() - 1


class Start:
    """Where the last so many messages begin, found in two requests, no album cut.

    A walk down to that place would read all of them, and the walk up reads them again.

    Attributes:
        head: the newest message; 0: there is none, or nobody said yet.
        low: the lowest of the last so many; none as long as it is not found.
        failed: what Telegram showed is not what was asked for; the place has to be walked to.

    Args:
        count: so many messages.
    """

    def __init__(self, count: int) -> None:
        self.head = 0
        self.low: int | None = None
        self.failed = False
        self._count = count

    def ask(self) -> Older | Back:
        """Give what to ask next."""
        return Back(self.head, self._count - ALBUM, 2 * ALBUM) if self.head else Older(0, 1)

    def take(self, page: Page) -> None:
        """Take in a page."""
        parts = sorted(page.parts, key=lambda part: part.id, reverse=True)
        if not self.head:
            self.head = parts[0].id if parts else 0
            if page.total is None:
                self.failed = True
            elif page.total <= self._count:
                self.low = 1
        elif len(parts) < 2 * ALBUM or parts[0].id > self.head:
            self.failed = True
        else:
            place = ALBUM - 1
            group = parts[place].group
            while group is not None and place + 1 < len(parts) and parts[place + 1].group == group:
                place += 1
            self.low = parts[place].id
