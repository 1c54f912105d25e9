"""The connector through the API, against a small Telegram: the suite that all connectors pass."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from connectors.telegram import Telegram, TelegramConfig
from pipeline.compliance import Compliance, World
from tests.connectors.telegram.following import Shared
from tests.telegram.account import Account
from tests.telegram.server import Room, Server


class ApiWorld:
    """A channel of a small Telegram."""

    def __init__(self, server: Server, account: Account, name: str) -> None:
        self.server, self.account = server, account
        self.room: Room = server.room(name)
        self.time = 1_783_166_400.0
        self.room.now = lambda: self.time

    def connector(self, *, name: str = "wire", unit: str = "main") -> Telegram:
        config = TelegramConfig(
            name=name,
            unit=unit,
            channel=self.room.name,
            via="api",
            poll_seconds=0.05,
            reread_seconds=0.1,
            album_seconds=0.05,
        )
        return Telegram(config, Shared(self.account))  # type: ignore[arg-type]

    def publish(self, text: str) -> None:
        self.room.publish(text)

    def edit(self, number: int, text: str) -> None:
        self.time += 60
        self.room.edit(number + 1, text)

    def show_old(self, number: int) -> None:
        old = self.room.messages[number + 1]
        old.message, old.edit_date = self.room.states[number + 1][0], None

    def fail(self) -> None:
        self.room.barred = "CHANNEL_PRIVATE"

    def mend(self) -> None:
        self.room.barred = None


class TestApi(Compliance):
    @pytest.fixture(autouse=True)
    async def telegram(self) -> AsyncIterator[None]:
        async with Server() as self.server, Account(self.server) as self.account:
            yield

    def world(self, tmp_path: Path) -> World:
        return ApiWorld(self.server, self.account, f"wire{len(self.server.rooms)}")
