"""How long to wait before another try, and waiting for the first of several things."""

import asyncio
from collections.abc import Awaitable
from time import monotonic
from typing import Any, cast

from tenacity import RetryCallState, Retrying
from tenacity.wait import wait_random_exponential

BACKOFF_FIRST_SECONDS = 1.0
BACKOFF_MAX_SECONDS = 300.0
YIELD_SECONDS = 0.005


class Breath:
    """Gives the event loop a turn every few milliseconds of long work.

    Without it heartbeats starve, and the group takes a busy process for a dead one.
    """

    def __init__(self) -> None:
        self._last = monotonic()

    async def due(self) -> None:
        """Let others run, if it is time."""
        if monotonic() - self._last > YIELD_SECONDS:
            await asyncio.sleep(0)
            self._last = monotonic()


async def first_of(*awaitables: Awaitable[Any]) -> None:
    """Wait until one of them is done.

    Coroutines that are not done then are cancelled; tasks and futures that were passed in are left alone.

    Raises:
        Exception: what a coroutine that is done raised. Tasks keep theirs for their owner.
    """
    own = [asyncio.ensure_future(one) for one in awaitables if asyncio.iscoroutine(one)]
    given = [asyncio.ensure_future(one) for one in awaitables if not asyncio.iscoroutine(one)]
    try:
        done, _ = await asyncio.wait([*own, *given], return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in own:
            task.cancel()
        await asyncio.gather(*own, return_exceptions=True)
    for task in own:
        if task in done:
            task.result()


def delay_seconds(failures: int, *, at_least: float | None = None, cap: float = BACKOFF_MAX_SECONDS) -> float:
    """Give how long to wait: capped exponential with full jitter, never less than the wire asked for."""
    state = RetryCallState(cast("Retrying", None), None, (), {})
    state.attempt_number = failures
    wait = wait_random_exponential(multiplier=BACKOFF_FIRST_SECONDS, max=cap)
    return max(wait(state), at_least or 0.0)
