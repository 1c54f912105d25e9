"""Orders and configs in short."""

from datetime import UTC, datetime
from typing import Any

import pytest

from pipeline.control.changes import Hand

NOON = datetime(2026, 7, 4, 12, tzinfo=UTC)


@pytest.fixture
def hand() -> Hand:
    return Hand("ann@desk", NOON)


@pytest.fixture
def config() -> Any:
    """Make the shared part of a config: each source as its settings, or its name alone."""

    def made(*sources: Any) -> dict[str, Any]:
        rows = [{"name": row} if isinstance(row, str) else row for row in sources]
        filled = [{"kind": "recording", "unit": "main", "renamed_from": None, **row} for row in rows]
        return {"kafka": {"replication_factor": 1}, "sources": filled}

    return made
