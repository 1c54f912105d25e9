"""The config that a replay writes for its processes reaches the Kafka that the replay was given."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from pipeline.config import load
from pipeline.daemon.replay import write_config
from pipeline.kafka import KafkaSettings

LOGIN = {"security_protocol": "SASL_PLAINTEXT", "sasl_username": "me", "sasl_password": SecretStr("hunter2")}


@pytest.mark.parametrize(
    "given",
    [
        {},  # the default address of these settings is not a config's default
        {"bootstrap_servers": "local"},
        {"bootstrap_servers": "a:1,b:2", "deadline_seconds": 3.5},
        LOGIN,
        {"security_protocol": "SSL", "ssl_cafile": Path("/etc/ca.pem")},
        {
            "security_protocol": "SASL_SSL",
            "sasl_username": "dateline-{role}",
            "sasl_password_file": Path("/etc/dateline-{role}"),
        },
    ],
)
def test_settings_come_through_whole(tmp_path: Path, given: dict[str, Any]) -> None:
    settings = KafkaSettings(**given)
    path = write_config(tmp_path, Path("day.jsonl"), settings, "replay.", speed="max", level="warning")
    assert load(path).kafka.model_dump() == settings.model_dump()


def test_a_secret_stands_in_no_config_and_in_a_file_of_our_own(tmp_path: Path) -> None:
    settings = KafkaSettings(**LOGIN)
    path = write_config(tmp_path, Path("day.jsonl"), settings, "replay.", speed="max", level="warning")
    assert "hunter2" not in path.read_text()
    (secret,) = (file for file in tmp_path.iterdir() if file != path)
    assert secret.stat().st_mode & 0o777 == 0o600


def test_a_relative_path_starts_where_we_stand_and_not_at_the_config(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config").mkdir()
    settings = KafkaSettings(security_protocol="SSL", ssl_cafile=Path("ca.pem"))
    path = write_config(tmp_path / "config", Path("d"), settings, "r.", speed="max", level="warning")
    assert load(path).kafka.ssl_cafile == tmp_path / "ca.pem"
