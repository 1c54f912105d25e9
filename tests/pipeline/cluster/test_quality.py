"""How well stories match labelled events: floors below what was measured, so that a loss is seen."""

import gzip
import json
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

DATA = Path(__file__).parents[4] / "shared/data"

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not DATA.is_dir(), reason="the labelled sets in ../shared/data are absent"),
]


def pairs(counts: Iterable[int]) -> float:
    return sum(count * (count - 1) / 2 for count in counts)


def pairwise(labels: list[str], stories: list[str]) -> tuple[float, float]:
    """Give precision and recall over all pairs of items."""
    both = pairs(Counter(zip(labels, stories, strict=True)).values())
    return both / pairs(Counter(stories).values()), both / pairs(Counter(labels).values())


@pytest.mark.parametrize(
    ("name", "precision", "recall"),
    [("rss-2026-08-18.jsonl.gz", 0.83, 0.64), ("telegram-ru-2024-12-03.jsonl.gz", 0.79, 0.70)],
)
def test_stories_match_labelled_events(desk: Any, name: str, precision: float, recall: float) -> None:
    with gzip.open(DATA / name, "rt") as lines:
        rows = sorted(map(json.loads, lines), key=lambda row: (row["published_at"], row["id"]))
    stories = []
    for row in rows:
        desk.at = datetime.fromisoformat(row["published_at"])
        change = desk.hear(row["text"], name=row["id"], source=row["source"], published=row["published_at"])
        stories.append(change.story_id or row["id"])
    found = pairwise([row["label"] for row in rows], stories)
    assert found[0] > precision
    assert found[1] > recall
