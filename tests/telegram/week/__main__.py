"""`python -m tests.telegram.week [--daemon] [--short] [--seed N]`: the week, and what came of it.

By itself Dateline's connector is run in this process, beside a plain telethon. With --daemon the real ingest
process follows the channels into a real Kafka, and is killed again and again.
"""

import argparse
import asyncio
import time
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.telegram.week import daemon
from tests.telegram.week.run import week
from tests.telegram.week.script import DAEMON, DAEMON_SHORT, FULL, SHORT, Size


def main() -> int:
    """Run it, print what came of it; 1 if anything is wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.telegram.week", description=__doc__)
    parser.add_argument("--daemon", action="store_true")
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    started = time.monotonic()
    if options.daemon:
        size = DAEMON_SHORT if options.short else DAEMON
        lines, failed = through_the_daemon(size, options.seed)
    else:
        size = SHORT if options.short else FULL
        lines, failed = beside_telethon(size, options.seed)
    took = timedelta(seconds=round(time.monotonic() - started))
    print(f"{size.channels} channels, seed {options.seed}, {took}")
    print(*lines, sep="\n")
    return 1 if failed else 0


def beside_telethon(size: Size, seed: int) -> tuple[list[str], bool]:
    """Run it in this process; tell of it, and whether anything is wrong."""
    outcome = asyncio.run(week(size, seed))
    lines = [
        f"happened: {listed(outcome.happened)}",
        f"Dateline: {outcome.items} revisions, {outcome.restarts} restarts; " + wrong(outcome.wrong),
        f"plain telethon with catch_up: {dict(outcome.plain) or 0}",
    ]
    return lines, bool(outcome.wrong)


def through_the_daemon(size: Size, seed: int) -> tuple[list[str], bool]:
    """Run it through the real process; likewise."""
    with (
        TemporaryDirectory(prefix="dateline-week-") as folder,
        daemon.kafka(Path(folder) / "kafka") as settings,
    ):
        outcome = asyncio.run(daemon.week(Path(folder), settings, size, seed))
    lines = [
        f"happened: {listed(outcome.happened)}",
        f"killed in the middle of: {listed(outcome.kills)}",
        f"Dateline: {listed(outcome.written)}, {outcome.kills.total()} kills; " + wrong(outcome.wrong),
        f"states that may be missing, sent right before a kill or a cut: {outcome.excused}",
        *(f"lost: {one}" for one in outcome.lost[:10]),
    ]
    return lines, bool(outcome.wrong)


def listed(counts: Mapping[str, int]) -> str:
    """Spell counts."""
    return ", ".join(f"{count} {what}" for what, count in sorted(counts.items()))


def wrong(counts: Mapping[str, int]) -> str:
    """Spell what is wrong."""
    return f"wrong: {sum(counts.values())}" + (f" ({listed(counts)})" if counts else "")


if __name__ == "__main__":
    raise SystemExit(main())
