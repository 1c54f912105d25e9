"""A small Telegram with one channel, and a plain telethon that is connected to it."""

from collections.abc import AsyncIterator

import pytest

from tests.telegram.plain import Client
from tests.telegram.server import Room, Server


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with Server() as server:
        yield server


@pytest.fixture
def room(server: Server) -> Room:
    room = server.room("wire")
    for number in range(1, 251):
        room.publish(f"post {number}")
    return room


@pytest.fixture
async def client(server: Server, room: Room) -> AsyncIterator[Client]:
    async with Client(server) as client:
        yield client
