"""What the tests of the Kafka client share."""

import asyncio
import gc
import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import pytest

from pipeline.kafka import Admin, KafkaSettings, Reader
from schemas.topics import Topic

MakeTopic = Callable[..., Awaitable[str]]
Settle = Callable[[Reader, int], Awaitable[None]]


@pytest.fixture
def settings(kafka: str) -> KafkaSettings:
    return KafkaSettings(bootstrap_servers=kafka)


@pytest.fixture
def spec() -> Callable[..., Topic]:
    """A topic as the registry describes it."""

    def describe(name: str = "topic.v1", **kept: object) -> Topic:
        return Topic(name=name, sentence="", key="", types={}, writer="", **{"retention_days": 1, **kept})  # type: ignore[arg-type]

    return describe


@pytest.fixture
async def make_topic(
    settings: KafkaSettings, topic_prefix: str, spec: Callable[..., Topic]
) -> AsyncIterator[MakeTopic]:
    """Creates a topic and gives its full name."""
    async with Admin(settings) as admin:

        async def make(name: str = "topic.v1", **kept: object) -> str:
            (created,) = await admin.create([spec(name, **kept)], topic_prefix)
            return created

        yield make


@pytest.fixture
def settle() -> Settle:
    """Waits until everything before an offset can be read: the broker ends transactions after it said so."""

    async def wait(reader: Reader, end: int) -> None:
        async with asyncio.timeout(5):
            while await reader.end_offset() < end:
                pass

    return wait


@pytest.fixture
def frozen() -> Iterator[str]:
    """The address of a broker whose machine takes connections and that never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=100) as listening:
        yield f"127.0.0.1:{listening.getsockname()[1]}"


@pytest.fixture
def nobody() -> str:
    """An address where nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{free.getsockname()[1]}"


@pytest.fixture
def no_noise(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Fails the test when asyncio complains of futures, tasks or connections that nobody looked after."""
    yield
    gc.collect()
    records = [record for record in caplog.get_records("call") if record.name == "asyncio"]
    assert not [record.getMessage() for record in records if record.levelno >= logging.ERROR]
