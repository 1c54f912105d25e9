"""A recording as a wire sends it: each post at its moment by the clock, whether anybody listens or not.

A recording at its own pace (`speed: real`) waits for its reader, so a take-over slows it down; a wire does
not wait, and who comes back finds everything that was sent meanwhile.
"""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing

from pydantic import Field

from connectors.recording import Recording, RecordingConfig
from connectors.seam import Cursor, Sight


class WireConfig(RecordingConfig):
    """A recording that goes on air."""

    began: float = Field(description="when line 0 was sent, Unix time in seconds")
    per_second: float = Field(gt=0, description="lines a second")


class Wire(Recording):
    """Shows a line once it was sent."""

    def __init__(self, config: WireConfig) -> None:
        super().__init__(config)
        self._began = config.began
        self._per_second = config.per_second

    async def observe(self, cursor: Cursor | None) -> AsyncGenerator[Sight]:
        """Yield every line behind the cursor, none before its moment."""
        async with aclosing(super().observe(cursor)) as sights:
            async for sight in sights:
                line = (getattr(sight, "cursor", None) or {}).get("line", 0)
                wait = self._began + line / self._per_second - time.time()
                if wait > 0:
                    await asyncio.sleep(wait)
                yield sight
