"""A broker's process, tried with programs that are not brokers."""

import fcntl
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.kafka.local import process

SLEEP = ["/bin/sleep", "600"]


@pytest.fixture
def stranger() -> Iterator[subprocess.Popen[bytes]]:
    """A program of somebody else."""
    with subprocess.Popen(SLEEP) as program:
        yield program
        program.kill()


def test_a_launched_process_lives_until_it_is_asked_to_end(tmp_path: Path) -> None:
    process.launch(tmp_path, SLEEP)
    pid = process.pid_of(tmp_path)
    assert process.is_alive(tmp_path)
    assert pid is not None
    assert os.getsid(pid) != os.getsid(0)
    assert process.end([tmp_path], patience_seconds=10) == []
    assert not process.is_alive(tmp_path)
    assert process.pid_of(tmp_path) is None


def test_the_pid_of_a_dead_broker_may_belong_to_another_program(
    tmp_path: Path, stranger: subprocess.Popen[bytes]
) -> None:
    process.launch(tmp_path, SLEEP)
    process.kill(tmp_path)
    (tmp_path / "pid").write_text(f"{stranger.pid} {os.getpgid(stranger.pid)}\n")
    assert process.pid_of(tmp_path) is None
    assert process.end([tmp_path], patience_seconds=0) == []
    process.kill(tmp_path)
    assert stranger.poll() is None


def test_one_that_does_not_end_is_killed_and_named(tmp_path: Path) -> None:
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)  # what is ignored stays so in the programs started
    try:
        process.launch(tmp_path, SLEEP)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert process.end([tmp_path], patience_seconds=0.1) == [tmp_path]
    assert not process.is_alive(tmp_path)


def test_a_kill_takes_the_children_along(tmp_path: Path) -> None:
    process.launch(tmp_path, ["/bin/sh", "-c", "/bin/sleep 600 & echo born; wait"])
    while "born" not in (tmp_path / "console.log").read_text():
        assert process.is_alive(tmp_path)
    process.kill(tmp_path)
    assert not process.is_alive(tmp_path)


def test_one_who_looks_is_not_taken_for_a_broker(tmp_path: Path) -> None:
    process.launch(tmp_path, SLEEP)
    process.kill(tmp_path)
    with (tmp_path / "alive").open() as looking:
        fcntl.flock(looking, fcntl.LOCK_SH)  # as is_alive does for a moment, in another process
        assert not process.is_alive(tmp_path)


def test_where_nothing_ever_ran_nothing_lives(tmp_path: Path) -> None:
    assert not process.is_alive(tmp_path / "absent")
    assert process.pid_of(tmp_path) is None
