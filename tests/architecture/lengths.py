"""Reports files over 400 lines and functions over 50; run by `make check` and by the tests."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
FILE_LINES = 400
FUNCTION_LINES = 50
FOLDERS = ("schemas", "connectors", "pipeline", "tests")


def problems(root: Path = ROOT) -> Iterator[str]:
    """Yield a line for each file or function that is too long."""
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*.py")):
            text = path.read_text()
            name = path.relative_to(root)
            if (lines := len(text.splitlines())) > FILE_LINES:
                yield f"{name}: {lines} lines, the limit is {FILE_LINES}"
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    length = (node.end_lineno or node.lineno) - node.lineno + 1
                    if length > FUNCTION_LINES:
                        where = f"{name}:{node.lineno}"
                        yield f"{where}: {node.name} has {length} lines, the limit is {FUNCTION_LINES}"


def main() -> int:
    """Print what is too long; 1 if there is anything."""
    found = list(problems())
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
