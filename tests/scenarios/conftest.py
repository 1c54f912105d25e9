"""Fixtures of the scenarios."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.kafka import KafkaSettings
from tests.scenarios.desk import Desk


@pytest.fixture
def desk(kafka: str, topic_prefix: str) -> Desk:
    return Desk(KafkaSettings(bootstrap_servers=kafka), topic_prefix)


@pytest.fixture
def long_day(tmp_path: Path) -> Path:
    """A recording of 5,000 posts of 20 sources over two days: events, copies, edits, looks."""
    path = tmp_path / "long.jsonl"
    start = datetime(2026, 7, 1, tzinfo=UTC)
    verbs = ("hits", "closes", "opens", "floods", "strikes", "rejects", "approves", "launches")
    places = ("Porto", "Lagos", "Minsk", "Quito", "Hanoi", "Turin", "Davos", "Malmo", "Tunis", "Osaka")
    things = ("bridge", "harbour", "airport", "stadium", "refinery", "museum", "parliament", "factory")
    with path.open("w") as file:
        for number in range(5000):
            at = start + timedelta(seconds=35 * number)
            event = number // 4
            text = (
                f"Report {event}: storm {verbs[event % 8]} the {things[event // 8 % 8]} of "
                f"{places[event // 64 % 10]}, {100 + event} people affected, source desk {number % 4}"
            )
            row = {
                "id": str(number if number % 50 else max(0, number - 25)),
                "source": f"wire {number % 20}",
                "kind": "telegram",
                "text": text if number % 4 != 1 else text.replace("source desk 1", "source desk 0"),
                "published_at": (at - timedelta(seconds=4)).isoformat(),
                "observed_at": at.isoformat(),
            }
            file.write(json.dumps(row) + "\n")
    return path
