"""Real accounts on a small Telegram, as a process has them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import structlog
from prometheus_client import CollectorRegistry
from pydantic import SecretStr
from structlog.testing import LogCapture
from telethon.tl import types

from connectors.telegram.api.accounts import LoggedInAccounts
from connectors.telegram.api.pace import Pace
from connectors.telegram.api.session import login_of, write_login
from connectors.telegram.host import TelegramHost
from connectors.telegram.metrics import TelegramMetrics
from tests.telegram.server import Server

QUICK = Pace(first=0.02, longest=0.1, settled=60, idle=0.2, look=0.02, clock=600, unknown=0.3)


class Household(Server):
    """A small Telegram whose account has a number of its own."""

    user = 777

    def _answer(self, name: str, request: Any) -> Any:
        answer = super()._answer(name, request)
        if name == "GetUsers":
            return [types.User(self.user, is_self=True, access_hash=1, first_name="Desk")]
        return answer


class Desk:
    """The accounts of a process, and what they tell.

    Attributes:
        accounts: they.
        log: its entries.
    """

    def __init__(self, accounts: LoggedInAccounts, registry: CollectorRegistry, log: LogCapture) -> None:
        self.accounts = accounts
        self._registry = registry
        self._log = log

    def events(self, level: str) -> list[str]:
        return [entry["event"] for entry in self._log.entries if entry["log_level"] == level]

    def log(self) -> str:
        return str(self._log.entries)

    def metric(self, name: str, **labels: str) -> float | None:
        return self._registry.get_sample_value(f"dateline_telegram_{name}", labels)


def session(path: Path, server: Server, user: int = 777) -> Path:
    """Write the session of the server's account."""
    write_login(path, login_of(server.session(), user))
    return path


@asynccontextmanager
async def desk(*sessions: Path, pace: Pace = QUICK, **settings: Any) -> AsyncIterator[Desk]:
    """Have accounts for these sessions while the block runs."""
    host = TelegramHost(
        api_id=1,
        api_hash=SecretStr("hash"),
        sessions=sessions,
        **{"spacing_seconds": 0.001, "deadline_seconds": 4, **settings},
    )
    registry, kept = CollectorRegistry(), LogCapture()
    log = structlog.wrap_logger(
        None, processors=[kept], wrapper_class=structlog.make_filtering_bound_logger(0)
    )
    async with LoggedInAccounts(host, metrics=TelegramMetrics(registry), log=log, pace=pace) as accounts:
        yield Desk(accounts, registry, kept)
