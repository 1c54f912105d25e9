"""A plain telethon, and what its handler is told."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Self

from telethon import TelegramClient, errors, events
from telethon.tl import types

from tests.telegram.server import Server


class Client:
    """Nothing but telethon.

    Attributes:
        plain: it.
        told: updates that its handler got.
    """

    def __init__(self, server: Server, session: Any = None, **options: Any) -> None:
        silent = logging.Logger("telethon of a test", logging.CRITICAL)  # noqa: LOG001  # nobody else's
        settings: dict[str, Any] = {
            "flood_sleep_threshold": 0,
            "request_retries": 1,
            "retry_delay": 0.01,
            "connection_retries": 100,
            "raise_last_call_error": True,
            "base_logger": silent,
        }
        chosen = server.session() if session is None else session
        self.plain = TelegramClient(chosen, 1, "hash", **(settings | options))
        self.told: list[Any] = []

    async def __aenter__(self) -> Self:
        self.plain.add_event_handler(self._hear, events.Raw())
        try:
            await self.plain.connect()
        except errors.AuthKeyNotFound:
            await self.plain.disconnect()
            # nobody else asks why it ended, and that would be written to a log, some time later
            await asyncio.gather(self.plain.disconnected, return_exceptions=True)
            raise
        await self.plain.get_me()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.plain.disconnect()

    async def __call__(self, request: Any) -> Any:
        return await self.plain(request)

    def kinds(self) -> list[str]:
        """Give the names of what was told."""
        return [type(one).__name__ for one in self.told]

    def texts(self) -> list[str]:
        """Give the texts of new messages that were told."""
        new = [one for one in self.told if isinstance(one, types.UpdateNewChannelMessage)]
        return [one.message.message for one in new]

    async def _hear(self, update: Any) -> None:
        if type(update).__name__.startswith("Update"):
            self.told.append(update)


async def until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    """Wait until something is so.

    Raises:
        TimeoutError: it is not, in all that time.
    """
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110  # nobody tells
            await asyncio.sleep(0.005)
