"""From a file to plain data: everything that can be wrong before a setting has a meaning."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from pipeline.config.problems import ConfigProblem, Place, Problem

_START = "Start from dateline.example.yaml."


@dataclass(frozen=True, slots=True)
class Document:
    """A file as read.

    Attributes:
        data: mappings, lists and scalars.
        lines: where each place begins, from 1.
        problems: what is wrong but hinders nobody to look for more.
    """

    data: Mapping[Any, Any]
    lines: Mapping[Place, int]
    problems: tuple[Problem, ...]


class _Loader(yaml.SafeLoader):
    """Leaves dates as they are written: no setting is one, and impossible ones break PyYAML."""


_Loader.add_constructor("tag:yaml.org,2002:timestamp", lambda _, node: node.value)


def read(path: Path) -> Document:
    """Read a YAML file.

    Raises:
        ConfigProblem: it cannot be read, is no YAML, or is not settings by name.
    """
    try:
        return parse(content(path))
    except _Wrong as wrong:
        raise ConfigProblem(path, [wrong.problem]) from None


class _Wrong(Exception):
    """The one thing that is wrong, where it hides everything else."""

    def __init__(self, wrong: str, cure: str, line: int | None = None) -> None:
        super().__init__(wrong)
        self.problem = Problem((), wrong, cure, line)


def content(path: Path) -> str:
    """Give the file's text."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise _Wrong("there is no such file", f"Correct the path. {_START}") from None
    except IsADirectoryError:
        raise _Wrong("is a folder", "Name the file in it.") from None
    except PermissionError:
        raise _Wrong("may not be read by this user", "Change its mode or owner.") from None
    except (OSError, ValueError) as problem:
        raise _Wrong(f"cannot be read: {problem}", "Correct the path.") from None
    try:
        return data.decode()
    except UnicodeDecodeError as problem:
        line = data.count(b"\n", 0, problem.start) + 1
        raise _Wrong(f"is not UTF-8: {problem.reason}", "Save it as UTF-8.", line) from None


def parse(text: str) -> Document:
    """Parse YAML; what it says of dates, or of the same thing twice, is stricter than YAML."""
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        found = list(_walk(node, (), ())) if node is not None else []
        data = loader.construct_document(node) if node is not None else None
    except yaml.MarkedYAMLError as problem:
        mark = problem.problem_mark or problem.context_mark
        line, column = (mark.line + 1, f", column {mark.column + 1}") if mark else (None, "")
        wrong = f"is no valid YAML{column}: {problem.problem or problem.context}"
        raise _Wrong(wrong, "Mind indentation, colons and quotes there.", line) from None
    except yaml.reader.ReaderError as problem:
        line = text.count("\n", 0, problem.position) + 1
        wrong = f"holds a character that YAML forbids: {ord(text[problem.position]):#06x}"
        raise _Wrong(wrong, "Remove it.", line) from None
    except (ValueError, TypeError, RecursionError) as problem:  # what PyYAML lets through of odd values
        raise _Wrong(f"holds a value that YAML cannot give: {problem}", "Put it in quotes.") from None
    if data is None:
        raise _Wrong("is empty", _START)
    if not isinstance(data, dict):
        kind = "a list" if isinstance(data, list) else "one value"
        raise _Wrong(f"is {kind}, not settings by name", _START, 1)
    lines = {place: line for place, line, _ in found}
    return Document(data, lines, tuple(problem for _, _, problem in found if problem))


def _walk(
    node: yaml.Node, place: Place, above: tuple[yaml.Node, ...]
) -> Iterator[tuple[Place, int, Problem | None]]:
    """Yield each place with its line, and what is wrong there."""
    if node in above:
        raise _Wrong("refers to itself", "Write the value out, without *.", node.start_mark.line + 1)
    above = (*above, node)
    if isinstance(node, yaml.SequenceNode):
        for index, child in enumerate(node.value):
            yield (*place, index), child.start_mark.line + 1, None
            yield from _walk(child, (*place, index), above)
    elif isinstance(node, yaml.MappingNode):
        first: dict[str, int] = {}
        for key, child in node.value:
            name, line = str(key.value), key.start_mark.line + 1
            twice = Problem(
                (*place, name),
                f"is there twice, first in line {first.get(name)}",
                "Remove one of them.",
                line,
            )
            yield (*place, name), line, twice if name in first else None
            first.setdefault(name, line)
            yield from _walk(child, (*place, name), above)
