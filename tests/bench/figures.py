"""What was measured: each figure beside a baseline of the same run, as a table and as JSON."""

import json
import os
import platform
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

TITLE = "Medians. Absolute numbers are this machine's, at its load of that moment; ratios travel better."
CAPTION = (
    "Baselines of the same run. Bare copy: aiokafka alone, exactly once, 1,000 records of 900 bytes a "
    "transaction, in a process of its own; one hop: the same, fed at the pace of the posts. "
    "pydantic: dump and validate of the same Items."
)


@dataclass(frozen=True, slots=True)
class Baseline:
    """What figures are compared with.

    Attributes:
        name: what it is.
        values: one of each run, in the unit of the figure.
    """

    name: str
    values: Sequence[float]


@dataclass(frozen=True, slots=True)
class Figure:
    """One measurement.

    Attributes:
        part: the benchmark.
        name: what is measured.
        unit: of its values and of the baseline's.
        values: one of each run.
        baseline: measured in the same run.
        aim: what it ought to be, where that is decided.
    """

    part: str
    name: str
    unit: str
    values: Sequence[float]
    baseline: Baseline
    aim: str = ""

    @property
    def value(self) -> float:
        """The median of the runs."""
        return median(self.values)

    @property
    def ratio(self) -> float:
        """The median as a multiple of the baseline's."""
        return self.value / median(self.baseline.values)

    def as_json(self) -> dict[str, Any]:
        """Give everything that is known of it."""
        return {
            "part": self.part,
            "figure": self.name,
            "unit": self.unit,
            "median": round(self.value, 3),
            "runs": [round(value, 3) for value in self.values],
            "baseline": self.baseline.name,
            "baseline_median": round(median(self.baseline.values), 3),
            "baseline_runs": [round(value, 3) for value in self.baseline.values],
            "ratio": round(self.ratio, 4),
            "aim": self.aim or None,
        }


def table_of(figures: Iterable[Figure]) -> Table:
    """Lay figures out for a terminal."""
    table = Table(title=TITLE, caption=CAPTION, caption_justify="left", box=SIMPLE_HEAD)
    table.add_column("benchmark", no_wrap=True)
    for name in ("median", "from to"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("aim", justify="right", no_wrap=True)
    table.add_column("ratio", justify="right", no_wrap=True)
    table.add_column("to baseline", no_wrap=True)
    part = ""
    for figure in figures:
        if figure.part != part:
            part = figure.part
            table.add_row(f"[bold]{part}[/]")
        low, high = spelled(min(figure.values)), spelled(max(figure.values))
        table.add_row(
            f"  {figure.name}",
            f"[bold]{spelled(figure.value)}[/] {figure.unit}",
            "" if low == high else f"{low} to {high}",
            figure.aim,
            f"{figure.ratio:.3g}",
            f"{spelled(median(figure.baseline.values))}, {figure.baseline.name}",
        )
    return table


def spelled(number: float) -> str:
    """Spell a number with the digits that mean something."""
    return f"{number:,.0f}" if abs(number) >= 100 else f"{number:.3g}"


def write(path: Path, figures: Iterable[Figure], loads: Sequence[float]) -> None:
    """Write figures as JSON.

    Args:
        path: the file.
        figures: what was measured.
        loads: the machine's load averages (1 min) before and after.
    """
    path.parent.mkdir(exist_ok=True)
    report = {
        "measured": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "system": platform.platform(),
            "load_before_and_after": [round(load, 2) for load in loads],
        },
        "figures": [figure.as_json() for figure in figures],
    }
    path.write_text(json.dumps(report, indent=1) + "\n")
