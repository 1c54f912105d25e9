"""Fixtures of the tests of security."""

import asyncio
from collections.abc import Iterator

import pytest

from pipeline.kafka import Admin
from schemas.topics import TOPICS
from tests.security.bus import PREFIX, Bus, secured


@pytest.fixture(scope="session")
def bus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bus]:
    """A secured Kafka, with the topics as an operator has created them."""
    with secured(tmp_path_factory.mktemp("bus")) as bus:
        asyncio.run(_create(bus))
        yield bus


async def _create(bus: Bus) -> None:
    async with Admin(bus.settings("operator")) as admin:
        assert len(await admin.create(TOPICS, PREFIX)) == len(TOPICS)
