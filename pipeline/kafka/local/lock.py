"""One command at a time in a directory."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.kafka.local.progress import Progress


@contextmanager
def exclusive(path: Path, progress: Progress) -> Iterator[None]:
    """Hold the lock file `path`; wait, and say so, while another process holds it.

    The kernel drops the lock with its holder, so a killed command leaves nothing to clean up.

    Raises:
        OSError: The file cannot be created.
    """
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            _take(handle, path, progress)
            if _is_still(path, handle):
                yield
                return
        finally:
            os.close(handle)


def _take(handle: int, path: Path, progress: Progress) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        progress.note(f"Another command is at work in {path.parent}; waiting for it.")
        fcntl.flock(handle, fcntl.LOCK_EX)


def _is_still(path: Path, handle: int) -> bool:
    """Whether the locked file is the one that others will open: a wipe removes it under a waiting process."""
    try:
        return os.path.samestat(path.stat(), os.fstat(handle))
    except FileNotFoundError:
        return False
