"""Posts at the limits, and far beyond: each becomes what it should, and nothing stops."""

import json
from typing import Any

import pytest

from pipeline.burial import BODY_LIMIT_BYTES, kept
from pipeline.chronology.decide import Chronology
from pipeline.cluster.decide import Cluster
from pipeline.deduplicate.decide import Deduplicate
from pipeline.ingest.compose import RAW_LIMIT_BYTES
from schemas.item import ITEM_LIMIT_BYTES, TEXT_LIMIT_BYTES, Item, Raw
from schemas.records import DeadLetter
from schemas.story import StoryChange
from schemas.topics import DEADLETTERS, ITEMS, RAW, STORY_CHANGES
from tests.scenarios.desk import Desk
from tests.scenarios.stages import run
from tests.scenarios.wire import Wire, as_text, followed, until, values

pytestmark = pytest.mark.kafka
QUOTES = len('""')
AROUND = 640
"""Of an item's bytes beside its headline, give or take a few."""


def read(post: bytes) -> Any:
    return json.loads(post) if post.startswith(b"{") else as_text(post)


def headline(length: int) -> bytes:
    return json.dumps({"headline": "x" * length, "text": "a short text"}).encode()


async def written(desk: Desk, posts: list[bytes]) -> tuple[list[Item], list[Raw], list[DeadLetter]]:
    """Let ingest take posts in, and one more behind them."""
    wire = Wire([*posts, b"and life goes on behind it"], read)
    async with followed(desk, wire):
        found = await until(
            desk, ITEMS, lambda all_: any(isinstance(one, Item) and "goes on" in one.text for one in all_)
        )
    raw, letters = await values(desk, RAW), await values(desk, DEADLETTERS)
    return (
        [one for one in found if isinstance(one, Item)][:-1],
        [one for one in raw if isinstance(one, Raw)][:-1],
        [one for one in letters if isinstance(one, DeadLetter)],
    )


async def test_raw_to_the_byte(desk: Desk) -> None:
    fits = [b"x" * (RAW_LIMIT_BYTES - QUOTES), b"\n" * ((RAW_LIMIT_BYTES - QUOTES) // 2)]
    beyond = [b"x" * (RAW_LIMIT_BYTES - QUOTES + 1), b"y" * 2_500_000]
    items, raw, letters = await written(desk, [*fits, *beyond])
    assert [one.item_id for one in items] == [f"wire/{number}" for number in range(4)]
    assert all(one.truncated for one in items)
    assert [len(one.text) for one in items] == [
        TEXT_LIMIT_BYTES - QUOTES,
        (TEXT_LIMIT_BYTES - QUOTES) // 2,
    ] + [TEXT_LIMIT_BYTES - QUOTES] * 2
    assert [one.body.encode() for one in raw] == fits
    assert [one.item_id for one in letters] == ["wire/2", "wire/3"]
    assert [kept(one) for one in letters] == beyond
    for core in (Deduplicate(), Cluster(), Chronology()):
        await run(desk, core)
    carried = [
        one for one in await values(desk, STORY_CHANGES) if isinstance(one, StoryChange) and one.carried
    ]
    assert len(carried) == len(items) + 1


async def test_items_to_the_byte(desk: Desk) -> None:
    lengths = range(ITEM_LIMIT_BYTES - AROUND - 200, ITEM_LIMIT_BYTES - AROUND + 200, 20)
    items, raw, letters = await written(desk, [headline(length) for length in lengths])
    sizes = [len(one.dump()) for one in items]
    assert ITEM_LIMIT_BYTES - 20 <= max(sizes) <= ITEM_LIMIT_BYTES
    assert len(items) + len(letters) == len(lengths)
    assert {len(one.headline or "") for one in items} == set(lengths[: len(items)])
    assert all(f"the limit is {ITEM_LIMIT_BYTES}" in one.cause for one in letters)
    assert len(raw) == len(items), "no raw record without its item"
    for core in (Deduplicate(), Cluster(), Chronology()):
        await run(desk, core)
    carried = [
        one for one in await values(desk, STORY_CHANGES) if isinstance(one, StoryChange) and one.carried
    ]
    assert len(carried) == len(items) + 1


async def test_dead_letters_to_the_byte(desk: Desk) -> None:
    largest = BODY_LIMIT_BYTES // 4 * 3
    posts = [b"\xff" * largest, b"\xff" * (largest + 1), b"\xff" * 12_000_000, b"\x00" * 900_000 + b"\xff"]
    items, _, letters = await written(desk, posts)
    assert items == []
    assert [(one.length, one.truncated) for one in letters] == [
        (largest, False),
        (largest + 1, True),
        (12_000_000, True),
        (900_001, False),
    ]
    assert [kept(one) for one in letters] == [posts[0], posts[1][:largest], posts[2][:largest], posts[3]]


async def test_what_an_error_quotes_does_not_burst_its_letter(desk: Desk) -> None:
    def quoting(post: bytes) -> Any:
        if len(post) > 100:
            raise ValueError(post * 10)
        return as_text(post)

    wire = Wire([b"x" * 1_000_000, b"short"], quoting)
    async with followed(desk, wire):
        found = await until(desk, ITEMS, lambda all_: any(isinstance(one, Item) for one in all_))
    (letter,) = await values(desk, DEADLETTERS)
    assert isinstance(letter, DeadLetter)
    assert letter.cause.startswith("ValueError: b'xxx")
    assert letter.length == 1_000_000
    assert found
