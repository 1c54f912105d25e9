"""`python -m tests.outage`: Kafka is away for ten minutes at 200 posts a second."""

import argparse
import asyncio
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.table import Table

from pipeline.daemon.compose import ROLES
from tests.outage.measure import Outage, outage

ROWS = 12


def main() -> int:
    """Measure one outage; exit 1 where a post is neither an item nor in a gap, or was doubled."""
    parser = argparse.ArgumentParser(prog="python -m tests.outage", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600.0, help="how long Kafka is away (600)")
    parser.add_argument("--rate", type=float, default=200.0, help="posts a second (200)")
    parser.add_argument("--every", type=float, default=5.0, help="seconds between two looks at memory (5)")
    given = parser.parse_args()
    with TemporaryDirectory(prefix="dateline-outage-") as folder:
        result = asyncio.run(outage(Path(folder), seconds=given.seconds, rate=given.rate, every=given.every))
    tell(result, Console())
    return 1 if result.lost or result.doubled or result.undecided else 0


def tell(result: Outage, console: Console) -> None:
    """Print the memory curve, what became of the posts, and the way back."""
    table = Table(
        "seconds", *(f"{role}, MB" for role in ROLES), "ready", "live", title="Kafka away from 0 on"
    )
    step = max(1, len(result.samples) // ROWS)
    for sample in [*result.samples[::step], result.samples[-1]]:
        memory = [f"{sample.memory_mb[role]:.0f}" for role in ROLES]
        ready, live = sum(map(bool, sample.ready.values())), sum(map(bool, sample.live.values()))
        table.add_row(f"{sample.seconds:.0f}", *memory, f"{ready} of {len(ROLES)}", f"{live} of {len(ROLES)}")
    console.print(table)
    peaks = {role: max(sample.memory_mb[role] for sample in result.samples) for role in ROLES}
    console.print("peak memory:", ", ".join(f"{role} {peak:.0f} MB" for role, peak in peaks.items()))
    console.print(
        f"{result.sent} posts on air: {result.kept} items, {result.in_gaps} in gaps, "
        f"{len(result.lost)} lost, {result.doubled} doubled, {result.undecided} undecided"
    )
    for gap in result.gaps:
        console.print(f"gap: {gap.since} to {gap.until}: {gap.reason}")
    back = ", ".join(f"{topic} after {seconds:.1f} s" for topic, seconds in result.back.items())
    console.print(f"new records behind Kafka's return: {back}")


if __name__ == "__main__":
    sys.exit(main())
