"""Dead letters: all of the original that fits, and never more than their topic takes."""

from datetime import UTC, datetime

import pytest

from pipeline.burial import (
    BODY_LIMIT_BYTES,
    PLACE_LIMIT,
    carried,
    dead_letter,
    fit,
    kept,
    original,
)
from schemas.cloudevents import Event, encode
from schemas.records import DeadLetter
from schemas.topics import DEADLETTERS

NOON = datetime(2026, 7, 4, 12, tzinfo=UTC)
NASTY = "\ud800\x00ж\n"
"""What JSON and UTF-8 spell at length, or not at all."""


def raised(message: str, depth: int = 0) -> ValueError:
    try:
        if depth:
            raise raised(message, depth - 1) from ValueError(message)
        raise ValueError(message)  # noqa: TRY301  # with a stack
    except ValueError as problem:
        return problem


def letter(data: bytes, message: str = "x", place: str = "p") -> DeadLetter:
    return dead_letter(data, f"s/{place}", "ingest", raised(message, 3), NOON, place=fit(place, PLACE_LIMIT))


@pytest.mark.parametrize(
    ("data", "encoding", "truncated"),
    [
        (b"", "utf-8", False),
        ("Паром".encode(), "utf-8", False),
        (b"\xff\x00", "base64", False),
        (b"x" * (BODY_LIMIT_BYTES - 2), "utf-8", False),
        (b"x" * (BODY_LIMIT_BYTES - 1), "base64", True),
        (b"\n" * (BODY_LIMIT_BYTES // 2 - 1), "utf-8", False),
        (b"\x00" * 1_000_000, "base64", False),
        (b"\xff" * (BODY_LIMIT_BYTES // 4 * 3), "base64", False),
        (b"\xff" * (BODY_LIMIT_BYTES // 4 * 3 + 1), "base64", True),
        (b"\xff" * 20_000_000, "base64", True),
    ],
)
def test_the_bytes_come_back_as_they_were_or_the_first_of_them(
    data: bytes, encoding: str, *, truncated: bool
) -> None:
    value = letter(data)
    assert (value.encoding, value.truncated, value.length) == (encoding, truncated, len(data))
    if truncated:
        assert data.startswith(kept(value))
        with pytest.raises(ValueError, match="only the first part"):
            original(value)
    else:
        assert original(value) == data


def test_a_letter_fits_its_topic_whatever_failed_and_however_it_said_so() -> None:
    value = letter(b"\x00" * 5_000_000, NASTY * 1_000_000, NASTY * 1_000_000)
    names = {f"ce_{number}": ("\x00" * 4_000).encode() for number in range(1_000)}
    whole = value.model_copy(update={"headers": carried(names.items())})
    headers, data = encode(
        Event(f"dead:{value.origin}", "/s", "dateline.deadletter", NOON, value.origin, whole)
    )
    size = (
        len(data or b"") + sum(len(name) + len(text) for name, text in headers) + len(value.origin.encode())
    )
    assert size < DEADLETTERS.max_bytes - 10_000
    assert DeadLetter.read(data or b"") == whole
    assert whole.headers, "the first ones are kept"
    assert "\x00" not in whole.origin


def test_other_bytes_at_the_same_place_are_another_letter() -> None:
    assert letter(b"a").origin != letter(b"b").origin
    assert letter(b"a").origin == letter(b"a").origin
