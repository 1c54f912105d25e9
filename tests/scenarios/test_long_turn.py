"""The end of an epoch may take long; the process goes on telling its group that it is alive."""

import asyncio
import time
from collections.abc import Sequence
from datetime import timedelta

import pytest

from pipeline.core import Boundary, Output
from pipeline.deduplicate.decide import Deduplicate
from pipeline.deduplicate.state import State
from tests.scenarios.desk import Desk
from tests.scenarios.stages import run
from tests.scenarios.test_poison import NOON, item, write

pytestmark = pytest.mark.kafka
PATIENCE_SECONDS = 10


class Slow(Deduplicate):
    """Takes until others have had three turns of the event loop to end an epoch."""

    def __init__(self) -> None:
        super().__init__()
        self.turns_of_others = 0
        self.ended = 0

    def turn(self, boundary: Boundary, state: State) -> Sequence[Output]:
        until, before = time.monotonic() + PATIENCE_SECONDS, self.turns_of_others
        while self.turns_of_others < before + 3:
            if time.monotonic() > until:
                raise RuntimeError("nothing else ran while the epoch ended")
            time.sleep(0.001)
        self.ended += 1
        return super().turn(boundary, state)


async def test_others_run_while_an_epoch_ends(desk: Desk) -> None:
    core = Slow()

    async def others() -> None:
        while True:
            core.turns_of_others += 1
            await asyncio.sleep(0.001)

    hours = [timedelta(hours=8 * n) for n in range(5)]  # stage time is their median: 0, 0, 8, 8, 16
    await write(desk, [item(n, f"text {n}", observed=NOON + each) for n, each in enumerate(hours)])
    task = asyncio.create_task(others())
    try:
        await run(desk, core)
    finally:
        task.cancel()
    assert core.ended == 2
