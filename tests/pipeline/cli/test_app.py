"""The command line as a whole: what there is, and how what goes wrong is told."""

import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from pipeline.cli.app import COMMANDS, Deferred, app
from pipeline.cli.problems import BUG, FAMILIAR, message
from pipeline.config import ConfigProblem, Problem
from pipeline.kafka import Unreachable
from pipeline.kafka.local import LocalKafkaError
from pipeline.observe.server import PortInUse

HEAVY = ("aiokafka", "aiohttp", "prometheus_client", "pydantic", "structlog")


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app, arguments)


def failing(monkeypatch: pytest.MonkeyPatch, problem: BaseException) -> Any:
    """Run a command that ends in a problem."""

    def version() -> None:
        raise problem

    monkeypatch.setattr("pipeline.cli.version.version", version)
    return run("version")


def test_help_lists_every_command() -> None:
    result = run("--help")
    assert result.exit_code == 0
    for command in COMMANDS:
        assert command.name in result.output
        assert command.help[:30] in result.output


def test_help_does_not_wait_for_libraries() -> None:
    code = f"""
import sys
from pipeline.cli import main
sys.argv = ["dateline", "--help"]
try:
    main()
finally:
    assert not set({HEAVY}) & set(sys.modules), sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL, timeout=60)


@pytest.mark.parametrize("command", COMMANDS, ids=[command.name for command in COMMANDS])
def test_every_command_is_there_and_has_a_longer_help(command: Any) -> None:
    assert Deferred(command).loaded().help
    assert run(command.name, "--help").exit_code == 0


def test_a_wrong_use_has_the_exit_code_2_and_proposes() -> None:
    result = run("chekc")
    assert result.exit_code == 2
    assert "Did you mean 'check'" in result.output
    assert run("check").exit_code == 2
    assert run("tail", "items", "--nonsense").exit_code == 2


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        (
            ConfigProblem(Path("d.yaml"), [Problem((), "is empty", "Fill it.")]),
            "d.yaml:\n  is empty\n    Fill it.",
        ),
        (LocalKafkaError("not running"), "not running"),
        (Unreachable("no broker"), "no broker"),
        (PortInUse("127.0.0.1", 9464), "Port 9464 on 127.0.0.1 is in use"),
        (
            FileNotFoundError(2, "No such file or directory", "day.jsonl"),
            "day.jsonl: No such file or directory",
        ),
    ],
)
def test_a_users_problem_is_words_on_stderr_and_exit_code_1(
    monkeypatch: pytest.MonkeyPatch, problem: Exception, words: str
) -> None:
    result = failing(monkeypatch, problem)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(words)
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("bug", [RuntimeError("odd"), OSError("no file in it"), ValueError("odd")])
def test_a_bug_keeps_its_traceback_and_asks_to_be_reported(
    monkeypatch: pytest.MonkeyPatch, bug: Exception
) -> None:
    result = failing(monkeypatch, bug)
    assert result.exception is bug
    assert bug.__notes__ == [BUG]


def test_ctrl_c_has_the_exit_code_130_and_no_words(monkeypatch: pytest.MonkeyPatch) -> None:
    result = failing(monkeypatch, KeyboardInterrupt())
    assert (result.exit_code, result.output) == (130, "")


def test_a_reader_that_had_enough_ends_it_quietly() -> None:
    command = [sys.executable, "-m", "pipeline.cli", "topics", "list"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(60) == 1


def test_every_familiar_problem_is_an_exception_that_exists() -> None:
    for place in FAMILIAR:
        module, _, name = place.rpartition(".")
        problem = getattr(import_module(module), name)
        assert message(problem.__new__(problem)) is not None
