"""What the armed processes wrote down: each fault that they met, and each commit."""

import asyncio
import json
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

POLL_SECONDS = 0.05
COMMIT = "commit.ended"
OPENED = "stage.opened"
NOTES = f"{COMMIT}=note,{OPENED}=note"
"""Orders that every process of a campaign has, so that recovery can be timed."""
LEFT: Mapping[str, str] = {"deduplicate": "ingest", "cluster": "deduplicate", "chronology": "cluster"}


class Met(NamedTuple):
    """A point was reached.

    Attributes:
        at: Unix time, seconds.
        role: of the process.
        pid: the process.
        point: the failpoint.
        action: what happened there.
    """

    at: float
    role: str
    pid: int
    point: str
    action: str


class Evidence:
    """Follows the file that all processes write to."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.faults: list[Met] = []
        self._commits: defaultdict[str, list[float]] = defaultdict(list)
        self._opened: defaultdict[str, list[float]] = defaultdict(list)
        self._read = 0
        path.touch()

    def look(self) -> None:
        """Take in what was written since the last look."""
        with self.path.open("rb") as file:
            file.seek(self._read)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                self._read += len(line)
                self._take(Met(**json.loads(line)))

    async def fault(self, pid: int) -> Met:
        """Wait until a process meets its fault."""
        return await self._first(lambda met: met.pid == pid)

    async def fault_of(self, role: str, since: float) -> Met:
        """Wait until a process of a role meets a fault."""
        return await self._first(lambda met: met.role == role and met.at > since)

    async def _first(self, wanted: Callable[[Met], bool]) -> Met:
        while True:
            self.look()
            for met in filter(wanted, self.faults):
                return met
            await asyncio.sleep(POLL_SECONDS)

    async def recovery(self, role: str, since: float) -> float:
        """Wait for the role's next commit after a moment, or until it can read and nothing waits for it.

        Returns:
            When that was.
        """
        while True:
            self.look()
            if (at := self._next(self._commits[role], since)) is not None:
                return at
            if (opened := self._next(self._opened[role], since)) is not None and not self._waits(
                role, opened
            ):
                return opened
            await asyncio.sleep(POLL_SECONDS)

    def _waits(self, role: str, at: float) -> bool:
        """Whether the left neighbour has committed since the role last did."""
        return self._last(LEFT[role], at) > self._last(role, at)

    def _last(self, role: str, until: float) -> float:
        place = bisect_right(self._commits[role], until)
        return self._commits[role][place - 1] if place else 0.0

    def _take(self, met: Met) -> None:
        if met.action != "note":
            self.faults.append(met)
        elif met.point == COMMIT:
            self._commits[met.role].append(met.at)
        elif met.point == OPENED:
            self._opened[met.role].append(met.at)

    @staticmethod
    def _next(times: list[float], since: float) -> float | None:
        place = bisect_right(times, since)
        return times[place] if place < len(times) else None
