"""What may be asked with one account, and when. Pure: the time is a number that is passed in.

Telegram answers FLOOD_WAIT to a request, and means the account, the kind of request and often the channel,
too. What it says of one channel's request must hold that request alone. So a request that has to wait is not
let into the line at all; its source is told how long, and the others go on. Only when several channels wait
for the same kind of request is it taken for what it then is: the account asks too much of that kind.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

HOUR = 3600.0
SEVERAL = 3
"""So many channels that wait for the same kind of request: it is the account that has to wait."""
RESOLVE = "ResolveUsernameRequest"


@dataclass(frozen=True, slots=True)
class Rate:
    """How often something may be asked.

    Attributes:
        per_hour: times in any hour.
        spacing: seconds between two, at least.
        burst: after so many in an hour the others are spread over it, so that nobody waits for its end; none:
            as many as there may be.
    """

    per_hour: int
    spacing: float
    burst: int | None = None


RATES: Mapping[str, Rate] = {RESOLVE: Rate(per_hour=60, spacing=3.0)}
"""Kinds of requests with a rate of their own; a few names too many have silenced accounts for a day."""


@dataclass(frozen=True, slots=True)
class Lane:
    """What a FLOOD_WAIT is about: a kind of request, and the channel.

    Attributes:
        method: the request's name.
        channel: its number, or the name that is to be resolved; none where it is about no channel.
    """

    method: str
    channel: int | str | None = None


@dataclass(eq=False, slots=True)
class Ticket:
    """A place in the line."""

    source: str
    lane: Lane
    since: float


class MustWait(Exception):
    """A request may not even stand in line for so long.

    Attributes:
        seconds: to wait.
    """

    def __init__(self, reason: str, seconds: float) -> None:
        super().__init__(reason)
        self.seconds = seconds


@dataclass(slots=True)
class _Meter:
    """When something was asked in the last hour."""

    rate: Rate
    asked: deque[float] = field(default_factory=deque)

    def due(self, now: float) -> float:
        """Give when it may be asked next."""
        while self.asked and self.asked[0] <= now - HOUR:
            self.asked.popleft()
        if not self.asked:
            return now
        due = self.asked[-1] + self.spacing()
        if len(self.asked) >= self.rate.per_hour:
            due = max(due, self.asked[-self.rate.per_hour] + HOUR)
        return max(due, now)

    def spacing(self) -> float:
        """Give the seconds between two requests, after so many in this hour."""
        rate = self.rate
        if rate.burst is None or len(self.asked) < rate.burst:
            return rate.spacing
        return max(rate.spacing, HOUR / max(1, rate.per_hour - rate.burst))


class Schedule:
    """The line of requests of one account.

    Args:
        rate: of all requests together.
        rates: of kinds of requests, in addition.
        patience: seconds; who would stand in line for longer is told to come again later. Nobody stands in
            it for more than twice as long, whatever the estimate was.
    """

    def __init__(self, rate: Rate, *, rates: Mapping[str, Rate] = RATES, patience: float = 30.0) -> None:
        self._all = _Meter(rate)
        self._kinds = {method: _Meter(one) for method, one in rates.items()}
        self._patience = patience
        self._line: list[Ticket] = []
        self._served: dict[str, float] = {}
        self._until: dict[Lane, float] = {}

    def __len__(self) -> int:
        return len(self._line)

    def enter(self, now: float, source: str, lane: Lane) -> Ticket:
        """Stand in line.

        Raises:
            MustWait: it is held by a FLOOD_WAIT, or the line is too long.
        """
        if (left := self.held(now, lane)) > 0:
            raise MustWait("Telegram wants this request to wait (FLOOD_WAIT)", left)
        if (left := self._expected(now, lane.method)) > self._patience:
            raise MustWait("as many requests as one account may make are made or in line", left)
        ticket = Ticket(source, lane, now)
        self._line.append(ticket)
        return ticket

    def leave(self, ticket: Ticket) -> None:
        """Do not ask after all."""
        if ticket in self._line:
            self._line.remove(ticket)

    def next(self, now: float) -> Ticket | None:
        """Give whose turn it is now, out of the line; of several the source that was served longest ago."""
        free = [ticket for ticket in self._line if self._due(now, ticket.lane.method) <= now]
        if not free:
            return None
        chosen = min(free, key=lambda one: (self._served.get(one.source, float("-inf")), one.since))
        self._line.remove(chosen)
        self._served[chosen.source] = now
        for meter in self._meters(chosen.lane.method):
            meter.asked.append(now)
        return chosen

    def due(self, now: float) -> float | None:
        """Give when it will be somebody's turn; none if nobody is in line."""
        return min((self._due(now, ticket.lane.method) for ticket in self._line), default=None)

    def given_up(self, now: float) -> list[tuple[Ticket, float]]:
        """Give who need not stand in line any longer, no longer in it, and in how many seconds to come again.

        An hour's requests may be used up by those ahead: then the rest of the line would stand there for
        the rest of the hour, and nobody would be told.
        """
        late = [(ticket, self._due(now, ticket.lane.method)) for ticket in self._line]
        out = [(ticket, due - now) for ticket, due in late if due - ticket.since > 2 * self._patience]
        for ticket, _ in out:
            self._line.remove(ticket)
        return out

    def flooded(self, now: float, lane: Lane, seconds: float) -> list[Ticket]:
        """Take in a FLOOD_WAIT; give who stood in line for the same, and no longer does."""
        self._until[lane] = max(self._until.get(lane, now), now + seconds)
        self._until = {one: until for one, until in self._until.items() if until > now}
        out = [ticket for ticket in self._line if self.held(now, ticket.lane) > 0]
        self._line = [ticket for ticket in self._line if ticket not in out]
        return out

    def held(self, now: float, lane: Lane) -> float:
        """Give for how many seconds a request must wait by what Telegram said; 0 if it may be made."""
        own = self._until.get(lane, now) - now
        others = sorted(until - now for one, until in self._until.items() if one.method == lane.method)
        others = [left for left in others if left > 0]
        several = others[0] if len(others) >= SEVERAL or (lane.method == RESOLVE and others) else 0.0
        return max(own, several, 0.0)

    def waits(self, now: float) -> dict[Lane, float]:
        """Give what waits, and for how many seconds more."""
        return {lane: until - now for lane, until in self._until.items() if until > now}

    def _meters(self, method: str) -> list[_Meter]:
        return [self._all, *([self._kinds[method]] if method in self._kinds else [])]

    def _due(self, now: float, method: str) -> float:
        return max(meter.due(now) for meter in self._meters(method))

    def _expected(self, now: float, method: str) -> float:
        """Estimate how long it takes until everybody in line for the same has been served."""
        meter = self._kinds.get(method, self._all)
        ahead = sum(1 for one in self._line if meter is self._all or one.lane.method == method)
        return self._due(now, method) - now + ahead * meter.spacing()
