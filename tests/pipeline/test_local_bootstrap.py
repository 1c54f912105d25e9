"""`local` in a config is the broker that `dateline kafka start` runs."""

from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.config import Config
from pipeline.kafka import KafkaSettings
from pipeline.kafka.local import LocalCluster, LocalKafkaError, Status
from pipeline.local_bootstrap import located, settings_of

STATUS = Status(True, 1, (1,), (20_000,), "127.0.0.1:20000", Path("/x"), "4.3.1")


@pytest.fixture
def running(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LocalCluster, "status", lambda _: STATUS)


@pytest.mark.usefixtures("running")
def test_local_becomes_the_address_and_all_else_stays() -> None:
    config = Config.model_validate({"kafka": {"deadline_seconds": 3}})
    settings = settings_of(config)
    assert (settings.bootstrap_servers, settings.deadline_seconds) == ("127.0.0.1:20000", 3)


def test_an_address_is_left_alone_and_nothing_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(LocalCluster, "status")
    settings = KafkaSettings(bootstrap_servers="elsewhere:9092")
    assert located(settings) is settings


def test_a_local_broker_that_does_not_run_is_told_with_the_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LocalCluster, "status", lambda _: replace(STATUS, running=False))
    with pytest.raises(LocalKafkaError, match="dateline kafka start"):
        settings_of(Config())
