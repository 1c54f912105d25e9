"""When a source's posts are unreadable so often that the source, or our reading of it, is broken. Pure.

Ingest stops such a source before it fills deadletters with all that it shows: its cursor stays where it is,
and what came before is in deadletters, to be retried.
"""

from collections import deque

LAST = 100
"""So many observations are looked at: of a busy wire minutes, of a page one or two looks."""
LEAST = 20
"""Before so many nothing is decided: one page with a few broken entries is no broken source."""
MOST = 0.5
"""More than this share of them: whoever still gets half of a source through is better served by retrying."""


class Outcomes:
    """What became of each source's last observations."""

    def __init__(self) -> None:
        self._last: dict[str, deque[bool]] = {}

    def add(self, source: str, *, readable: bool) -> str | None:
        """Count one observation; give the reason if the source is to be quarantined now."""
        last = self._last.setdefault(source, deque(maxlen=LAST))
        last.append(readable)
        if readable or len(last) < LEAST:
            return None
        bad = last.count(False)
        if bad <= MOST * len(last):
            return None
        return f"quarantined: {bad} of its last {len(last)} posts could not be normalised"

    def forget(self, source: str) -> None:
        """Begin anew: it was released."""
        self._last.pop(source, None)
