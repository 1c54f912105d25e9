"""`dateline kafka` as people and scripts meet it."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from pipeline.cli.kafka import kafka_app
from pipeline.kafka.local import LocalCluster


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(kafka_app, [str(argument) for argument in arguments])


def test_what_does_not_run_has_its_own_exit_code(tmp_path: Path) -> None:
    assert run("status", "--dir", tmp_path).exit_code == 3
    result = run("status", "--json", "--dir", tmp_path)
    assert result.exit_code == 3
    assert json.loads(result.stdout)["running"] is False


def test_stopping_what_does_not_run_is_no_fault(tmp_path: Path) -> None:
    assert run("stop", "--dir", tmp_path / "absent").exit_code == 0
    assert run("stop", "--wipe", "--dir", tmp_path / "absent").exit_code == 0
    assert not (tmp_path / "absent").exists()


def test_a_failure_is_words_on_stderr_and_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = run("start", "--dir", tmp_path / "file" / "kafka")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith(f"Cannot use {tmp_path}/file/kafka: Not a directory.\n")
    assert "Traceback" not in result.stderr


def test_without_dir_the_state_directory_is_meant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert str(tmp_path / "dateline" / "kafka") in run("status").stdout


def test_logs_of_a_cluster_that_never_was(tmp_path: Path) -> None:
    result = run("logs", "--dir", tmp_path)
    assert result.exit_code == 1
    assert result.stderr == f"No cluster was ever started in {tmp_path}.\n"


@pytest.mark.kafka
def test_from_start_to_wipe(tmp_path: Path) -> None:
    directory = tmp_path / "with [brackets]"
    try:
        started = run("start", "--dir", directory)
        assert started.exit_code == 0
        assert str(directory) in started.stdout
        assert started.stderr == ""
        found = json.loads(run("status", "--json", "--dir", directory).stdout)
        assert found["running"]
        assert found["bootstrap"] in started.stdout
        assert run("start", "--dir", directory).stdout == started.stdout
        assert len(run("logs", "-n", "3", "--dir", directory).stdout.splitlines()) == 3
        assert run("stop", "--wipe", "--dir", directory).exit_code == 0
        assert not directory.exists()
    finally:
        LocalCluster(directory).destroy()
