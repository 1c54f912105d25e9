"""The small Telegram before it answers anything, and when the bug is its own."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from telethon import errors

from tests.telegram.plain import Client
from tests.telegram.server import Server


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with Server() as server:
        yield server


async def test_a_key_that_nobody_knows(server: Server) -> None:
    session = server.session()
    server.accounts[0].forgotten = True
    with pytest.raises((errors.AuthKeyNotFound, ConnectionError)):
        async with Client(server, session, connection_retries=0):
            pass


async def test_a_key_is_made(server: Server) -> None:
    session = server.blank()
    async with Client(server, session) as client:
        assert await client.plain.get_me() is None
        assert session.auth_key.key == server.accounts[-1].key.key


async def test_a_bug_is_an_error_at_once_and_fails_its_test(monkeypatch: pytest.MonkeyPatch) -> None:
    server = await Server().__aenter__()
    room = server.room("wire")
    monkeypatch.setattr(room, "history", lambda _: 1 / 0)
    async with Client(server) as client:
        where = await client.plain.get_input_entity("wire")
        with pytest.raises(errors.BadRequestError, match="SERVER_BUG_ZeroDivisionError"):
            await asyncio.wait_for(client.plain.get_messages(where, limit=1), 5)
    assert server.asked.count("GetHistory") == 1
    with pytest.raises(AssertionError, match="the small Telegram itself failed: ZeroDivisionError"):
        await server.__aexit__()
