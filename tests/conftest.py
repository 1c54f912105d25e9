"""What tests of several packages share."""

import uuid
from collections.abc import Iterator

import pytest

from pipeline.kafka.local import LocalCluster


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Bootstrap servers of a real Apache Kafka that lives as long as this run of the tests."""
    cluster = LocalCluster(tmp_path_factory.mktemp("kafka"))
    try:
        yield cluster.start()
    finally:
        cluster.destroy()


@pytest.fixture
def topic_prefix() -> str:
    """A prefix of topic names (and groups, and transactional ids) that no other test has."""
    return f"t{uuid.uuid4().hex[:8]}."
