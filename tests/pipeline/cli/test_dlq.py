"""`dateline dlq`: what an operator sees and types."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import typer

from pipeline.burial import dead_letter
from pipeline.cli.dlq import body, cells, chosen, named, told
from pipeline.cli.problems import Mistake
from pipeline.cli.when import instant
from pipeline.daemon.deadletters import Filter
from schemas.records import DeadLetter

NOON = datetime(2026, 7, 4, 12, tzinfo=UTC)


def letter(data: bytes = b"{}", place: str = "p", **changes: Any) -> DeadLetter:
    value = dead_letter(data, f"wire/{place}", "ingest", ValueError("bad \x1b[31m"), NOON, place=place)
    return value.model_copy(update=changes)


def by_origin(*letters: DeadLetter) -> dict[str, DeadLetter]:
    return {one.origin: one for one in letters}


def test_a_row_tells_when_where_whence_how_often_why_and_its_whole_name() -> None:
    one = letter(attempts=3, place="a  b")
    row = cells(one)
    assert row[:5] == ("2026-07-04 12:00:00", "open", "ingest", "wire", "3")
    assert row[5] == "ValueError: bad [31m"
    assert row[6] == one.origin, "two spaces stay two: the name must be found again"


def test_everything_is_told_and_nothing_steers_the_terminal() -> None:
    one = letter(b"red \x1b[31m\nline", headers={"ce_id": "x"}, trace="in f\n  at \x07", by="ann")
    lines = list(told(one))
    assert "header ce_id: x" in lines
    assert "by: ann" in lines
    assert lines[-2:] == ["red \\x1b[31m", "line"]
    assert all(line.isprintable() for line in lines)


def test_bytes_that_are_no_text_are_shown_in_hexadecimal() -> None:
    first, second = body(b"0123456789abcdef\xff\x00ok", as_text=False)
    assert first == "00000000  30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66  0123456789abcdef"
    assert second == "00000010  ff 00 6f 6b" + " " * 36 + "  ..ok"
    assert list(told(letter(b"\xff")))[-1].startswith("00000000  ff")


def test_a_part_of_the_original_is_shown_too() -> None:
    one = letter(b"\xff" * 4_000_000)
    assert one.truncated
    assert list(told(one))[-1].split()[1] == "ff"


@pytest.mark.parametrize(("origins", "everything"), [([], False), (["a"], True)])
def test_either_origins_or_all(origins: list[str], *, everything: bool) -> None:
    with pytest.raises(typer.BadParameter, match="--all"):
        chosen(origins, Filter(), everything=everything)


def test_all_are_those_that_are_open_and_can_come_back() -> None:
    good, foreign = letter(place="1"), letter(place="2", stage="cluster")
    done = [letter(place=state, state=state) for state in ("retried", "requested", "dropped")]
    cut = letter(place="6", truncated=True)
    letters = by_origin(good, foreign, *done, cut)
    assert chosen([], Filter(stage="ingest"), everything=True)(letters) == [good]
    assert chosen([], Filter(), everything=True)(letters) == [good, foreign]


def test_a_name_that_there_is_not_or_that_cannot_come_back_stops_all_of_it() -> None:
    good, done = letter(place="1"), letter(place="2", state="retried")
    letters = by_origin(good, done)
    with pytest.raises(Mistake, match="No dead letter: nonsense"):
        named([good.origin, "nonsense"], letters)
    with pytest.raises(Mistake, match="was retried"):
        chosen([good.origin, done.origin], Filter(), everything=False)(letters)
    assert chosen([good.origin] * 2, Filter(), everything=False)(letters) == [good]


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-07-04T12:00", NOON),
        ("2026-07-04T14:00+02:00", NOON),
        ("2026-07-04", NOON - timedelta(hours=12)),
    ],
)
def test_a_time_without_a_zone_is_utc(text: str, time: datetime) -> None:
    assert instant(text) == time


def test_so_long_ago() -> None:
    assert abs(datetime.now(UTC) - instant("2h") - timedelta(hours=2)) < timedelta(minutes=1)


@pytest.mark.parametrize("text", ["", "soon", "5y", "2026-13-01", "999999d"])
def test_what_is_no_time_is_told(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="is no time"):
        instant(text)
