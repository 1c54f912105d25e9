"""The record itself, and the date strings of real wires."""

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest
from pydantic import ValidationError

from schemas.stamp import Reading, Stamp

SAMPLES = Path(__file__).parents[3] / "shared" / "samples"
NOON = datetime(2026, 7, 4, 12, tzinfo=UTC)
FEED_DATE = re.compile(r"<(?:\w+:)?(?:pubDate|lastBuildDate|updated|published|date)\b[^>]*>\s*([^<]+?)\s*<")
JSON_DATE = re.compile(r'"([0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9][^"]{4,30})?)"')


def test_an_interval_has_both_ends_in_order() -> None:
    with pytest.raises(ValidationError, match="one end"):
        Stamp(raw="x", lo=NOON)
    with pytest.raises(ValidationError, match="after hi"):
        Stamp(raw="x", lo=NOON, hi=NOON - timedelta(seconds=1))
    with pytest.raises(ValidationError, match="after hi"):
        Reading(lo=NOON, hi=NOON - timedelta(seconds=1), reason="day_first")


def test_the_bytes_are_those_that_subscribers_know() -> None:
    assert Stamp.parse("07/04/2026 16:07 ET", day_first=False).dump() == (
        b'{"raw":"07/04/2026 16:07 ET","lo":"2026-07-04T20:07:00Z","hi":"2026-07-04T20:07:59.999999Z",'
        b'"precision":"minute","zone":"abbreviation","zone_name":"ET","readings":'
        b'[{"lo":"2026-04-07T20:07:00Z","hi":"2026-04-07T20:07:59.999999Z","reason":"day_first"}]}'
    )
    assert Stamp.parse("soon").dump() == (
        b'{"raw":"soon","lo":null,"hi":null,"precision":null,"zone":null,"zone_name":null,"readings":[]}'
    )


def samples(pattern: re.Pattern[str], suffix: str) -> list[str]:
    if not SAMPLES.is_dir():
        pytest.skip("../shared is not here")
    texts = (path.read_text("utf-8", "replace") for path in sorted(SAMPLES.rglob(f"*.{suffix}")))
    return sorted({raw for text in texts for raw in pattern.findall(text)})


@pytest.mark.shared
def test_every_date_of_recorded_feeds_is_read_as_the_standard_library_reads_it() -> None:
    found = samples(FEED_DATE, "xml")
    assert len(found) > 300
    for raw in found:
        stamp = Stamp.parse(raw)
        expected = datetime.fromisoformat(raw) if raw[0] == "2" else parsedate_to_datetime(raw)
        assert (stamp.lo, stamp.zone) == (expected, "offset"), raw


@pytest.mark.shared
def test_every_date_in_recorded_messages_is_read_as_the_standard_library_reads_it() -> None:
    found = samples(JSON_DATE, "json*")
    assert len(found) > 300
    for raw in found:
        stamp = Stamp.parse(raw, assumed_zone="UTC")
        expected = datetime.fromisoformat(raw)
        assert stamp.lo == (expected if expected.tzinfo else expected.replace(tzinfo=UTC)), raw
