"""`dateline login telegram` before anybody is asked: which file, and whether it may be written."""

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from connectors.telegram.api.session import Login, held, write_login
from pipeline.cli.app import app


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "dateline.yaml"
    path.write_text("telegram: {sessions: [a.session]}\n")
    return path


def login(config: Path, *more: str, typed: str = "") -> Any:
    runner = CliRunner(env={"COLUMNS": "200"})
    return runner.invoke(app, ["login", "telegram", "-c", str(config), *more], input=typed)


def there(path: Path) -> bytes:
    write_login(path, Login(user=777, dc=2, host="127.0.0.1", port=443, key=bytes(256)))
    return path.read_bytes()


def test_it_needs_the_programs_key(config: Path) -> None:
    result = login(config)
    assert result.exit_code == 1
    assert "telegram.api_id and telegram.api_hash are missing" in result.stderr
    assert not (config.parent / "a.session").exists()


def test_a_session_is_replaced_only_when_that_is_wanted(config: Path) -> None:
    before = there(config.parent / "a.session")
    result = login(config, typed="n\n")
    assert result.exit_code == 1
    assert "a.session exists. Replace that login" in result.output
    assert (config.parent / "a.session").read_bytes() == before


def test_a_session_in_use_is_left_alone(config: Path) -> None:
    there(config.parent / "a.session")
    with held(config.parent / "a.session"):
        result = login(config)
    assert result.exit_code == 1
    assert "another process on this machine uses this session" in result.stderr


def test_a_folder_that_is_not_there_is_told_before_anybody_is_asked(config: Path) -> None:
    result = login(config, "--session", str(config.parent / "secrets" / "a.session"))
    assert result.exit_code == 1
    assert "mkdir -p -m 700" in result.stderr
    assert "api_hash" not in result.stderr  # that comes later


def test_no_file_to_write(config: Path) -> None:
    config.write_text("telegram: {}\n")
    assert "--session FILE" in login(config).stderr


def test_several_files_to_write(config: Path) -> None:
    config.write_text("telegram: {sessions: [a.session, b.session]}\n")
    assert "choose one with --session FILE" in login(config).stderr
    there(config.parent / "a.session")
    assert "api_hash are missing" in login(config).stderr  # b.session is the one that is missing
