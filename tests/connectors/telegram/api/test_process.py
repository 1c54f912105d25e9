"""From a config file to sights, as a process puts it together, with real accounts on a small Telegram."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import pytest
import structlog
from prometheus_client import CollectorRegistry

from connectors.seam import Lent, Looked, Observation, Sight, SourceFailed
from connectors.telegram.api.session import held
from pipeline.config import Config, hosts, load
from pipeline.daemon.connections import Connections
from tests.telegram.desk import session
from tests.telegram.server import Server

FILE = """
telegram: {api_id: 1, api_hash: '${ENV:HASH}', sessions: [desk.session], spacing_seconds: 0.01}
sources:
- {kind: telegram, name: one, channel: wire, via: api, poll_seconds: 0.1}
- {kind: telegram, name: two, channel: t.me/other, via: api, poll_seconds: 0.1}
"""


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    monkeypatch.setenv("HASH", "hash")
    path = tmp_path / "dateline.yaml"
    path.write_text(FILE)
    return load(path)


@asynccontextmanager
async def process(config: Config) -> AsyncIterator[Connections]:
    connections = Connections(Lent(CollectorRegistry(), structlog.get_logger()), hosts(config))
    try:
        yield connections
    finally:
        await connections.close()


async def texts(sights: AsyncGenerator[Sight]) -> list[bytes]:
    """Give what is seen up to the end of a look."""
    found = []
    async with asyncio.timeout(20):
        async for sight in sights:
            if isinstance(sight, Observation):
                found.append(sight.data)
            if isinstance(sight, Looked):
                break
    return found


async def all_of(sights: AsyncGenerator[Sight]) -> None:
    async with asyncio.timeout(20):
        async for _ in sights:
            pass


async def test_two_channels_with_one_account(config: Config, tmp_path: Path) -> None:
    async with Server() as server, process(config) as connections:
        session(tmp_path / "desk.session", server)
        server.room("wire").publish("The ferry is late.")
        server.room("other").publish("The ferry is here.")
        one, two = (connections.connector(source) for source in config.sources)
        async with aclosing(one.observe(None)) as first, aclosing(two.observe(None)) as second:
            assert b"late" in (await texts(first))[0]
            assert b"here" in (await texts(second))[0]
            assert len(server._links) == 1
            with pytest.raises(Exception, match="another process"), held(tmp_path / "desk.session"):
                pass
        await connections.close()
        assert not server._links
        with held(tmp_path / "desk.session"):
            pass


async def test_a_dead_session_fails_its_sources_and_asks_no_more(config: Config, tmp_path: Path) -> None:
    async with Server() as server, process(config) as connections:
        session(tmp_path / "desk.session", server)
        server.room("wire").publish("The ferry is late.")
        one, two = (connections.connector(source) for source in config.sources)
        async with aclosing(one.observe(None)) as sights:
            await texts(sights)
            server.accounts[0].dead = "AUTH_KEY_UNREGISTERED"
            with pytest.raises(SourceFailed, match="AUTH_KEY_UNREGISTERED"):
                await all_of(sights)
        asked = len(server.asked)
        for source in (one, two):
            with pytest.raises(SourceFailed, match="dateline login telegram") as caught:
                await all_of(source.observe(None))
            assert caught.value.retry_after == 300
        assert len(server.asked) == asked


def test_who_uses_no_account_does_not_wait_for_telethon() -> None:
    code = "import sys, pipeline.daemon.compose; sys.exit('telethon' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
