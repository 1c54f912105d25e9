"""Runs the connector against a small Telegram, into ingest's own books."""

import asyncio
import json
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import replace
from typing import Any, Self

from connectors.seam import Cursor, Looked, Missed, Waits
from connectors.telegram import Telegram, TelegramConfig
from pipeline.compliance import Desk
from pipeline.ingest.follow import Source
from schemas.item import Item
from tests.connectors.telegram.naming import names
from tests.telegram.account import Account
from tests.telegram.server import Room


class Shared:
    """What a process shares, with a thin account."""

    def __init__(self, accounts: Account) -> None:
        self.accounts = accounts
        self.http = None
        self.names = names()


class Following:
    """Follows one channel; a failure is tried again, as ingest does, from the last cursor."""

    def __init__(self, account: Account, room: Room, desk: Desk | None = None, **settings: Any) -> None:
        quick: dict[str, Any] = {"poll_seconds": 0.05, "reread_seconds": 0.1, "album_seconds": 0.05}
        self.config = TelegramConfig(
            **({"name": room.name, "channel": room.name, "via": "api"} | quick | settings)
        )
        self.account = account
        self.desk = desk or Desk()
        self.looks = 0
        self.missed: list[Missed] = []
        self.waits: list[str] = []
        self.failures: list[str] = []
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        connector = Telegram(self.config, Shared(self.account))  # type: ignore[arg-type]
        source = Source(self.config, connector)
        while True:
            try:
                async with aclosing(connector.observe(stored(self.desk.cursor))) as sights:
                    async for sight in sights:
                        self.desk.take(source, sight)
                        self.looks += isinstance(sight, Looked)
                        if isinstance(sight, Missed) and sight.repaired:
                            self.missed.remove(replace(sight, cursor=None, repaired=False))
                        elif isinstance(sight, Missed):
                            self.missed.append(replace(sight, cursor=None))
                        if isinstance(sight, Waits):
                            self.waits.append(sight.reason)
            except Exception as problem:  # noqa: BLE001  # as ingest does
                self.failures.append(repr(problem))
                await asyncio.sleep(0.05)

    def newest(self) -> dict[str, Item]:
        """Give the newest revision of each item, by its number in the channel."""
        newest: dict[str, Item] = {}
        for item in self.desk.items:
            if not item.late:
                newest[item.native_id] = item
        return newest

    def texts(self) -> list[str]:
        """Give what posts say now, in their order."""
        found = self.newest().values()
        usable = [item for item in found if item.status == "usable"]
        return [item.text for item in sorted(usable, key=lambda item: int(item.native_id))]

    async def looked(self, times: int = 1) -> None:
        """Wait for so many more looks."""
        wanted = self.looks + times
        await until(lambda: self.looks >= wanted)


def stored(cursor: Cursor | None) -> Cursor | None:
    """Give a cursor as it comes back from where it is kept."""
    read: Cursor | None = json.loads(json.dumps(cursor))
    return read


async def until(condition: Callable[[], bool], seconds: float = 15.0) -> None:
    """Wait until something is so.

    Raises:
        TimeoutError: it is not, in all that time.
    """
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110  # nobody tells
            await asyncio.sleep(0.005)
