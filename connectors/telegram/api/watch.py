"""Whether a connection that is there brings what it should. Pure: the time is a number that is passed in."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Watch:
    """What one account's connection has brought.

    A channel that was never pushed is none that the account has joined: nothing follows from its silence.

    Args:
        patience: seconds of silence that are too many, while there is something.
    """

    patience: float
    _top: dict[int, int] = field(default_factory=dict)
    _unheard: dict[int, float] = field(default_factory=dict)
    _asked: float | None = None
    _since: float = 0.0

    def connected(self, now: float) -> None:
        """It begins anew: what was not pushed before is no sign against this connection."""
        self._since, self._asked = now, None
        self._unheard.clear()

    def pushed(self, now: float, channel: int, message: int | None) -> None:
        """An update came: the connection is not blind."""
        self._since = now
        self._unheard.clear()
        self._top[channel] = max(self._top.get(channel, 0), message or 0)

    def asked(self, now: float) -> None:
        """A request was sent."""
        self._asked = now if self._asked is None else self._asked

    def answered(self, now: float, channel: int | None = None, newest: int | None = None) -> None:
        """An answer came, of the channel's messages up to this one."""
        self._asked = None
        if channel is None or newest is None or channel not in self._top:
            return
        if newest > self._top[channel]:
            if self._top[channel]:
                self._unheard.setdefault(channel, now)
            self._top[channel] = newest

    def trouble(self, now: float) -> str | None:
        """Give why the connection is to be made anew; none if it is not."""
        if self._asked is not None and now - self._asked > self.patience:
            return f"no answer to anything for {now - self._asked:.0f} s"
        first = min(self._unheard.values(), default=None)
        if first is not None and now - max(first, self._since) > self.patience:
            return f"new posts were seen by asking, and none was pushed for {now - self._since:.0f} s"
        return None
