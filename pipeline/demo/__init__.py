"""The recorded day, and how its outcome is shown on a terminal."""

from importlib.resources import files
from pathlib import Path

RECORDED_DAY = Path(str(files(__name__))) / "2026-07-04.jsonl"
"""4 July 2026 on ten and more wires: invented, but for the posts that Dateline was made for."""
