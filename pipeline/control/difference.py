"""What differs between two configs, a line for each setting, without secrets. Pure."""

import json
import re
from collections.abc import Iterator
from typing import Any

from pipeline.control.orders import Shared

LOGIN = re.compile(r"(?<=://)[^/@\s]+(?=@)")
"""In an address: user and password. A secret setting holds but its reference, ${ENV:NAME} or ${FILE:path}."""


def difference(before: Shared | None, after: Shared) -> list[str]:
    """List what `after` would change: + added, - removed, ~ changed; sources by name, in their order.

    The order in which sources stand in a file makes no difference.
    """
    old, new = dict(_leaves(before or {})), dict(_leaves(after))
    lines = [f"- {path}: {_shown(value)}" for path, value in old.items() if path not in new]
    for path, value in new.items():
        if path not in old:
            lines.append(f"+ {path}: {_shown(value)}")
        elif old[path] != value:
            lines.append(f"~ {path}: {_shown(old[path])} -> {_shown(value)}")
    return sorted(lines, key=lambda line: line[2:].partition(":")[0])


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every setting that has a value; entries of a list of named things under their names."""
    if isinstance(value, dict):
        for name, each in value.items():
            yield from _leaves(each, f"{path}.{name}" if path else name)
    elif isinstance(value, list) and value and all(isinstance(row, dict) and "name" in row for row in value):
        for row in value:
            yield from _leaves(
                {key: each for key, each in row.items() if key != "name"}, f"{path}.{row['name']}"
            )
    elif value not in (None, []):
        yield path, value


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return LOGIN.sub("...", text)
