"""Write `deploy/acls.sh` from the registry of topics, or check that it is up to date."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from pipeline.security.script import FILE, script

ROOT = Path(__file__).resolve().parents[2]
"""The checkout."""


def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """Write or check; of a check 1 means that the file is stale, and names it."""
    parser = argparse.ArgumentParser(prog="python -m pipeline.security", description=__doc__)
    action = parser.add_mutually_exclusive_group(required=True)
    action.add_argument("--write", action="store_true", help="bring the file up to date")
    action.add_argument("--check", action="store_true", help="name the file if it is stale; exit 1 then")
    wanted = parser.parse_args(arguments)
    path, made = root / FILE, script()
    if path.is_file() and path.read_text(encoding="utf-8") == made:
        return 0
    if wanted.write:
        path.parent.mkdir(exist_ok=True)
        path.write_text(made, encoding="utf-8")
        path.chmod(0o755)
    sys.stdout.write(f"{'wrote' if wanted.write else 'stale'}: {FILE}\n")
    return 1 if wanted.check else 0


if __name__ == "__main__":
    sys.exit(main())
