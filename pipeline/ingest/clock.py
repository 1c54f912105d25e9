"""Ingest's clock: it starts at the host's time and goes on monotonically, whatever is done to the host's."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from time import monotonic

ALARM_SECONDS = 10.0


class Clock:
    """Gives `observed` times."""

    def __init__(
        self,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
        steady: Callable[[], float] = monotonic,
    ) -> None:
        start = wall()
        self._start = start.replace(microsecond=start.microsecond // 1000 * 1000)
        self._steady = steady
        self._zero = steady()

    def now(self) -> datetime:
        """Give the time, UTC, in milliseconds; never earlier than before."""
        return self._start + timedelta(0, 0, 0, round((self._steady() - self._zero) * 1000))
