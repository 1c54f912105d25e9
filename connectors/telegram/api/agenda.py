"""When to look at a channel, and how: timers, what must wait, and what is to be asked instead. Pure.

Times are seconds of a clock that never jumps.
"""

from collections.abc import Callable

from connectors.telegram.api.asks import Kind

PATIENCE = 3600.0
"""A difference that Telegram keeps refusing is tried again this seldom, at most."""


class Agenda:
    """What is to be looked at.

    Attributes:
        newer: history above the checkpoint is to be read.
        thorough: and to its very end, whatever we think that the newest message is.
        differ: a difference is to be asked for.
        again: the last posts are to be looked at again.
        troubles: differences that Telegram refused or that jumped, one after the other.

    Args:
        poll: seconds between two looks for what is new.
        reread: seconds between two looks at the last posts.
        jitter: gives a number from 0 to 1; channels must not all ask at once.
        ticks: now.
    """

    def __init__(self, poll: float, reread: float, jitter: Callable[[], float], ticks: float) -> None:
        self.newer = self.thorough = self.differ = self.again = True
        self.troubles = 0
        self._poll = poll
        self._reread = reread
        self._jitter = jitter
        self._waits: dict[Kind, float] = {}
        self._poll_at = ticks + self._some(poll)
        self._reread_at = ticks + self._some(reread)

    @property
    def open(self) -> bool:
        """Whether anything is to be looked at."""
        return self.newer or self.differ or self.again

    def all(self) -> None:
        """Look at everything."""
        self.newer = self.thorough = self.differ = self.again = True

    def tick(self, ticks: float) -> None:
        """Want what is due."""
        if ticks >= self._poll_at:
            self._poll_at = ticks + self._some(self._poll)
            self.differ = True
        if ticks >= self._reread_at:
            self._reread_at = ticks + self._some(self._reread)
            self.again = True

    def hint(self, wait: float | None, ticks: float) -> None:
        """Take in that a server would like to be asked again after so many seconds.

        Earlier than the operator wants is never; later, up to twice as long.
        """
        if wait is not None and wait > self._poll:
            self._poll_at = ticks + self._some(min(wait, 2 * self._poll))

    def postpone(self, kind: Kind, until: float) -> None:
        """Let one kind of request wait."""
        self._waits[kind] = max(until, self._waits.get(kind, 0.0))

    def may(self, kind: Kind, ticks: float) -> bool:
        """Say whether a kind of request may be made."""
        return ticks >= self._waits.get(kind, 0.0)

    def trouble(self, ticks: float) -> None:
        """Take in that a difference told nothing: read history, and try differences ever less often."""
        self.troubles += 1
        self.postpone("difference", ticks + min(PATIENCE, self._poll * 2.0 ** min(self.troubles, 20)))
        self.instead()
        self.again = True

    def instead(self) -> None:
        """Read history instead of a difference."""
        self.differ = False
        self.newer = self.thorough = True

    def due(self, *, timers: bool) -> float:
        """Give the next moment at which something may have to be done; before first contact no timer runs."""
        clocks = [self._poll_at, self._reread_at] if timers else []
        return min([*clocks, *self._waits.values()], default=float("inf"))

    def rest(self, ticks: float) -> None:
        """Forget waits that are over."""
        self._waits = {kind: until for kind, until in self._waits.items() if until > ticks}

    def _some(self, seconds: float) -> float:
        return seconds * (0.8 + 0.4 * self._jitter())
