"""The cases, and how one is played."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from tests.scenarios.desk import Desk
from tests.telegram.operators.accounts import dead_session, flood_wait, login_used_twice, standby_takes_over
from tests.telegram.operators.channels import gone_private, renamed, taken_over
from tests.telegram.operators.stage import Seen, Stage
from tests.telegram.server import Server

CASES: dict[str, Callable[[Stage], Awaitable[None]]] = {
    "a handle taken over by another channel": taken_over,
    "a channel renamed": renamed,
    "a channel gone private": gone_private,
    "a dead session": dead_session,
    "one login used twice": login_used_twice,
    "a standby takes over": standby_takes_over,
    "a flood wait": flood_wait,
}
"""What is played, in this order: each insists on what must be seen, and keeps what was."""
Played = tuple[str, Seen, str | None]
"""A case's name, what was seen, and what an operator would have missed."""


async def play(number: int, desk: Desk, folder: Path) -> Played:
    """Play one case; give its name, what was seen, and what the operator would have missed."""
    name = list(CASES)[number - 1]
    async with Server() as server:
        stage = Stage(desk, folder, server)
        try:
            await CASES[name](stage)
        except (AssertionError, TimeoutError) as problem:
            return name, stage.seen, str(problem) or type(problem).__name__
        finally:
            stage.end()
    return name, stage.seen, None
