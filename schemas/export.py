"""Write what subscribers read of us: JSON Schemas, an AsyncAPI document, the page of topics.

Run as `python -m schemas.export --write` or `--check`.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from schemas import asyncapi, topics_page
from schemas.json_schema import file_of, models_of, schema_for
from schemas.topics import TOPICS

__all__ = ["GENERATED", "ROOT", "files", "main", "schema_for", "stale", "write"]

ROOT = Path(__file__).resolve().parents[1]
"""The checkout."""
GENERATED = "schemas/generated"
"""Holds nothing but what is made here."""
_WIDTH = 110


def files() -> dict[str, bytes]:
    """Make all files: path below the root of the checkout, and content."""
    made = {
        f"{GENERATED}/{file_of(model, version)}": _json(schema_for(model, version))
        for model, version in models_of(TOPICS)
    }
    made[f"{GENERATED}/asyncapi.yaml"] = _yaml(asyncapi.document(TOPICS))
    made["docs/topics.md"] = topics_page.page(TOPICS).encode()
    return made


def stale(root: Path) -> list[str]:
    """List the paths below `root` that are missing, not what the models say, or no longer made."""
    made = files()
    wrong = [path for path, content in made.items() if _content(root / path) != content]
    return sorted([*wrong, *_left_over(root, made)])


def write(root: Path) -> list[str]:
    """Bring the files below `root` up to date and list those that changed."""
    made = files()
    changed = stale(root)
    for path in changed:
        if path in made:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(made[path])
        else:
            (root / path).unlink()
    return changed


def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """Write or check; of a check 1 means that files are stale, and names them."""
    parser = argparse.ArgumentParser(prog="python -m schemas.export", description=__doc__)
    action = parser.add_mutually_exclusive_group(required=True)
    action.add_argument("--write", action="store_true", help="bring the files up to date")
    action.add_argument("--check", action="store_true", help="list stale files; exit 1 if there are any")
    wanted = parser.parse_args(arguments)
    paths = write(root) if wanted.write else stale(root)
    word = "wrote" if wanted.write else "stale"
    sys.stdout.writelines(f"{word}: {path}\n" for path in paths)
    return 1 if wanted.check and paths else 0


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _left_over(root: Path, made: dict[str, bytes]) -> list[str]:
    there = (path.relative_to(root).as_posix() for path in (root / GENERATED).glob("*"))
    return [path for path in there if path not in made]


def _json(document: object) -> bytes:
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()


class _Readable(yaml.SafeDumper):
    """Writes texts of several lines as blocks."""

    def represent_scalar(self, tag: str, value: Any, style: str | None = None) -> yaml.ScalarNode:
        return super().represent_scalar(tag, value, "|" if "\n" in value else style)


def _yaml(document: object) -> bytes:
    return yaml.dump(document, Dumper=_Readable, sort_keys=False, width=_WIDTH, allow_unicode=True).encode()


if __name__ == "__main__":
    sys.exit(main())
