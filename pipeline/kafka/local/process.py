"""A broker's process: whether it lives, how it is started and ended.

A pid alone proves nothing: after a reboot another program may have it. So each broker inherits a locked file
handle. The kernel drops the lock when, and only when, the last process that has the handle is gone: a lock that can
be taken means a dead broker, whatever the pid file says.
"""

import fcntl
import os
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from pipeline.kafka.local.error import LocalKafkaError

POLL_SECONDS = 0.02
KILL_SECONDS = 10.0
# The shell leaves the broker to init, so that nobody has to wait for it, and notes its pid.
DETACH = '"$@" & echo $! >pid'


def is_alive(directory: Path) -> bool:
    """Whether the broker of this directory runs."""
    try:
        handle = os.open(directory / "alive", os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)  # shared: two who look do not see each other
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def pid_of(directory: Path) -> int | None:
    """Return the process id of the broker of this directory, or None when it does not run."""
    if not is_alive(directory):
        return None
    try:
        return int((directory / "pid").read_text(encoding="ascii"))
    except (FileNotFoundError, ValueError):
        return None  # it is being started at this moment


def launch(directory: Path, command: Sequence[str]) -> None:
    """Start the command as a daemon in `directory`, its output in console.log there.

    Raises:
        OSError: The directory cannot be written.
    """
    (directory / "pid").unlink(missing_ok=True)
    handle = os.open(directory / "alive", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        with (directory / "console.log").open("wb") as console:
            subprocess.run(  # noqa: S603 - a command made here, no part of it from outside
                ["/bin/sh", "-c", DETACH, "sh", *command],
                cwd=directory,
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
                pass_fds=[handle],
                start_new_session=True,
                check=True,
            )
    finally:
        os.close(handle)


def end(directories: Sequence[Path], patience_seconds: float) -> list[Path]:
    """Ask the brokers of these directories to end, kill those that have not after the patience; return these."""
    for directory in directories:
        _send(directory, signal.SIGTERM)
    stubborn = wait_for_end(directories, patience_seconds)
    for directory in stubborn:
        kill(directory)
    return stubborn


def kill(directory: Path) -> None:
    """End the broker of this directory at once, as a power cut would.

    Raises:
        LocalKafkaError: It cannot be ended: its pid file is gone, or it is stuck in the kernel.
    """
    _send(directory, signal.SIGKILL)
    if wait_for_end([directory], KILL_SECONDS):
        raise LocalKafkaError(
            f"The broker in {directory} runs (as process {pid_of(directory) or 'unknown'}) and cannot be ended.\n"
            f"Find it with: ps -ef | grep kafka.Kafka, and end it by hand."
        )


def wait_for_end(directories: Sequence[Path], patience_seconds: float) -> list[Path]:
    """Return the directories whose brokers still run when the patience is over, none when all have ended before."""
    deadline = time.monotonic() + patience_seconds
    while alive := [directory for directory in directories if is_alive(directory)]:
        if time.monotonic() > deadline:
            return alive
        time.sleep(POLL_SECONDS)
    return []


def _send(directory: Path, number: signal.Signals) -> None:
    pid = pid_of(directory)
    if pid is not None:
        with suppress(ProcessLookupError):
            os.kill(pid, number)
