"""The long memory: originals that left the window, as compactly as they can still be looked up.

Each key leads to the latest original that has it, so that an expired page never brings back an older one.
"""

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from sys import byteorder, intern
from typing import Literal
from zlib import crc32

from pydantic_core import from_json, to_json

from pipeline.deduplicate.text import FEWEST_SHINGLES, Profile, digest, digest64
from schemas.item import Originals

PAGE_ROWS = 2_000
KEPT_FOR = timedelta(days=400)
SKETCH_KEYS = 2
"""Of each sketch, the smallest shingles under which it is found."""
FEWEST_SHARED = 10
"""Of the twelve smallest shingles of both texts together. Stricter than in the window: forms recur."""
LENGTHS_DIFFER = 1.5
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_FIRST_SHINGLE = 2
_NUMBERS = _FIRST_SHINGLE + FEWEST_SHINGLES
_NO_SKETCH = "00000000" * _NUMBERS


@dataclass(frozen=True, slots=True)
class Remembered:
    """One original of the long memory."""

    item_id: str
    source: str
    observed: datetime
    group: str


@dataclass(frozen=True, slots=True)
class Page:
    """One page of originals, column by column.

    Attributes:
        at: the boundary at which it was written.
        item_ids: as a JSON list: read only when an original is recognised.
        sources: of each row.
        groups: of the few rows whose group bears another name.
        observed: microseconds since 1970.
        texts: 64-bit digests.
        urls: 64-bit digests, also of the empty one, for which nobody asks.
        sketches: 14 numbers a row: `sketch`; zeros where the text is short.
    """

    at: datetime
    item_ids: bytes
    sources: tuple[str, ...]
    groups: dict[int, str]
    observed: "array[int]"
    texts: "array[int]"
    urls: "array[int]"
    sketches: "array[int]"


def sketch(profile: Profile) -> "array[int]":
    """Give 14 numbers that stand for a text: a hash of its facts, how many shingles it has, the 12 smallest.

    The shared part of the smallest of both estimates how much two texts share (A. Broder, 1997). Of a short
    text there is no sketch.
    """
    facts = crc32(",".join(map(str, profile.facts)).encode())
    return array("I", [facts, len(profile.shingles), *profile.shingles[:FEWEST_SHINGLES]])


def spell(numbers: "array[int]") -> str:
    """Spell a sketch as hexadecimal digits, 8 a number."""
    return _big_endian(numbers).tobytes().hex()


@dataclass(slots=True)
class Memory:
    """What is remembered of originals, by identity, address and sketch.

    Attributes:
        pages: by number.
        next_page: the number of the next page that is written.
    """

    pages: dict[int, Page] = field(default_factory=dict)
    next_page: int = 0
    _items: dict[int, int] = field(default_factory=dict)
    _urls: dict[int, int] = field(default_factory=dict)
    _sketches: dict[int, int] = field(default_factory=dict)

    def take(self, originals: Originals) -> None:
        """Take in one page; they come in the order of their numbers."""
        self.drop(originals.page)
        self.pages[originals.page] = page = Page(
            at=originals.at,
            item_ids=to_json(originals.item_ids),
            sources=tuple(map(intern, originals.sources)),
            groups={row: group for row, group in enumerate(originals.groups) if group},
            observed=array("q", [(time - _EPOCH) // _MICROSECOND for time in originals.observed]),
            texts=_read_hex("Q", originals.text_hashes),
            urls=_digests(originals.urls),
            sketches=_read_hex("I", [signature or _NO_SKETCH for signature in originals.signatures]),
        )
        self.next_page = max(self.next_page, originals.page + 1)
        first = originals.page * PAGE_ROWS
        rows = list(range(first, first + len(originals.item_ids)))  # one object for all keys of a row
        for index, keys in self._keys(page, originals.item_ids):
            index.update(zip(keys, rows, strict=True))

    def drop(self, number: int) -> None:
        """Forget one page, if there is one of this number."""
        page = self.pages.pop(number, None)
        if page is None:
            return
        for index, keys in self._keys(page, from_json(page.item_ids)):
            for row, key in enumerate(keys, number * PAGE_ROWS):
                if index.get(key) == row:
                    del index[key]

    def expire(self, time: datetime) -> None:
        """Forget the pages that were written 400 days or longer before `time`."""
        for number in [number for number, page in self.pages.items() if page.at <= time - KEPT_FOR]:
            self.drop(number)

    def by_item(self, item_id: str) -> Remembered | None:
        """Find an original by its identity."""
        row = self._items.get(digest64(item_id))
        found = None if row is None else _remembered(*self._place(row))
        return found if found is not None and found.item_id == item_id else None

    def by_url(self, url: str) -> Remembered | None:
        """Find the latest original with the same canonical address."""
        row = self._urls.get(digest64(url))
        return None if row is None else _remembered(*self._place(row))

    def by_text(self, profile: Profile) -> Remembered | None:
        """Find an original with the same words; never of a short text."""
        for page, index in self._rows(profile):
            if page.texts[index] == profile.digest:
                return _remembered(page, index)
        return None

    def like(self, profile: Profile) -> tuple[Remembered, float] | None:
        """Find the original that shares most with a text, and estimate how much, 0 to 1."""
        best: tuple[Page, int] | None = None
        likeness = 0.0
        for page, index in self._rows(profile):
            theirs = page.sketches[index * _NUMBERS : (index + 1) * _NUMBERS]
            estimate = _estimate(sketch(profile), theirs)
            if estimate > likeness:
                best, likeness = (page, index), estimate
        return (_remembered(*best), likeness) if best else None

    def _rows(self, profile: Profile) -> list[tuple[Page, int]]:
        keys = profile.shingles[:SKETCH_KEYS]
        if self._sketches.keys().isdisjoint(keys):
            return []
        rows = {row for key in keys if (row := self._sketches.get(key)) is not None}
        return [self._place(row) for row in sorted(rows)]

    def _place(self, row: int) -> tuple[Page, int]:
        return self.pages[row // PAGE_ROWS], row % PAGE_ROWS

    def _keys(self, page: Page, item_ids: Iterable[str]) -> Iterator[tuple[dict[int, int], Iterable[int]]]:
        yield self._items, _digests(item_ids)
        yield self._urls, page.urls
        for key in range(SKETCH_KEYS):
            yield self._sketches, page.sketches[_FIRST_SHINGLE + key :: _NUMBERS]


def _remembered(page: Page, index: int) -> Remembered:
    observed = _EPOCH + page.observed[index] * _MICROSECOND
    item_id = from_json(page.item_ids)[index]
    return Remembered(item_id, page.sources[index], observed, page.groups.get(index, item_id))


def _digests(texts: Iterable[str]) -> "array[int]":
    """Hash strings to 64 bits each, as `digest64` does."""
    return _big_endian(array("Q", b"".join(map(digest, texts))))


def _read_hex(typecode: Literal["I", "Q"], digits: Iterable[str]) -> "array[int]":
    """Read numbers that are spelled as hexadecimal digits."""
    return _big_endian(array(typecode, bytes.fromhex("".join(digits))))


def _big_endian(numbers: "array[int]") -> "array[int]":
    """Turn numbers of this machine to big-endian ones, or back."""
    if byteorder == "little":
        numbers = numbers[:]
        numbers.byteswap()
    return numbers


def _estimate(one: "array[int]", other: "array[int]") -> float:
    """Estimate what part of their shingles two texts share; 0 where they are no copies of each other."""
    shorter, longer = sorted((one[1], other[1]))
    if one[0] != other[0] or longer > shorter * LENGTHS_DIFFER:
        return 0.0
    mine, theirs = set(one[_FIRST_SHINGLE:]), set(other[_FIRST_SHINGLE:])
    smallest = sorted(mine | theirs)[:FEWEST_SHINGLES]
    shared = sum(number in mine and number in theirs for number in smallest)
    return shared / FEWEST_SHINGLES if shared >= FEWEST_SHARED else 0.0
