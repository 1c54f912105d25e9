"""How a campaign starts the daemon's processes: `dateline run`, paced, behind a proxy, with another clock.

What is changed lies around the daemon, never in it, unless a mutant is asked for (tests/chaos/mutants.py).
"""

import asyncio
import os
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

from aiokafka.conn import create_conn

from connectors.recording import Recording
from connectors.seam import Cursor, Sight
from pipeline.cli import main as dateline
from pipeline.daemon import compose
from pipeline.ingest.clock import Clock
from pipeline.kafka import wire
from tests.chaos.mutants import MUTANTS

PACE = "CHAOS_PACE"
"""Lines a second."""
HURRY = "CHAOS_HURRY"
"""Where this file is, there is no pace."""
CLOCK = "CHAOS_CLOCK"
"""Seconds by which the host's clock is wrong."""
LINKS = "CHAOS_LINKS"
"""Ports of brokers, and those of the proxies before them: 20000=31000,20002=31001."""
MUTANT = "CHAOS_MUTANT"


def pace(lines_a_second: float, hurry: Path) -> None:
    """Let recordings yield so many lines a second."""
    observe = Recording.observe

    async def paced(self: Recording, cursor: Cursor | None) -> AsyncGenerator[Sight]:
        async with aclosing(observe(self, cursor)) as sights:
            async for sight in sights:
                yield sight
                if not hurry.exists():  # noqa: ASYNC240  # a look at one file, between two lines
                    await asyncio.sleep(1 / lines_a_second)

    patch.object(Recording, "observe", paced).start()


def shift_clock(seconds: float) -> None:
    """Let ingest find the host's clock off."""

    def wall() -> datetime:
        return datetime.now(UTC) + timedelta(seconds=seconds)

    patch.object(compose, "Clock", partial(Clock, wall=wall)).start()


def go_by_proxies(ports: Mapping[int, int]) -> None:
    """Connect to the proxy before a broker in its place."""
    connect = create_conn

    async def connected(host: str, port: int, **more: Any) -> Any:
        return await connect(host, ports.get(port, port), **more)

    patch.object(wire, "create_conn", connected).start()


def main() -> None:
    """Change what the environment says, then be `dateline`."""
    told = os.environ
    if PACE in told:
        pace(float(told[PACE]), Path(told[HURRY]))
    if CLOCK in told:
        shift_clock(float(told[CLOCK]))
    if told.get(LINKS):
        go_by_proxies({int(a): int(b) for a, b in (pair.split("=") for pair in told[LINKS].split(","))})
    if told.get(MUTANT):
        MUTANTS[told[MUTANT]].apply()
    dateline()


if __name__ == "__main__":
    main()
