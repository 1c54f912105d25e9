"""What a campaign came to, as a table and as JSON."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from rich.table import Table

from tests.chaos.compare import EXPLAINED, TRANSLATED, Difference
from tests.chaos.round import Struck

RANDOM = "a random moment"


def rows(struck: Sequence[Struck]) -> Iterator[tuple[str, str, list[float | None]]]:
    """Yield kind, place and seconds of recovery of all faults that are alike."""
    found: defaultdict[tuple[str, str], list[float | None]] = defaultdict(list)
    for one in struck:
        found[one.fault.kind, one.fault.point or RANDOM].append(one.seconds)
    for (kind, place), seconds in sorted(found.items()):
        yield kind, place, seconds


def by_kind(struck: Sequence[Struck]) -> Iterator[tuple[str, str, list[float | None]]]:
    """Yield kind, role and seconds of recovery."""
    found: defaultdict[tuple[str, str], list[float | None]] = defaultdict(list)
    for one in struck:
        found[one.fault.kind, one.fault.role].append(one.seconds)
    for (kind, role), seconds in sorted(found.items()):
        yield kind, role, seconds


def table_of(title: str, second: str, found: Iterator[tuple[str, str, list[float | None]]]) -> Table:
    """Draw faults, how many there were, and the time to recover."""
    table = Table(title=title)
    for name in ("kind", second):
        table.add_column(name)
    for name in ("count", "recovered", "p50 s", "max s"):
        table.add_column(name, justify="right")
    for kind, place, seconds in found:
        back = [one for one in seconds if one is not None]
        times = [f"{median(back):.1f}", f"{max(back):.1f}"] if back else ["-", "-"]
        table.add_row(kind, place, str(len(seconds)), str(len(back)), *times)
    return table


def totals(found: Sequence[tuple[str, Difference]]) -> dict[str, int]:
    """Add up what is lost, doubled and different."""
    return {
        name: sum(getattr(difference, name) for _, difference in found)
        for name in ("lost", "doubled", "different")
    }


def write(
    path: Path,
    struck: Sequence[Struck],
    found: Sequence[tuple[str, Difference]],
    blocked: Mapping[str, str],
    given: Mapping[str, Any],
) -> None:
    """Write everything as JSON."""
    path.parent.mkdir(exist_ok=True)
    told = {
        "given": dict(given),
        "faults": len(struck),
        "recovered": sum(one.seconds is not None for one in struck),
        **totals(found),
        "blocked": dict(blocked),
        "struck": [{**one.fault._asdict(), "seconds": one.seconds} for one in struck],
        "differences": [
            {
                "round": prefix,
                "topic": one.topic,
                "lost": one.lost,
                "doubled": one.doubled,
                "different": one.different,
                "first": one.first,
            }
            for prefix, one in found
        ],
        "explained": {f"{topic}: {name}": why for (topic, name), why in {**EXPLAINED, **TRANSLATED}.items()},
    }
    path.write_text(json.dumps(told, indent=2) + "\n")
