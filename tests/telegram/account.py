"""A thin account over a plain telethon client, for tests that are about following and not about accounts."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

from telethon import TelegramClient, events
from telethon.errors import FloodError, RPCError
from telethon.tl import functions
from telethon.tl.tlobject import TLRequest

from connectors.telegram.api.lending import Barred, Flooded, Heard, Pushed, Resolved, Shaken, Unanswered
from tests.telegram.server import Server

SHAKING = ("Connection to %s complete!", "Type %08x not found", "very old message", "very new message")
BARRING = ("CHANNEL_PRIVATE", "CHANNEL_INVALID", "USERNAME_NOT_OCCUPIED", "USERNAME_INVALID")
DEADLINE = 2.0


class Ears:
    """What is heard of one channel."""

    def __init__(self) -> None:
        self.heard: asyncio.Queue[Heard] = asyncio.Queue()

    async def get(self) -> Heard:
        return await self.heard.get()


class Account(logging.Handler):
    """One account, and `Accounts` that has no other."""

    user = 777

    def __init__(self, server: Server, *, deadline: float = DEADLINE) -> None:
        super().__init__(logging.INFO)
        self._server = server
        self._deadline = deadline
        self._ears: dict[int, list[Ears]] = {}
        self._resolved: dict[str, Resolved] = {}
        logger = logging.getLogger(f"telethon-in-test-{id(self)}")
        logger.setLevel(logging.INFO)
        logger.propagate = False
        logger.addHandler(self)
        self._connected = 0
        self.client = TelegramClient(
            server.session(),
            1,
            "hash",
            flood_sleep_threshold=0,
            request_retries=1,
            connection_retries=1000,
            retry_delay=0.05,
            raise_last_call_error=True,
            base_logger=logger,
        )

    async def __aenter__(self) -> Self:
        self.client.add_event_handler(self._push, events.Raw())
        await self.client.connect()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.client.disconnect()
        logging.getLogger(f"telethon-in-test-{id(self)}").removeHandler(self)

    async def of(self, channel_name: str) -> Self:
        return self

    def emit(self, record: logging.LogRecord) -> None:
        if any(one in str(record.msg) for one in SHAKING):
            self.shake(record.getMessage())

    def shake(self, reason: str) -> None:
        for ears in self._ears.values():
            for one in ears:
                one.heard.put_nowait(Shaken(reason))

    async def call(self, request: TLRequest, *, source: str) -> Any:
        try:
            async with asyncio.timeout(self._deadline):
                return await self.client(request)
        except FloodError as problem:
            seconds = float(getattr(problem, "seconds", 1))
            raise Flooded(f"{source}: {problem}", seconds) from problem
        except RPCError as problem:
            message = str(getattr(problem, "message", problem))
            kind = Barred if _name(problem) in BARRING else Unanswered
            raise kind(f"{source}: {_name(problem)} {message}") from problem
        except (TimeoutError, OSError) as problem:
            raise Unanswered(f"{source}: {problem!r}") from problem

    @contextmanager
    def listen(self, channel: int) -> Iterator[Ears]:
        ears = Ears()
        self._ears.setdefault(channel, []).append(ears)
        try:
            yield ears
        finally:
            self._ears[channel].remove(ears)

    async def resolve(self, name: str, *, source: str) -> Resolved:
        if name not in self._resolved:
            answer = await self.call(functions.contacts.ResolveUsernameRequest(name), source=source)
            chat = answer.chats[0]
            self._resolved[name] = Resolved(chat.id, chat.access_hash, chat.username, chat.title)
        return self._resolved[name]

    async def _push(self, update: Any) -> None:
        peer = getattr(getattr(update, "message", None), "peer_id", None)
        channel = getattr(update, "channel_id", None) or getattr(peer, "channel_id", None)
        for ears in self._ears.get(channel or 0, ()):
            chats = {chat.id: chat for chat in (getattr(update, "_entities", None) or {}).values()}
            ears.heard.put_nowait(Pushed(update, chats))


def _name(problem: RPCError) -> str:
    words = "".join(f"_{one}" if one.isupper() else one.upper() for one in type(problem).__name__)
    return words.strip("_").removesuffix("_ERROR")
