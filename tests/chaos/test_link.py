"""The link passes on, breaks in three ways, and heals."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.chaos.link import HOST, Link

SOON = 0.1


@pytest.fixture
async def echo() -> AsyncIterator[tuple[int, list[bytes]]]:
    """A server that answers with what it was sent; its port, and what it heard."""
    heard: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(100):
            heard.append(data)
            writer.write(data)
        writer.close()

    server = await asyncio.start_server(answer, HOST, 0)
    yield server.sockets[0].getsockname()[1], heard
    server.close()


async def test_what_is_held_back_comes_when_the_link_heals(echo: tuple[int, list[bytes]]) -> None:
    port, heard = echo
    async with Link(port) as link:
        reader, writer = await asyncio.open_connection(HOST, link.port)
        writer.write(b"one")
        assert await reader.read(100) == b"one"
        link.hold(requests=False)
        writer.write(b"two")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(100), SOON)
        assert heard == [b"one", b"two"], "one-sided: the request arrived, its answer did not"
        link.heal()
        assert await reader.read(100) == b"two"
        link.hold(requests=True)
        writer.write(b"three")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(100), SOON)
        assert heard == [b"one", b"two"], "half-open: nothing arrived"
        link.heal()
        assert await reader.read(100) == b"three"
        writer.close()


async def test_a_cut_link_resets_and_takes_nobody(echo: tuple[int, list[bytes]]) -> None:
    port, _ = echo
    async with Link(port) as link:
        reader, writer = await asyncio.open_connection(HOST, link.port)
        writer.write(b"one")
        assert await reader.read(100) == b"one"
        link.cut()
        with pytest.raises(OSError):
            assert await reader.read(100), "closed in good order"
        again, late = await asyncio.open_connection(HOST, link.port)
        with pytest.raises(OSError):
            assert await again.read(100), "closed in good order"
        link.heal()
        reader, fresh = await asyncio.open_connection(HOST, link.port)
        fresh.write(b"two")
        assert await reader.read(100) == b"two"
        for each in (writer, late, fresh):
            each.close()
