"""`python -m tests.chaos`: a campaign of faults, and whether anything was lost, doubled or changed.

The same seed draws the same faults; at which moment a process meets them is its own affair. Prints tables,
writes out/chaos.json, and exits with 1 if a topic is not as in an undisturbed run, or a role did not recover.
"""

import argparse
import asyncio
import signal
import sys
from pathlib import Path
from random import Random
from shutil import rmtree
from tempfile import mkdtemp

from rich.console import Console

from pipeline.config import LogConfig
from pipeline.kafka.local import LocalCluster
from pipeline.observe.logs import setup_logs
from tests.chaos import faults, report
from tests.chaos.campaign import FULL, QUICK, Campaign
from tests.chaos.mutants import MUTANTS

OUT = Path("out/chaos.json")
WIDTH = 140
"""Of the tables where they do not go to a terminal."""
SIZES = (1, 3)
THREE_NODES_PART = 3
"""On three nodes so much less is done with processes: they are the same; the brokers are not."""


def arguments() -> argparse.Namespace:
    """Read the arguments."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--faults", type=int, default=300, help="at least so many (300)")
    parser.add_argument("--seed", type=int, default=4, help="of what is drawn (4)")
    parser.add_argument("--nodes", type=int, choices=SIZES, help="of the cluster; by default first 1, then 3")
    parser.add_argument(
        "--quick", action="store_true", help="one round on one node: about a minute and a half"
    )
    parser.add_argument("--mutant", choices=MUTANTS, help="without this protection; quick, and must fail")
    return parser.parse_args()


def main() -> int:
    """Run the campaign."""
    given = arguments()
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))  # so that nothing stays behind
    console = Console()
    if not console.is_terminal:
        console.width = WIDTH
    campaigns = []
    quick = given.quick or given.mutant is not None
    for nodes in (1,) if quick else (given.nodes,) if given.nodes else SIZES:
        folder = Path(mkdtemp(prefix="dateline-chaos-"))
        campaigns.append(on(nodes, folder, given, console))
        if campaigns[-1].found:
            console.print(f"What the processes said is in {folder}.")
        else:
            rmtree(folder)
    return tell(campaigns, given, console)


def on(nodes: int, folder: Path, given: argparse.Namespace, console: Console) -> Campaign:
    """Run a campaign on a new cluster."""
    quick = given.quick or given.mutant is not None
    said = (folder / "supervisors.log").open("w", buffering=1)
    log = setup_logs(LogConfig(level="info"), role="chaos", stream=said)
    campaign = Campaign(
        nodes, Random(given.seed), QUICK if quick else FULL, folder, log, console, given.mutant or ""
    )
    cluster = LocalCluster(folder / "kafka", nodes)
    try:
        cluster.start()
        asyncio.run(work(campaign, cluster, given.faults, quick=quick))
    finally:
        cluster.destroy()
    return campaign


async def work(campaign: Campaign, cluster: LocalCluster, least: int, *, quick: bool) -> None:
    """Do all parts, or the first round of the first part."""
    if quick:
        await campaign.processes(cluster, least=0, most_rounds=1)
        return
    around = faults.of_surroundings(campaign.random, campaign.nodes, campaign.sizes.times)
    await campaign.surroundings(cluster, around)
    if campaign.nodes == 1:
        await campaign.moves(cluster)
        await campaign.full_disk()
        await campaign.processes(cluster, least)
    else:
        await campaign.processes(cluster, 0, most_rounds=THREE_NODES_PART)


def tell(campaigns: list[Campaign], given: argparse.Namespace, console: Console) -> int:
    """Print and write what came out; give the exit code."""
    struck = [one for campaign in campaigns for one in campaign.struck]
    found = [one for campaign in campaigns for one in campaign.found]
    blocked = {kind: why for campaign in campaigns for kind, why in campaign.blocked.items()}
    console.print(report.table_of("Faults by failpoint", "failpoint", report.rows(struck)))
    console.print(report.table_of("Faults by kind", "role", report.by_kind(struck)))
    for prefix, one in found:
        console.print(
            f"[bold red]{one.topic}[/] of {prefix}*: {one.lost} lost, {one.doubled} doubled, "
            f"{one.different} different. {one.first}",
            markup=True,
            highlight=False,
        )
    for kind, why in blocked.items():
        console.print(f"Not done: {kind}: {why}")
    sums = report.totals(found)
    lame = sum(one.seconds is None for one in struck)
    console.print(
        f"{len(struck)} faults, {lame} without recovery; "
        f"{sums['lost']} lost, {sums['doubled']} doubled, {sums['different']} different. Written to {OUT}."
    )
    report.write(OUT, struck, found, blocked, vars(given))
    return 1 if found or lame else 0


if __name__ == "__main__":
    sys.exit(main())
