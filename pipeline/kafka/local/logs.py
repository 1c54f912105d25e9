"""What the brokers wrote down."""

import re
import time
from collections import deque
from collections.abc import Iterator, Mapping
from pathlib import Path

LOOK_SECONDS = 0.2
LOOK_BACK_LINES = 200
LAST_WORDS = 12
TROUBLE = re.compile(r" (ERROR|FATAL) |Exception|Caused by|^Error")


def log_file(place: Path) -> Path:
    """Return the log of a node: the broker's, or Java's own words when the broker did not get as far."""
    broker, console = place / "broker.log", place / "console.log"
    return broker if broker.is_file() and broker.stat().st_size else console


def tail(path: Path, count: int) -> list[str]:
    """Return the last lines of a text file, none when it is absent."""
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return [line.rstrip("\n") for line in deque(file, maxlen=count)]
    except FileNotFoundError:
        return []


def last_words(place: Path) -> str:
    """Return the errors at the end of a node's logs; where they name none, simply the end."""
    lines = [line for name in ("broker.log", "console.log") for line in tail(place / name, LOOK_BACK_LINES)]
    trouble = [line for line in lines if TROUBLE.search(line)]
    return "\n".join((trouble or lines)[-LAST_WORDS:])


def follow(files: Mapping[int, Path]) -> Iterator[tuple[int, str]]:
    """Yield the lines that are written to the logs after this call, with the node's number, for ever."""
    return _follow(files, {number: _size(path) for number, path in files.items()})


def _follow(files: Mapping[int, Path], ends: dict[int, int]) -> Iterator[tuple[int, str]]:
    while True:
        for number, path in files.items():
            size = _size(path)
            start = (
                ends[number] if size >= ends[number] else 0
            )  # shorter than before: a new file took its place
            if size > start:
                with path.open("rb") as file:
                    file.seek(start)
                    text, newline, _ = file.read(size - start).rpartition(b"\n")
                ends[number] = start + len(text) + len(newline)
                for line in text.splitlines():
                    yield number, line.decode("utf-8", "replace")
            else:
                ends[number] = start
        time.sleep(LOOK_SECONDS)


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0
