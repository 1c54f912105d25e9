"""`python -m tests.takeover`: how long a standby takes, and how long a rolling restart is silent.

Two daemons with their real processes on one broker. Prints a table and writes it to out/takeover.json. Needs
Linux, and nothing else that keeps the machine busy.
"""

import argparse
import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

from tests.bench.place import broker
from tests.takeover.measure import Rolled, kills, rolling

OUT = Path("out/takeover.json")
KILLS, KILL_RATE = 10, 100
ROLL_POSTS, ROLL_RATE = 40_000, 500
PARTS = ("kills", "rolling")
NOTHING = Rolled(0, 0.0, {}, [])


def main() -> int:
    """Measure; 1 if anything was lost or doubled."""
    parser = argparse.ArgumentParser(prog="python -m tests.takeover", description=__doc__)
    parser.add_argument("--kills", type=int, default=KILLS, help=f"how often a machine dies ({KILLS})")
    parser.add_argument("--posts", type=int, default=ROLL_POSTS, help=f"under the restart ({ROLL_POSTS:,})")
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], help="by default all")
    given = parser.parse_args()
    parts = given.parts or PARTS
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))  # so that nothing stays behind
    with broker() as kafka:
        seconds, wrong = asyncio.run(kills(kafka, given.kills, KILL_RATE)) if "kills" in parts else ({}, [])
        rolled = asyncio.run(rolling(kafka, given.posts, ROLL_RATE)) if "rolling" in parts else NOTHING
    Console().print(table_of(seconds, rolled))
    wrong += [f"{name} differs after the rolling restart" for name in rolled.different]
    OUT.parent.mkdir(exist_ok=True)
    report = {"kills": seconds, "rolling": rolled._asdict(), "wrong": wrong, "load": os.getloadavg()[2]}
    OUT.write_text(json.dumps(report, indent=1) + "\n")
    print("\n".join(wrong) or "Nothing was lost, doubled or changed.", f"Written to {OUT}.", sep="\n")
    return 1 if wrong else 0


def table_of(seconds: dict[str, list[float]], rolled: Rolled) -> Table:
    """Lay the figures out for a terminal."""
    table = Table("what", "p50", "max", "times")
    for role, values in seconds.items():
        kill = f"kill -9 of a machine to the first commit by the other, {role}"
        table.add_row(kill, f"{median(values):.1f} s", f"{max(values):.1f} s", str(len(values)))
    for name, longest in rolled.silences.items():
        rate = f"rolling restart, {rolled.sent} posts/s on air, {rolled.per_second:.0f} items/s through it"
        table.add_row(f"{rate}: longest silence of {name}", "", f"{longest:.1f} s", "1")
    return table


if __name__ == "__main__":
    sys.exit(main())
