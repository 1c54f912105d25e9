"""`python -m tests.telegram.operators [CASE ...]`: what an operator sees of what happens to a channel."""

import argparse
import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipeline.kafka import KafkaSettings
from pipeline.kafka.local import LocalCluster
from tests.scenarios.desk import Desk
from tests.telegram.operators.cases import CASES, Played, play
from tests.telegram.operators.stage import Seen

WIDTH = 160


def main() -> int:
    """Play the cases; exit 1 where an operator would not see one."""
    parser = argparse.ArgumentParser(prog="python -m tests.telegram.operators", description=__doc__)
    parser.add_argument("case", nargs="*", type=int, help=f"1 to {len(CASES)}; by default all")
    given = parser.parse_args()
    console = Console(width=WIDTH, highlight=False)
    wrong = asyncio.run(all_of(given.case or range(1, len(CASES) + 1), console))
    return 1 if wrong else 0


async def all_of(numbers: "list[int] | range", console: Console) -> int:
    """Play cases on a Kafka of their own and print what was seen; give how many went wrong."""
    played: list[Played] = []
    with TemporaryDirectory(prefix="dateline-operators-") as folder:
        cluster = LocalCluster(Path(folder) / "kafka")
        settings = KafkaSettings(bootstrap_servers=await asyncio.to_thread(cluster.start))
        try:
            for number in numbers:
                place = Path(folder) / str(number)
                place.mkdir()
                played.append(await play(number, Desk(settings, f"case{number}."), place))
                tell(number, *played[-1], console)
        finally:
            await asyncio.to_thread(cluster.destroy)
    console.print(summary(played))
    return sum(wrong is not None for _, _, wrong in played)


def tell(number: int, name: str, seen: Seen, wrong: str | None, console: Console) -> None:
    """Print what was seen of one case."""
    console.rule(f"{number}. {name}")
    for line in seen.log:
        console.print("log    ", escape(line))
    for key, value in seen.metrics.items():
        console.print("metric ", escape(f"{key} {value}"))
    for line in seen.printed:
        console.print("printed", escape(line), no_wrap=True, crop=False, overflow="ignore")
    console.print("items  ", escape(seen.items))
    console.print("verdict", "seen" if wrong is None else escape(f"NOT SEEN: {wrong}"))


def summary(played: list[Played]) -> Table:
    """Give the table of all cases."""
    table = Table("case", "log", "metric", "dateline prints", "items", "verdict", show_lines=True)
    for name, seen, wrong in played:
        log = dict.fromkeys(line.split("; ")[0].partition(": ")[2] for line in seen.log)
        metrics = dict.fromkeys(
            f"{key.partition(': dateline_')[2].partition('{')[0]} {value}"
            for key, value in seen.metrics.items()
        )
        cells = (name, "\n".join(log), "\n".join(metrics), "\n".join(seen.told), seen.items)
        table.add_row(*map(escape, cells), "seen" if wrong is None else "NOT SEEN")
    return table


if __name__ == "__main__":
    raise SystemExit(main())
