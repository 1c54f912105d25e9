"""One account: requests in their turn, what is pushed to whom it concerns, and names resolved once."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from structlog.typing import FilteringBoundLogger
from telethon import TelegramClient
from telethon.errors import RPCError
from telethon.tl import functions, types
from telethon.tl.tlobject import TLRequest

from connectors.seam import SourceFailed
from connectors.telegram.api.connection import Connection
from connectors.telegram.api.ears import BoundedEars, channel_of, pushed_of
from connectors.telegram.api.failures import failure_of
from connectors.telegram.api.lending import AccountLost, Barred, Flooded, Resolved, Shaken, Unanswered
from connectors.telegram.api.pace import Pace
from connectors.telegram.api.schedule import HOUR, Lane, MustWait, Rate, Schedule, Ticket
from connectors.telegram.api.session import Login
from connectors.telegram.api.wire import public_name_of
from connectors.telegram.host import TelegramHost
from connectors.telegram.metrics import TelegramMetrics

RESOLVE_AGAIN_SECONDS = HOUR
BURST_SHARE = 4
"""A quarter of an hour's requests may be made at once; so three quarters of them can be made every hour."""


@dataclass(frozen=True, slots=True)
class _Found:
    """What came of resolving a name, and until when it is not asked again."""

    result: Resolved | Barred
    until: float


class LoggedIn:
    """One account of this machine; connected while somebody listens or asks.

    Args:
        path: of its session file.
        login: what it says.
        host: the settings of this machine.
        metrics: of all accounts.
        log: for what an operator should know.
        pace: how long its connection waits for what.
        now: seconds that never run backwards.
        at: seconds since 1970.
    """

    def __init__(
        self,
        path: Path,
        login: Login,
        host: TelegramHost,
        *,
        metrics: TelegramMetrics,
        log: FilteringBoundLogger,
        pace: Pace | None = None,
        now: Callable[[], float] = time.monotonic,
        at: Callable[[], float] = time.time,
    ) -> None:
        self._label = path.stem
        self._login = login
        self._deadline = host.deadline_seconds
        self._metrics = metrics
        self._now = now
        self._at = at
        self._schedule = Schedule(
            Rate(host.requests_per_hour, host.spacing_seconds, host.requests_per_hour // BURST_SHARE)
        )
        self._turns: dict[Ticket, asyncio.Future[None]] = {}
        self._bell: asyncio.TimerHandle | None = None
        self._ears: dict[int, set[BoundedEars]] = {}
        self._names: dict[str, _Found] = {}
        self._connection = Connection(
            path,
            login,
            host,
            heard=self._heard,
            shaken=self._shaken,
            metrics=metrics,
            log=log,
            pace=pace or Pace(),
        )

    @property
    def user(self) -> int:
        """Its own number."""
        return self._login.user

    @property
    def lost(self) -> str | None:
        """Why its session is dead; none while it is not."""
        return self._connection.lost

    async def close(self) -> None:
        """Disconnect."""
        if self._bell is not None:
            self._bell.cancel()
        await self._connection.close()

    @contextmanager
    def listen(self, channel: int) -> Iterator[BoundedEars]:
        """Hear what is pushed about a channel, and be told when something may have been missed."""
        ears = BoundedEars()
        self._ears.setdefault(channel, set()).add(ears)
        try:
            with self._connection.needed():
                yield ears
        finally:
            self._ears[channel].discard(ears)
            if not self._ears[channel]:
                del self._ears[channel]

    async def call(self, request: TLRequest, *, source: str) -> Any:
        """Make one request, in its turn and with a deadline.

        Raises:
            Flooded: it must wait; other requests need not.
            Barred: not about this channel.
            AccountLost: not with this account.
            Unanswered: try again later; its cause is what happened, if there is one.
        """
        lane = Lane(type(request).__name__, getattr(request, "username", None) or channel_of(request))
        with self._connection.needed():
            await self._connection.client()  # no turn is used up while there is no connection
            await self._turn(source, lane)
            client = await self._connection.client()
            return await self._ask(client, request, source, lane)

    async def resolve(self, name: str, *, source: str) -> Resolved:
        """Find the channel of a public name; the answer, also that there is none, is kept for an hour.

        Raises:
            SourceFailed: as `call`.
        """
        found = self._names.get(name.casefold())
        if found is None or found.until <= self._now():
            found = await self._resolved(name, source)
            self._names[name.casefold()] = found
        if isinstance(found.result, Barred):
            raise Barred(str(found.result), retry_after=found.until - self._now())
        return found.result

    async def _resolved(self, name: str, source: str) -> _Found:
        try:
            answer = await self.call(functions.contacts.ResolveUsernameRequest(name), source=source)
        except Barred as problem:
            return _Found(problem, self._now() + RESOLVE_AGAIN_SECONDS)
        until = self._now() + RESOLVE_AGAIN_SECONDS
        number = getattr(answer.peer, "channel_id", None)
        for chat in answer.chats:
            if isinstance(chat, types.Channel) and chat.id == number and chat.access_hash is not None:
                spelled = public_name_of(chat, name) or name
                return _Found(Resolved(chat.id, chat.access_hash, spelled, chat.title), until)
        return _Found(Barred(f"@{name}: is no channel, but a person or a small group"), until)

    async def _turn(self, source: str, lane: Lane) -> None:
        """Wait until it is this request's turn.

        Raises:
            Flooded: that takes too long.
        """
        began = self._now()
        try:
            ticket = self._schedule.enter(began, source, lane)
        except MustWait as held:
            raise self._must_wait(source, lane, held) from None
        turn = self._turns[ticket] = asyncio.get_running_loop().create_future()
        self._serve()
        try:
            await turn
        except MustWait as held:
            raise self._must_wait(source, lane, held) from None
        finally:
            self._schedule.leave(ticket)
            self._turns.pop(ticket, None)
            self._metrics.turn.labels(self._label).inc(self._now() - began)

    def _serve(self) -> None:
        """Let everybody go whose turn it is, and come back when it is somebody's."""
        now = self._now()
        while (ticket := self._schedule.next(now)) is not None:
            turn = self._turns.get(ticket)
            if turn is not None and not turn.done():
                turn.set_result(None)
        for ticket, seconds in self._schedule.given_up(now):
            turn = self._turns.get(ticket)
            if turn is not None and not turn.done():
                turn.set_exception(MustWait("as many requests as one account may make are made", seconds))
        if self._bell is not None:
            self._bell.cancel()
            self._bell = None
        due = self._schedule.due(now)
        if due is not None:
            self._bell = asyncio.get_running_loop().call_later(max(due - now, 0.001), self._serve)

    def _must_wait(self, source: str, lane: Lane, held: MustWait) -> Flooded:
        by_telegram = self._schedule.held(self._now(), lane) > 0
        self._metrics.waiting.labels(source, lane.method).set(self._at() + held.seconds)
        self._metrics.wait.labels(source, "telegram" if by_telegram else "limit").inc(held.seconds)
        return Flooded(f"{lane.method} must wait for {held.seconds:.0f} s: {held}", held.seconds)

    async def _ask(self, client: TelegramClient, request: TLRequest, source: str, lane: Lane) -> Any:
        began = self._now()
        self._connection.watch.asked(began)
        try:
            async with asyncio.timeout(self._deadline):
                answer = await client(request)
        except asyncio.CancelledError as problem:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            # telethon cancels what waits for an answer when it disconnects
            self._count(lane, "unanswered")
            raise Unanswered(f"{lane.method}: disconnected before the answer") from problem
        except Exception as problem:
            failure = failure_of(problem, lane.method)
            self._take_in(failure, source, lane, answered=isinstance(problem, RPCError))
            raise failure from problem
        finally:
            # telethon refuses all requests of a kind after one FLOOD_WAIT, whatever channel they are about
            client._flood_waited_requests.clear()  # noqa: SLF001  # there is no other way to it
        now = self._now()
        self._metrics.answer.labels(self._label).observe(now - began)
        self._metrics.waiting.labels(source, lane.method).set(0)
        self._count(lane, "answered")
        self._connection.watch.answered(now, channel_of(request), _newest(answer))
        return answer

    def _take_in(self, failure: SourceFailed, source: str, lane: Lane, *, answered: bool) -> None:
        now = self._now()
        if isinstance(failure, Flooded):
            self._count(lane, "flooded")
            self._metrics.waiting.labels(source, lane.method).set(self._at() + failure.seconds)
            self._metrics.wait.labels(source, "telegram").inc(failure.seconds)
            for ticket in self._schedule.flooded(now, lane, failure.seconds):
                turn = self._turns.get(ticket)
                if turn is not None and not turn.done():
                    turn.set_exception(MustWait("Telegram wants it (FLOOD_WAIT)", failure.seconds))
        elif isinstance(failure, AccountLost):
            self._count(lane, "lost")
            self._connection.lose(str(failure))
        else:
            self._count(lane, "barred" if isinstance(failure, Barred) else "unanswered")
        if answered:
            self._connection.watch.answered(now)  # a refusal is an answer, too, and so is an error of theirs

    def _count(self, lane: Lane, outcome: str) -> None:
        self._metrics.requests.labels(self._label, lane.method, outcome).inc()

    def _heard(self, update: Any) -> None:
        channel = channel_of(update)
        if channel is None:
            return
        message = getattr(update, "message", None)
        self._connection.watch.pushed(self._now(), channel, getattr(message, "id", None))
        for ears in self._ears.get(channel, ()):
            self._metrics.updates.labels(self._label).inc()
            before = ears.overflows
            ears.tell(pushed_of(update))
            if ears.overflows > before:
                self._metrics.shaken.labels(self._label, "overflow").inc()

    def _shaken(self, reason: str, text: str) -> None:
        self._metrics.shaken.labels(self._label, reason).inc()
        for ears in [one for several in self._ears.values() for one in several]:
            ears.tell(Shaken(text))


def _newest(answer: Any) -> int | None:
    messages = [*(getattr(answer, "messages", None) or ()), *(getattr(answer, "new_messages", None) or ())]
    numbers = [one.id for one in messages if not isinstance(one, types.MessageEmpty)]
    return max(numbers, default=None)
