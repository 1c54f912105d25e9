"""`dateline check` tells what a config comes to, alone and with Kafka."""

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from connectors.telegram.api.session import Login, held, write_login
from pipeline.cli.app import app
from pipeline.kafka.local import LocalCluster


def check(path: Path, *more: str) -> Any:
    return CliRunner(env={"COLUMNS": "200"}).invoke(app, ["check", "-c", str(path), *more])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "day.jsonl").touch()
    path = tmp_path / "dateline.yaml"
    path.write_text("sources: [{kind: recording, name: '[b]day', path: day.jsonl}]\n")
    return path


def test_a_good_config_is_shown(file: Path) -> None:
    result = check(file)
    assert result.exit_code == 0
    for shown in (
        "[b]day",
        str(file.parent / "day.jsonl"),
        "kafka.bootstrap_servers",
        "local",
        "fingerprint",
    ):
        assert shown in result.stdout
    assert result.stderr == ""


def test_a_caution_is_told_but_is_no_failure(file: Path) -> None:
    (file.parent / "day.jsonl").unlink()
    result = check(file)
    assert result.exit_code == 0
    assert result.stderr.startswith("Caution: [b]day: path: there is no")


def test_a_wrong_config_is_told(file: Path) -> None:
    file.write_text("log: {level: loud}\n")
    result = check(file)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "line 1: log.level: is 'loud'" in result.stderr


def test_no_secret_is_shown(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PASS", "hunter2")
    file.write_text("kafka: {sasl_username: me, sasl_password: '${ENV:PASS}'}\n")
    result = check(file)
    assert result.exit_code == 0
    assert "kafka.sasl_password" in result.stdout
    assert "hunter2" not in result.output


def test_online_without_a_local_kafka_says_how_to_start_it(
    file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("pipeline.local_bootstrap.local_cluster", lambda: LocalCluster(tmp_path / "none"))
    result = check(file, "--online")
    assert result.exit_code == 1
    assert "dateline kafka start" in result.stderr


@pytest.mark.kafka
def test_online_looks_at_the_topics(file: Path, kafka: str, topic_prefix: str) -> None:
    file.write_text(f"kafka: {{bootstrap_servers: '{kafka}'}}\ntopics: {{prefix: {topic_prefix}}}\n")
    result = check(file, "--online")
    assert result.exit_code == 0
    assert "14 of 14 topics are not there yet" in result.stdout
    made = CliRunner().invoke(app, ["topics", "create", "-c", str(file)])
    assert made.exit_code == 0
    assert made.stdout.endswith("14 created, 0 were there.\n")
    assert "14 topics are as they should be" in check(file, "--online").stdout
    text = file.read_text().replace("'}", "', min_insync_replicas: 2, replication_factor: 2}")
    file.write_text(text)
    result = check(file, "--online")
    assert result.exit_code == 1
    assert "min.insync.replicas" in result.stdout


API = "telegram: {{{host}}}\nsources: [{{kind: telegram, name: brics, channel: bricsnews, via: {via}}}]\n"
WHOLE = "api_id: 1, api_hash: '${ENV:HASH}', sessions: [a.session]"


@pytest.mark.parametrize(
    ("host", "mode", "told"),
    [
        ("", None, "telegram.api_id and telegram.api_hash are missing"),
        ("", None, "telegram.sessions names no account: make one with dateline login telegram"),
        (WHOLE, None, "a.session: cannot be read (No such file or directory)"),
        (WHOLE, 0o644, "chmod 600"),
        (WHOLE, 0o600, "is no session of dateline"),
    ],
)
def test_what_a_channel_through_the_api_lacks(
    file: Path, monkeypatch: pytest.MonkeyPatch, host: str, mode: int | None, told: str
) -> None:
    monkeypatch.setenv("HASH", "hunter2")
    if mode is not None:
        (file.parent / "a.session").touch()
        (file.parent / "a.session").chmod(mode)
    file.write_text(API.format(host=host, via="api"))
    result = check(file)
    assert result.exit_code == 0
    assert told in result.stderr
    assert "hunter2" not in result.output


def test_a_channel_by_its_page_needs_no_account(file: Path) -> None:
    file.write_text(API.format(host="", via="web"))
    assert check(file).stderr == ""


def test_a_session_in_use_is_told(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HASH", "hunter2")
    path = file.parent / "a.session"
    write_login(path, Login(user=777, dc=2, host="127.0.0.1", port=443, key=bytes(256)))
    file.write_text(API.format(host=WHOLE, via="api"))
    assert check(file).stderr == ""
    with held(path):
        assert "a process on this machine uses this session now" in check(file).stderr
