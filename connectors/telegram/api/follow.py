"""Following one channel through the API: hears pushes, asks what `Standing` wants, and yields what it tells.

It trusts nothing of telethon's own catching up, which loses posts in silence: it listens to raw updates as a
hint, and whatever they leave out comes by differences and by history.
"""

import asyncio
import random
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from connectors.seam import Cursor, Looked, Missed, Observation, Sight, Waits
from connectors.telegram.albums import Parts
from connectors.telegram.api.asks import Difference, Moment
from connectors.telegram.api.known import Shown, Vanished
from connectors.telegram.api.lending import (
    Account,
    Accounts,
    Barred,
    Ears,
    Flooded,
    Heard,
    Resolved,
    Shaken,
    Unanswered,
)
from connectors.telegram.api.message import MESSAGE_TYPE, post_told
from connectors.telegram.api.stand import Stand, pinned_channel, read_stand
from connectors.telegram.api.standing import Standing
from connectors.telegram.api.telling import Asked, Hole, Look, Telling
from connectors.telegram.api.wire import (
    REFUSALS,
    answer_of,
    envelope,
    names_in,
    public_name_of,
    request_of,
    told,
    update_of,
)
from connectors.telegram.config import TelegramConfig
from connectors.telegram.gone import GONE_TYPE, gone_bytes
from connectors.telegram.names import Names
from connectors.telegram.post import print_of

TRIES = 3
"""So many requests in a row may go without an answer before the source counts as failed."""
LONGEST_WAIT = 60.0
TOLD_AT_ONCE = 10
"""Posts."""
HEARD_AT_ONCE = 1000
"""Pushes."""


def utc_now() -> datetime:
    """Give the time."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Peer:
    """The channel, as this account may ask about it; `kept`: by what the cursor remembers."""

    channel: int
    access_hash: int
    kept: bool


class Follow:
    """Follows one channel.

    Args:
        config: the source's settings.
        accounts: of this process.
        names: of the channels of the process.
        now: UTC.
        jitter: gives a number from 0 to 1.
    """

    def __init__(
        self,
        config: TelegramConfig,
        accounts: Accounts,
        *,
        names: Names,
        now: Callable[[], datetime] = utc_now,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._config = config
        self._accounts = accounts
        self._names = names
        self._now = now
        self._jitter = jitter

    async def observe(self, cursor: Cursor | None) -> AsyncGenerator[Sight]:
        """Follow the channel from the cursor on, for ever.

        Raises:
            SourceFailed: it cannot be followed now; the message says why.
        """
        account = await self._accounts.of(self._config.channel)
        peer, stand = await self._find(account, cursor)
        with account.listen(peer.channel) as ears:
            standing = Standing(
                self._config,
                stand,
                fingerprint=lambda parts: self._fingerprint(parts, peer.channel),
                now=self._moment(),
                jitter=self._jitter,
            )
            course = _Course(self, account, peer, ears, standing)
            try:
                while True:
                    course.ask()
                    while course.waits:
                        yield course.waits.popleft()
                    while standing.release(self._moment(), TOLD_AT_ONCE) or standing.told:
                        while standing.told:
                            yield self._sight(standing.told.popleft(), peer.channel, standing.name)
                        await asyncio.sleep(0)  # the next request goes out while this page is told
                    course.ask()
                    await course.step()
            finally:
                await course.end()

    async def _find(self, account: Account, cursor: Cursor | None) -> tuple[Peer, Stand]:
        """Find the channel: by what the cursor remembers of it, else by its name, once."""
        name, pinned = self._config.channel, pinned_channel(cursor)
        kept = (cursor or {}).get("access") or {}
        known = kept.get(str(account.user)) if isinstance(kept, dict) else None
        if cursor is not None and pinned is not None and known and cursor.get("asked") == name.casefold():
            stand = read_stand(cursor, channel=pinned, name=str(cursor.get("name") or ""))
            return Peer(pinned, int(known), kept=True), stand
        return await self.resolve(account, cursor)

    async def resolve(self, account: Account, cursor: Cursor | None) -> tuple[Peer, Stand]:
        """Ask whose the name is; if it is not the channel's any more, ask for the last one that it had.

        Raises:
            SourceFailed: nobody's, or another channel's than the cursor says.
        """
        name = self._config.channel
        resolved = await self._resolved(account, cursor)
        stand = read_stand(cursor, channel=resolved.id, name=resolved.name)
        kept = stand.rest.get("access")
        access = {**(kept if isinstance(kept, dict) else {}), str(account.user): str(resolved.access_hash)}
        rest = {**stand.rest, "access": access, "asked": name.casefold()}
        return Peer(resolved.id, resolved.access_hash, kept=False), replace(stand, rest=rest)

    async def _resolved(self, account: Account, cursor: Cursor | None) -> Resolved:
        """Find the channel; a login that never asked about it must find one that was renamed, too."""
        name, source, pinned = self._config.channel, self._config.name, pinned_channel(cursor)
        last = renamed_to(cursor, name)
        try:
            found = await account.resolve(name, source=source)
        except Barred:
            if not last:
                raise
            return await account.resolve(last, source=source)
        if last and found.id != pinned:
            with suppress(Barred):
                former = await account.resolve(last, source=source)
                found = former if former.id == pinned else found
        return found

    def told_name(self, name: str) -> None:
        """Take in what the channel is called."""
        self._names.tell(self._config, name)

    def moment(self) -> Moment:
        """Give the time."""
        return self._moment()

    def _moment(self) -> Moment:
        return Moment(self._now(), asyncio.get_running_loop().time())

    @property
    def config(self) -> TelegramConfig:
        """The source's settings."""
        return self._config

    def _fingerprint(self, parts: Parts, channel: int) -> str:
        try:
            return print_of(post_told(told(parts, channel, "", "history")))
        except Exception:  # noqa: BLE001  # whatever is wrong with it: ingest makes a dead letter of it, once
            return envelope(parts, channel, "", "history").hex()

    def _sight(self, telling: Telling, channel: int, name: str) -> Sight:
        what, place = telling.what, f"t.me/{name}" if name else f"t.me/c/{channel}"
        if isinstance(what, Shown):
            return Observation(
                data=envelope(what.parts, channel, name, what.way),
                content_type=MESSAGE_TYPE,
                place=f"{place}/{what.parts[0].id}",
                cursor=telling.cursor,
                absent=what.absent,
                backlog=telling.backlog,
                late=what.late,
            )
        if isinstance(what, Vanished):
            return Observation(
                data=gone_bytes(what.messages, channel, name, self._now()),
                content_type=GONE_TYPE,
                place=f"{place}/{what.messages[0]}",
                cursor=telling.cursor,
                absent=what.absent,
            )
        if isinstance(what, Hole):
            return Missed(what.since, what.until, what.reason, telling.cursor, what.repaired)
        assert isinstance(what, Look)  # noqa: S101  # mypy: there is nothing else
        return Looked(cursor=telling.cursor)


def renamed_to(cursor: Cursor | None, configured: str) -> str:
    """Give the public name that a channel had last, if it is not that in the config; else none.

    Who changes `channel` in the config means another channel: then the checkpoint's name is no help.
    """
    said = cursor or {}
    last = str(said.get("name") or "")
    same = said.get("asked") == configured.casefold()
    return last if same and last.casefold() != configured.casefold() else ""


class _Course:
    """One run of following: at most one request and one listening under way.

    Attributes:
        waits: what Telegram made us wait for, to be told.
    """

    def __init__(self, follow: Follow, account: Account, peer: Peer, ears: Ears, standing: Standing) -> None:
        self._follow = follow
        self._account = account
        self._peer = peer
        self._ears = ears
        self._standing = standing
        self._hearing: asyncio.Task[Heard] = asyncio.create_task(ears.get())
        self._asked: tuple[Asked, asyncio.Task[Any]] | None = None
        self._unanswered = 0
        self.waits: deque[Waits] = deque()

    def ask(self) -> None:
        """Ask what is to be asked now."""
        asked = self._standing.next(self._follow.moment())
        if asked is not None:
            request = request_of(asked.ask, self._peer.channel, self._peer.access_hash)
            call = self._account.call(request, source=self._follow.config.name)
            self._asked = asked, asyncio.create_task(call)

    async def step(self) -> None:
        """Wait until something happens, and take it in.

        Raises:
            SourceFailed: it cannot go on.
        """
        waiting: set[asyncio.Task[Any]] = {self._hearing}
        if self._asked is not None:
            waiting.add(self._asked[1])
        left = self._standing.due() - self._follow.moment().ticks
        await asyncio.wait(
            waiting, timeout=min(max(left, 0.0), LONGEST_WAIT), return_when=asyncio.FIRST_COMPLETED
        )
        for _ in range(HEARD_AT_ONCE):  # what came ahead of an answer is taken in ahead of it
            if not self._hearing.done():
                break
            heard = self._hearing.result()
            self._hearing = asyncio.create_task(self._ears.get())
            self._hear(heard)
            await asyncio.sleep(0)
        if self._asked is not None and self._asked[1].done():
            (asked, call), self._asked = self._asked, None
            await self._take(asked, call)
        self._standing.tick(self._follow.moment())

    async def end(self) -> None:
        """Let go of what is under way."""
        tasks = [self._hearing, *([self._asked[1]] if self._asked else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _hear(self, heard: Heard) -> None:
        now = self._follow.moment()
        if isinstance(heard, Shaken):
            self._standing.shaken(now)
            return
        self._rename(heard.chats.values())
        update = update_of(heard.update, names_in(heard.chats.values()))
        if update is not None:
            self._standing.heard(update, now)

    async def _take(self, asked: Asked, call: "asyncio.Task[Any]") -> None:
        try:
            result = call.result()
        except REFUSALS:
            self._refuse(asked)
        except Flooded as problem:
            if problem.seconds > self._follow.config.poll_seconds:  # else nobody would notice
                self.waits.append(Waits(str(problem)))
            self._standing.failed(asked, self._follow.moment(), problem.retry_after or 1.0)
        except Barred:
            if not self._peer.kept:
                raise
            await self._resolve_again(asked)
        except Unanswered as problem:
            self._unanswered += 1
            if isinstance(problem.__cause__, REFUSALS):
                self._refuse(asked)
            elif self._unanswered >= TRIES:
                raise
            else:
                wait = min(2.0**self._unanswered / 2, self._follow.config.poll_seconds)
                self._standing.failed(asked, self._follow.moment(), wait)
        else:
            self._unanswered = 0
            self._rename(getattr(result, "chats", ()))
            self._standing.answered(asked, answer_of(asked.ask, result), self._follow.moment())

    def _refuse(self, asked: Asked) -> None:
        if isinstance(asked.ask, Difference):
            self._standing.refused(self._follow.moment())
        else:
            wait = self._follow.config.poll_seconds
            self._standing.failed(asked, self._follow.moment(), wait)

    async def _resolve_again(self, asked: Asked) -> None:
        """What the cursor remembers may be out of date: ask for the name once, before giving up.

        Raises:
            SourceFailed: the channel is not shown to us.
        """
        peer, stand = await self._follow.resolve(self._account, self._standing.cursor())
        self._peer = peer
        self._standing.keep(stand.rest)
        self._standing.failed(asked, self._follow.moment(), 0.0)

    def _rename(self, chats: Any) -> None:
        for chat in chats:
            if getattr(chat, "id", None) == self._peer.channel and not getattr(chat, "min", False):
                self._standing.name = public_name_of(chat, self._follow.config.channel)
                self._follow.told_name(self._standing.name)
