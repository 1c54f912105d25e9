"""The recorded day, every post an original: its stories come out as they were."""

import json
from collections import defaultdict
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from schemas.story import Story

ROOT = Path(__file__).parents[3]
DAY = ROOT / "pipeline/demo/2026-07-04.jsonl"
TRUTH = json.loads((ROOT / "tests/pipeline/demo/expected.json").read_text())["stories"]


@pytest.fixture
def found(desk: Any, tell: Any) -> dict[str, Story]:
    """Give the last state of each item's story, by item as the truth names it."""
    story_of: dict[str, str] = {}
    latest: dict[str, Story] = {}
    for line in map(json.loads, DAY.read_text().splitlines()):
        if "look" in line:
            continue
        desk.at = datetime.fromisoformat(line["observed_at"])
        told = tell(
            line["text"],
            line["id"],
            source=line["source"],
            at=desk.at,
            headline=line.get("title"),
            published=line["published_raw"],
            revision=line["version"],
        )
        story_of[f"{line['source']}|{line['id']}"] = desk.hear(told).story_id
        latest |= {story.story_id: story for story in desk.upserts()}
    return {name: latest[story_id] for name, story_id in story_of.items()}


def test_every_event_is_one_story_and_every_story_one_event(found: dict[str, Story]) -> None:
    stories = defaultdict(set)
    for name, story in found.items():
        stories[story.story_id].add(name)
    assert sorted(map(sorted, stories.values())) == sorted(map(sorted, TRUTH.values()))


def test_the_call_is_one_story_of_two_sources(found: dict[str, Story]) -> None:
    story = found["Polymarket|pm-88172"]
    assert story.sources == ("BRICS News", "Polymarket")
    assert (story.tally.items, story.tally.owners) == (2, 2)
    assert found["Aurora Newswire|an-2507-00388"].tally.items == 1
