"""A broker's process: whether it lives, how it is started and ended.

A pid alone proves nothing: after a reboot another program may have it. So each broker inherits a locked file
handle. The kernel drops the lock when, and only when, the last process that has the handle is gone: a lock
that can be taken means a dead broker, whatever the pid file says.
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
# The shell leaves the broker to init, so that nobody has to wait for it, and notes its pid and process group.
DETACH = '"$@" & echo $! $$ >pid'


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
    ids = _ids(directory)
    return ids[0] if ids else None


def _ids(directory: Path) -> tuple[int, int] | None:
    """Return pid and process group."""
    if not is_alive(directory):
        return None
    try:
        pid, group = (directory / "pid").read_text(encoding="ascii").split()
    except (FileNotFoundError, ValueError):
        return None  # it is being started at this moment
    return int(pid), int(group)


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
    """Ask the brokers of these directories to end, kill those that do not in time, and return these."""
    for directory in directories:
        if ids := _ids(directory):
            with suppress(ProcessLookupError):
                os.kill(ids[0], signal.SIGTERM)
    stubborn = _still_alive(directories, patience_seconds)
    for directory in stubborn:
        kill(directory)
    return stubborn


def kill(directory: Path) -> None:
    """End the broker of this directory at once, as a power cut would.

    Raises:
        LocalKafkaError: It cannot be ended: its pid file is gone, or it is stuck in the kernel.
    """
    if ids := _ids(directory):
        with suppress(ProcessLookupError):
            os.killpg(ids[1], signal.SIGKILL)
    if _still_alive([directory], KILL_SECONDS):
        raise LocalKafkaError(
            f"The broker in {directory} cannot be ended (its pid: {pid_of(directory) or 'unknown'}).\n"
            "Look for it (ps -ef | grep kafka.Kafka) and end it by hand."
        )


def _still_alive(directories: Sequence[Path], patience_seconds: float) -> list[Path]:
    """Return the directories whose brokers still run when the patience is over; none as soon as none does."""
    deadline = time.monotonic() + patience_seconds
    while alive := [directory for directory in directories if is_alive(directory)]:
        if time.monotonic() > deadline:
            return alive
        time.sleep(POLL_SECONDS)
    return []
