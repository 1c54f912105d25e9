"""The accounts of this process, and which of them follows which channel."""

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Self

from structlog.typing import FilteringBoundLogger

from connectors.telegram.api.account import LoggedIn
from connectors.telegram.api.lending import AccountLost
from connectors.telegram.api.pace import Pace
from connectors.telegram.api.session import SessionProblem, read_login, stamp_of
from connectors.telegram.host import TelegramHost, lacking
from connectors.telegram.metrics import TelegramMetrics

LOOK_AGAIN_SECONDS = 300.0
"""When there is no account: after so long it is looked whether there is one now. No one is asked for that."""


class LoggedInAccounts:
    """The accounts of this process; each connects when it is needed first.

    Args:
        host: the settings of this machine.
        metrics: of all accounts.
        log: for what an operator should know.
        pace: how long a connection waits for what.
    """

    def __init__(
        self,
        host: TelegramHost,
        *,
        metrics: TelegramMetrics,
        log: FilteringBoundLogger,
        pace: Pace | None = None,
    ) -> None:
        self._host = host
        self._metrics = metrics
        self._log = log
        self._pace = pace
        self._accounts: dict[Path, LoggedIn] = {}
        self._stamps: dict[Path, object] = {}
        self._told: dict[Path, str] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Disconnect all."""
        for account in self._accounts.values():
            await account.close()
        self._accounts.clear()

    async def of(self, channel_name: str) -> LoggedIn:
        """Give the account that follows a channel: always the same one, as long as that one lives.

        Raises:
            AccountLost: there is none; the message says why, for each, and what to do.
        """
        if missing := list(lacking(self._host)):
            raise AccountLost("; ".join(missing), retry_after=LOOK_AGAIN_SECONDS)
        living: dict[int, LoggedIn] = {}
        reasons: list[str] = []
        for path in self._host.sessions:
            account = await self._usable(path, reasons)
            if account is not None:
                living[account.user] = account
        if not living:
            raise AccountLost("; ".join(reasons), retry_after=LOOK_AGAIN_SECONDS)
        return living[chosen(channel_name, living)]

    async def _usable(self, path: Path, reasons: list[str]) -> LoggedIn | None:
        """Give the account of a file; a dead one is looked at again when its file has changed, not before."""
        account, stamp = self._accounts.get(path), stamp_of(path)
        if account is not None and account.lost is None:
            return account
        if account is not None and stamp == self._stamps.get(path):
            reasons.append(account.lost or "")
            return None
        if account is not None:
            await self._accounts.pop(path).close()
        try:
            login = read_login(path)
        except SessionProblem as problem:
            self._metrics.usable.labels(path.stem).set(0)
            if self._told.get(path) != str(problem):
                self._told[path] = str(problem)
                self._log.error("telegram session cannot be used", file=str(path), reason=str(problem))
            reasons.append(str(problem))
            return None
        self._told.pop(path, None)
        self._metrics.usable.labels(path.stem).set(1)
        made = LoggedIn(path, login, self._host, metrics=self._metrics, log=self._log, pace=self._pace)
        self._accounts[path], self._stamps[path] = made, stamp
        return made


def chosen(channel_name: str, users: Mapping[int, object]) -> int:
    """Choose the account of a channel: when one comes or goes, only that one's channels move."""

    def weight(user: int) -> bytes:
        return sha256(f"{user}/{channel_name.casefold()}".encode()).digest()

    return max(sorted(users), key=weight)
