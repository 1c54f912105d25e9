"""One account's connection: there while it is needed, made anew whenever something about it is wrong.

Telethon's own reconnecting is off. It tells nobody that updates may have been missed, goes on with a client
that has seen strange things, and may loop with a session that is dead. We throw the client away instead and
make a new one: that is one code path for everything, and each time all who listen are told to look again.
"""

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

from structlog.typing import FilteringBoundLogger
from telethon import TelegramClient, functions
from telethon import types as tl
from telethon.errors import AuthKeyNotFound, RPCError

from connectors.seam import SourceFailed
from connectors.telegram.api.failures import LOST, failure_of, said
from connectors.telegram.api.lending import AccountLost, Unanswered
from connectors.telegram.api.pace import Pace
from connectors.telegram.api.session import Login, SessionProblem, held
from connectors.telegram.api.tap import tap
from connectors.telegram.api.telltale import Telltale, Told
from connectors.telegram.api.watch import Watch
from connectors.telegram.host import TelegramHost
from connectors.telegram.metrics import TelegramMetrics

CLOCK_ALARM_SECONDS = 10.0
PATIENCE_SECONDS = 5.0
"""Who needs a connection that was good waits for the next one, if that is tried before so long."""


class _Anew(Exception):
    """The client is to be thrown away; the message says why."""


class Connection:
    """Keeps one client of one account connected while somebody needs it.

    Args:
        path: of the session file, which is held while there is a client.
        login: what it says.
        host: the settings of this machine.
        heard: gets every update.
        shaken: is told, with the reason, when updates may have been missed.
        metrics: of all accounts.
        log: for what an operator should know.
        pace: how long to wait for what.
    """

    def __init__(
        self,
        path: Path,
        login: Login,
        host: TelegramHost,
        *,
        heard: Callable[[Any], None],
        shaken: Callable[[str, str], None],
        metrics: TelegramMetrics,
        log: FilteringBoundLogger,
        pace: Pace,
    ) -> None:
        self._path = path
        self._login = login
        self._host = host
        self._heard = heard
        self._shaken = shaken
        self._metrics = metrics
        self._log = log
        self._pace = pace
        self._users = 0
        self._idle: asyncio.TimerHandle | None = None
        self._keeping: asyncio.Task[None] | None = None
        self._there: asyncio.Future[TelegramClient] | None = None
        self._anew: asyncio.Future[str] | None = None
        self._trouble = "it is being made"
        self._unusable: str | None = None
        self._unknown_since: float | None = None
        self._untold_until = 0.0
        self.lost: str | None = None
        self.watch = Watch(host.blind_seconds)

    @contextmanager
    def needed(self) -> Iterator[None]:
        """Need the connection while the block runs."""
        self._users += 1
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None
        try:
            yield
        finally:
            self._users -= 1
            if not self._users and self._keeping is not None:
                self._idle = asyncio.get_running_loop().call_later(self._pace.idle, self._rest)

    async def client(self) -> TelegramClient:
        """Give the client, connected; the connection must be needed.

        Raises:
            AccountLost: the session is dead.
            Unanswered: there is no connection within the deadline, or another process has the session.
        """
        if self.lost:
            raise AccountLost(self.lost)
        if self._keeping is not None and self._keeping.cancelling():
            await asyncio.wait({self._keeping})
        if self._keeping is None or self._keeping.done():
            self._gone()
            self._keeping = asyncio.create_task(self._keep())
        try:
            async with asyncio.timeout(self._host.deadline_seconds):
                while not (client := await asyncio.shield(self._next())).is_connected():
                    self._gone()  # we saw it before our task did
                return client
        except TimeoutError:
            raise Unanswered(f"no connection to Telegram: {self._trouble}") from None

    def lose(self, reason: str) -> None:
        """The session is dead: nothing is tried with it again, and that is said once."""
        if self.lost:
            return
        self.lost = f"the account of {self._path} is lost: {reason}"
        self._metrics.usable.labels(self._path.stem).set(0)
        self._log.error("telegram account lost", file=str(self._path), user=self._login.user, reason=reason)
        if self._keeping is not None and asyncio.current_task() is not self._keeping:
            self._keeping.cancel()

    def renew(self, reason: str) -> None:
        """Throw the client away, and make a new one."""
        if self._anew is not None and not self._anew.done():
            self._anew.set_result(reason)

    async def close(self) -> None:
        """Disconnect, and let go of the session."""
        if self._idle is not None:
            self._idle.cancel()
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.wait({self._keeping})

    def _rest(self) -> None:
        """Disconnect: no source needs the account; Kafka may be lost, and another machine goes on."""
        self._idle = None
        if not self._users and self._keeping is not None:
            self._keeping.cancel()

    async def _keep(self) -> None:
        try:
            with held(self._path):
                self._unusable = None
                await self._keep_connected()
        except SessionProblem as problem:
            self._metrics.usable.labels(self._path.stem).set(0)
            if self._unusable != str(problem):
                self._unusable = str(problem)
                self._log.error("telegram session cannot be used", file=str(self._path), reason=str(problem))
            self._fail(Unanswered(str(problem)))
        except asyncio.CancelledError:
            self._fail(AccountLost(self.lost) if self.lost else Unanswered("the connection was given up"))
            raise

    async def _keep_connected(self) -> None:
        failures = 0
        while True:
            began, good = time.monotonic(), False
            try:
                async with self._connected() as client:
                    good = True
                    await self._stay(client)
            except (SourceFailed, _Anew) as problem:
                if self.lost:
                    self._fail(AccountLost(self.lost))
                    return
                held_long = time.monotonic() - began > self._pace.settled
                failures = 1 if held_long else failures + 1
                asked_for = getattr(problem, "retry_after", None) or 0.0
                wait = min(self._pace.first * 2 ** min(failures - 1, 16), self._pace.longest)
                wait = max(wait * random.uniform(0.75, 1.25), asked_for)  # noqa: S311  # spreads load, no secret
                self._trouble = f"{problem}; the next attempt comes within {wait:.0f} s"
                self._log.warning(
                    "telegram connection lost",
                    file=str(self._path),
                    reason=str(problem),
                    next_seconds=round(wait, 1),
                )
                if wait > PATIENCE_SECONDS or not good:
                    self._fail(
                        Unanswered(f"no connection to Telegram: {problem}", retry_after=asked_for or None)
                    )
                await asyncio.sleep(wait)

    def _next(self) -> "asyncio.Future[TelegramClient]":
        """Give the client that is there, or the next one."""
        if self._there is None:
            self._there = asyncio.get_running_loop().create_future()
        return self._there

    def _gone(self) -> None:
        """Let who needs the client wait for the next one."""
        if self._there is not None and self._there.done():
            self._there = None

    def _fail(self, problem: SourceFailed) -> None:
        """Tell all who wait for the client that there is none."""
        self._gone()
        waiting = self._next()
        waiting.set_exception(problem)
        waiting.exception()  # it need not be anybody who waits
        self._there = None

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[TelegramClient]:
        """Give a new client that is connected and logged in, and disconnect it at the end.

        Raises:
            SourceFailed: that failed.
        """
        told = logging.getLogger(f"connectors.telegram.client.{self._login.user}")
        told.setLevel(logging.INFO)
        told.propagate = False  # a record may show what a channel says, and is no event of ours
        telltale = Telltale(self._told, self._warned)
        told.addHandler(telltale)
        self._anew = asyncio.get_running_loop().create_future()
        client = self._made(told)
        try:
            await self._connect(client)
            yield client
        finally:
            self._metrics.connected.labels(self._path.stem).set(0)
            told.removeHandler(telltale)
            _hear_of(client.disconnected)
            with suppress(Exception):
                async with asyncio.timeout(self._host.deadline_seconds):
                    await client.disconnect()

    def _made(self, told: logging.Logger) -> TelegramClient:
        secret = self._host.api_hash
        client = TelegramClient(
            self._login.session(),
            self._host.api_id or 0,
            secret.get_secret_value() if secret else "",
            timeout=min(10, self._host.deadline_seconds),
            connection_retries=0,  # each is tried once; we try again
            request_retries=0,
            auto_reconnect=False,
            flood_sleep_threshold=0,  # a sleep would hold up all that comes behind it, updates too
            raise_last_call_error=True,
            receive_updates=True,
            catch_up=False,
            sequential_updates=True,  # in their order; what gets them never waits
            base_logger=told,
        )
        client.parse_mode = None
        tap(client, self._heard)
        return client

    async def _connect(self, client: TelegramClient) -> None:
        try:
            async with asyncio.timeout(self._host.deadline_seconds):
                await client.connect()
                who = (await client(functions.users.GetUsersRequest([tl.InputUserSelf()])))[0]
                await self._compare_clocks(client)
        except AuthKeyNotFound as problem:
            await self._unknown(problem)
        except asyncio.CancelledError as problem:
            if _cancelled():
                raise
            raise Unanswered("connecting: the server hung up") from problem
        except Exception as problem:
            failure = failure_of(problem, "connecting")
            if isinstance(problem, LOST):
                self.lose(str(failure))
            raise failure from problem
        if who.id != self._login.user:
            self.lose(f"the file says account {self._login.user}, Telegram says {who.id}; log in anew")
            raise AccountLost(self.lost or "")
        self._unknown_since = None
        self._metrics.usable.labels(self._path.stem).set(1)
        self._metrics.connected.labels(self._path.stem).set(1)
        self._metrics.connections.labels(self._path.stem).inc()
        self.watch.connected(time.monotonic())
        self._shaken("connected", "the connection is new")
        self._gone()
        self._next().set_result(client)

    async def _unknown(self, problem: AuthKeyNotFound) -> None:
        """The server does not know the key; servers have been wrong about that for minutes, not longer."""
        now = time.monotonic()
        self._unknown_since = self._unknown_since or now
        if now - self._unknown_since > self._pace.unknown:
            self.lose(f"{said(problem)}; log in anew with: dateline login telegram")
        raise Unanswered(f"connecting: {said(problem)}") from problem

    async def _stay(self, client: TelegramClient) -> None:
        """Look after the connection until it is no good any more.

        Raises:
            SourceFailed, _Anew: why it is none.
        """
        assert self._anew is not None  # noqa: S101  # mypy: it is made with the client
        running = asyncio.ensure_future(client.run_until_disconnected())
        compared = time.monotonic()
        try:
            while True:
                done, _ = await asyncio.wait(
                    {running, self._anew}, timeout=self._pace.look, return_when=asyncio.FIRST_COMPLETED
                )
                if running in done:
                    self._ended(running)
                now = time.monotonic()
                if reason := self._anew.result() if self._anew in done else self.watch.trouble(now):
                    self._gone()
                    raise _Anew(reason)
                if now - compared > self._pace.clock:
                    compared = now
                    await self._compare_again(client)
        finally:
            if not running.done():
                running.cancel()
                await asyncio.wait({running})
            if not running.cancelled():
                running.exception()

    def _ended(self, running: "asyncio.Future[Any]") -> None:
        self._gone()
        problem = None if running.cancelled() else running.exception()
        if isinstance(problem, LOST):
            self.lose(str(failure_of(problem, "updates")))
        if isinstance(problem, Exception):
            raise failure_of(problem, "the connection broke") from problem
        raise _Anew("the server hung up")

    async def _compare_again(self, client: TelegramClient) -> None:
        try:
            async with asyncio.timeout(self._host.deadline_seconds):
                await self._compare_clocks(client)
        except Exception as problem:
            raise failure_of(problem, "comparing clocks") from problem

    async def _compare_clocks(self, client: TelegramClient) -> None:
        if time.monotonic() < self._untold_until:
            return
        before = time.time()
        try:
            config = await client(functions.help.GetConfigRequest())
        except LOST:
            raise
        except RPCError as problem:
            # a server that does not tell its time is there, and the channels do not wait for a figure
            self._untold_until = time.monotonic() + float(getattr(problem, "seconds", None) or 0)
            self._log.warning("telegram does not tell its time", file=str(self._path), reason=said(problem))
            return
        theirs = config.date.timestamp() + 0.5  # it tells whole seconds
        offset = (before + time.time()) / 2 - theirs
        self._metrics.clock_offset.labels(self._path.stem).set(offset)
        if abs(offset) > CLOCK_ALARM_SECONDS:
            self._log.warning(
                "the clock of this machine is not Telegram's; set it by NTP", offset_seconds=round(offset)
            )

    def _told(self, told: Told) -> None:
        """Telethon threw something away."""
        self._shaken(told.reason, told.text)
        if told.anew:
            self.renew(told.text)

    def _warned(self, text: str) -> None:
        self._log.warning("telethon warns", text=text, file=str(self._path))


def _hear_of(ended: "asyncio.Future[Any]") -> None:
    """Why a client ended was told otherwise; a future that nobody asks writes a stack trace to the log."""
    if not ended.done():
        ended.add_done_callback(_hear_of)
    elif not ended.cancelled():
        ended.exception()


def _cancelled() -> bool:
    """Whether it is us who are cancelled, and not what we waited for."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
