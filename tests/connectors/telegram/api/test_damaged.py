"""Real messages are read whole; damaged ones are posts or refused by name."""

import pytest

from tests.connectors.telegram.api.coverage import SHARED, counted
from tests.connectors.telegram.api.mutate import OWN, run


def test_damaged_messages_are_posts_or_unreadable() -> None:
    became = run(500, [OWN])
    assert became["posts"] > 50
    assert became["unreadable"] > 50
    assert not became["nowhere"], "a refusal names the place"


@pytest.mark.shared
def test_real_messages_are_read_whole() -> None:
    if not SHARED.is_dir():
        pytest.skip("no ../shared here")
    counts = counted(SHARED)
    assert counts["id"][1] >= 10
    assert {field: found for field, found in counts.items() if found[0] < found[1]} == {}
