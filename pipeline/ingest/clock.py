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
        self._start = wall()
        self._steady = steady
        self._zero = steady()

    def now(self) -> datetime:
        """Give the time, UTC, in milliseconds; never earlier than before."""
        elapsed = round(self._steady() - self._zero, 3)
        start = self._start.replace(microsecond=self._start.microsecond // 1000 * 1000)
        return start + timedelta(seconds=elapsed)
