"""What tests of several packages share."""

import gc
import logging
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


class Unheard(logging.Handler):
    """Keeps what asyncio says of failures that nobody asked for: an operator would find it in the log.

    Such a failure also breaks other tests: its stack trace is spelled whenever its future is collected, and
    where that is in the middle of parsing, Python 3.11 loses count.
    """

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())


@pytest.fixture(scope="session", autouse=True)
def every_failure_is_heard_of() -> Iterator[None]:
    handler = Unheard()
    logging.getLogger("asyncio").addHandler(handler)
    yield
    gc.collect()
    unheard = [message for message in handler.said if "never retrieved" in message]
    assert unheard == []


@pytest.fixture
def topic_prefix() -> str:
    """A prefix of topic names (and groups, and transactional ids) that no other test has."""
    return f"t{uuid.uuid4().hex[:8]}."
