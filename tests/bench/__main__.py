"""`python -m tests.bench`: speed and memory, each figure beside a baseline of the same run.

Prints a table and writes it to out/bench.json. Needs Linux, and nothing else that keeps the machine busy.
"""

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console

from tests.bench import end_to_end, figures, latency, micro, push, restart, telegram
from tests.bench.figures import Figure
from tests.bench.place import Broker, broker

OUT = Path("out/bench.json")
WIDTH = 140
"""Of the table where it does not go to a terminal."""
PARTS = ("micro", "end-to-end", "latency", "restart", "telegram", "push")


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured.

    Attributes:
        bare_records: of each bare copy.
        posts: of the recording that goes through end to end.
        seconds: of the paced recording, and of pushes.
        window_posts: of the recording before the restart.
        looks: among them.
        pages: of originals before the restart, 2,000 each.
        micro_window: items in the window of the pure cores.
        micro_posts: that are timed.
        channel_posts: of the Telegram channel that is brought in.
        channels: that are followed while nothing happens.
        quiet_seconds: for so long.
        pushed_channels: in which something is pushed.
    """

    bare_records: int
    posts: int
    seconds: float
    window_posts: int
    looks: int
    pages: int
    micro_window: int
    micro_posts: int
    channel_posts: int
    channels: int
    quiet_seconds: float
    pushed_channels: int


FULL = Sizes(60_000, 20_000, 30, 100_000, 3 * 24 * 60, 500, 50_000, 3_000, 20_000, 1_000, 60, 200)
QUICK = Sizes(10_000, 2_000, 3, 3_000, 130, 15, 2_000, 500, 1_000, 50, 5, 20)


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], help="by default all")
    parser.add_argument("--quick", action="store_true", help="small sizes and one run: about a minute")
    parser.add_argument("--runs", type=int, help="how often each figure is taken (3; quick: 1)")
    parser.add_argument(
        "--quiet-seconds", type=float, help="how long quiet channels are followed (60; quick: 5)"
    )
    given = parser.parse_args()
    sizes = QUICK if given.quick else FULL
    sizes = replace(sizes, quiet_seconds=given.quiet_seconds or sizes.quiet_seconds)
    runs = given.runs or (1 if given.quick else 3)
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))  # so that nothing stays behind
    console = Console()
    if not console.is_terminal:
        console.width = WIDTH
    loads = [os.getloadavg()[0]]
    with broker() as kafka:
        measured = asyncio.run(measure(kafka, given.parts or PARTS, sizes, runs, console))
    loads.append(os.getloadavg()[0])
    console.print(figures.table_of(measured))
    figures.write(OUT, measured, loads)
    console.print(f"Load before and after: {loads[0]:.1f}, {loads[1]:.1f}. Written to {OUT}.")


async def measure(
    kafka: Broker, parts: Sequence[str], sizes: Sizes, runs: int, console: Console
) -> list[Figure]:
    """Take all figures, one part after the other: nothing else of ours runs meanwhile."""
    work = {
        "micro": lambda: micro.measure(
            kafka.folder, window=sizes.micro_window, timed=sizes.micro_posts, runs=runs
        ),
        "end-to-end": lambda: end_to_end.measure(
            kafka, posts=sizes.posts, bare_records=sizes.bare_records, runs=runs
        ),
        "latency": lambda: latency.measure(kafka, seconds=sizes.seconds, runs=runs),
        "restart": lambda: restart.measure(
            kafka,
            posts=sizes.window_posts,
            looks=sizes.looks,
            pages=sizes.pages,
            bare_records=sizes.bare_records,
            runs=runs,
        ),
        "telegram": lambda: telegram.measure(
            kafka.folder,
            posts=sizes.channel_posts,
            channels=sizes.channels,
            seconds=sizes.quiet_seconds,
            runs=runs,
        ),
        "push": lambda: push.measure(kafka, channels=sizes.pushed_channels, seconds=sizes.seconds, runs=runs),
    }
    found: list[Figure] = []
    for part in parts:
        with console.status(f"{part} …"):
            found += await work[part]()
    return found


if __name__ == "__main__":
    main()
