"""`python -m tests.telegram.week [--short] [--seed N]`: the week, and beside it plain telethon."""

import argparse
import asyncio
import time
from datetime import timedelta

from tests.telegram.week.run import week
from tests.telegram.week.script import FULL, SHORT


def main() -> int:
    """Run it, print what came of it; 1 if anything is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    size, started = SHORT if options.short else FULL, time.monotonic()
    outcome = asyncio.run(week(size, options.seed))
    took = timedelta(seconds=round(time.monotonic() - started))
    print(f"{size.channels} channels, seed {options.seed}, {took}")
    print("happened:", ", ".join(f"{count} {what}" for what, count in sorted(outcome.happened.items())))
    print(
        f"Dateline: {outcome.items} revisions, {outcome.restarts} restarts; wrong: {dict(outcome.wrong) or 0}"
    )
    print(f"plain telethon with catch_up: {dict(outcome.plain) or 0}")
    return 1 if outcome.wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
