"""When each part of the pipeline committed something, as seen from outside."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from pipeline.daemon.compose import CORES, ROLES
from pipeline.daemon.replay import STAGE_INPUTS
from pipeline.kafka import Admin, KafkaProblem, KafkaSettings, Reader
from schemas.topics import ITEMS

POLL_SECONDS = 0.05
PATIENCE_SECONDS = 90.0
OWN_LAST_SECONDS = 0.2
"""So long after a kill we may still see what the dead one had committed."""


@dataclass
class Progress:
    """The moments at which commits were seen, by role, on the monotonic clock."""

    moments: dict[str, list[float]] = field(default_factory=lambda: {role: [] for role in ROLES})

    async def first_after(self, role: str, killed: float) -> float:
        """Wait for the first commit by another one; give the seconds since the kill.

        Raises:
            RuntimeError: there is none; or the machine is so busy that the recording ended meanwhile.
        """
        while time.monotonic() < killed + PATIENCE_SECONDS:
            later = [moment for moment in self.moments[role] if moment > killed + OWN_LAST_SECONDS]
            if later:
                return later[0] - killed
            await asyncio.sleep(POLL_SECONDS)
        raise RuntimeError(f"{role} has committed nothing for {PATIENCE_SECONDS:.0f} s after a kill")


@asynccontextmanager
async def progress_of(settings: KafkaSettings, prefix: str) -> AsyncIterator[Progress]:
    """Note commits while the block runs."""
    progress = Progress()
    tasks = [asyncio.create_task(_ingest(progress, settings, prefix))]
    tasks += [asyncio.create_task(_stage(progress, settings, prefix, stage)) for stage in CORES]
    try:
        yield progress
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _ingest(progress: Progress, settings: KafkaSettings, prefix: str) -> None:
    reader = await Reader.open(settings, ITEMS.full(prefix), [0])
    known = -1
    try:
        while True:
            with suppress(KafkaProblem):
                known = _note(progress, "ingest", known, await reader.end_offset(0))
            await asyncio.sleep(POLL_SECONDS)
    finally:
        await reader.close()


async def _stage(progress: Progress, settings: KafkaSettings, prefix: str, stage: str) -> None:
    slot, known = (STAGE_INPUTS[stage].full(prefix), 0), -1
    async with Admin(settings) as admin:
        while True:
            with suppress(KafkaProblem):
                offsets = await admin.group_offsets(f"{prefix}{stage}")
                known = _note(progress, stage, known, offsets.get(slot, known))
            await asyncio.sleep(POLL_SECONDS)


def _note(progress: Progress, role: str, known: int, now: int) -> int:
    if now > known >= 0:
        progress.moments[role].append(time.monotonic())
    return max(known, now)
