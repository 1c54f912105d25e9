"""What is wrong with a config: all of it at once, each with its place and its cure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

Place: TypeAlias = tuple[str | int, ...]
"""Where in the file, such as ("sources", 0, "name"); () is the whole file."""


def spelled(place: Place) -> str:
    """Write a place as people do: sources[0].name."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place)
    return text.removeprefix(".")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        place: where in the file.
        wrong: what is wrong there.
        cure: what to do.
        line: the line in the file, from 1; none if it has none.
    """

    place: Place
    wrong: str
    cure: str
    line: int | None = None

    def __str__(self) -> str:
        where = spelled(self.place)
        line = "" if self.line is None else f"line {self.line}: "
        return f"{line}{where}{': ' if where else ''}{self.wrong}\n    {self.cure}"


class ConfigProblem(Exception):
    """A config that cannot be used.

    Attributes:
        path: the file.
        problems: everything that is wrong, in the order of the file.
    """

    def __init__(self, path: Path, problems: Sequence[Problem]) -> None:
        self.path = path
        self.problems = tuple(problems)
        super().__init__("\n".join([f"{path}:", *(f"  {problem}" for problem in self.problems)]))


def line_of(place: Place, lines: Mapping[Place, int]) -> int | None:
    """Give the line of a place, or of the nearest one around it."""
    while place and place not in lines:
        place = place[:-1]
    return lines.get(place)
