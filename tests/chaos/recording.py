"""The recording of a campaign: 30 sources, interleaved as they stand in the file, over several days.

It is the benchmarks' corpus (events, copies, forwards, replies, edits, looks), with posts that repeat one
from just beyond the window, and with lines that cannot be read. Each 60 lines end an epoch.
"""

import json
from collections import deque
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tests.bench.corpus import SOURCES as WIRES
from tests.bench.corpus import Plan, rows

SOURCES = 30
EVERY = timedelta(minutes=6)
LOOKS = timedelta(hours=5)
FUTURE_EVERY = 25
"""One of so many posts is stamped hours ahead, so that there are flags."""
OLD = timedelta(hours=73)
"""Of the posts that are repeated late: in the window or not, as its last boundary lay."""
REPEAT_EVERY = 12
BROKEN_EVERY = 400
"""A line that is no post; half way between two of them one that is no JSON."""


def write_recording(path: Path, posts: int, *, looks: bool = True) -> Path:
    """Write a recording; the same size gives the same bytes."""
    plan = Plan(posts, EVERY, LOOKS if looks else None, FUTURE_EVERY)
    path.write_text("".join(f"{line}\n" for line in lines(plan)))
    return path


def lines(plan: Plan) -> Iterator[str]:
    """Yield the lines."""
    past: deque[dict[str, Any]] = deque()
    for number, row in enumerate(map(of_fewer, rows(plan))):
        yield json.dumps(repeated(row, past) if number % REPEAT_EVERY == 0 else row)
        past.append(row)
        if number % BROKEN_EVERY == BROKEN_EVERY - 1:
            yield json.dumps({"id": f"broken {number}", "source": "wire 0"})
        if number % BROKEN_EVERY == BROKEN_EVERY // 2:
            yield f'{{"id": "torn {number}", "source":'


def of_fewer(row: dict[str, Any]) -> dict[str, Any]:
    """Give a line with its source, and those it speaks of, among the first 30."""
    if "look" in row:
        return {**row, "look": {f"wire {n}": "ok" for n in range(SOURCES)}}
    named = {**row, "source": one_of_fewer(row["source"])}
    if "forward" in row:
        named["forward"] = {**row["forward"], "source": one_of_fewer(row["forward"]["source"])}
    return named


def one_of_fewer(name: str) -> str:
    kind, _, number = name.partition(" ")
    return f"{kind} {int(number) % SOURCES}" if kind == "wire" else name


def repeated(row: dict[str, Any], past: deque[dict[str, Any]]) -> dict[str, Any]:
    """Give a post the text of one that was observed 73 h before, if there is one."""
    if "text" not in row or "version" in row:
        return row
    at = datetime.fromisoformat(row["observed_at"])
    while past and at - datetime.fromisoformat(past[0]["observed_at"]) > OLD:
        old = past.popleft()
        if "text" in old and at - datetime.fromisoformat(old["observed_at"]) < OLD + REPEAT_EVERY * EVERY:
            return {**row, "text": old["text"]}
    return row


assert WIRES >= SOURCES
