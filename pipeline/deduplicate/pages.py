"""Pages of the long memory, made of the originals that leave the window."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from pydantic_core import to_json

from pipeline.deduplicate.memory import PAGE_ROWS, sketch, spell
from pipeline.deduplicate.state import Entry
from schemas.item import Originals

PAGE_BYTES = 900_000
"""A record has 1 MiB, headers included."""
ROW_BYTES = 250
"""Of a row, what is not item_id, source, URL and group."""


def pages(entries: Iterable[Entry], first: int, time: datetime) -> list[Originals]:
    """Write originals down, oldest first.

    Args:
        entries: the originals.
        first: number of the first page.
        time: the boundary at which they are written.
    """
    return [_page(number, rows, time) for number, rows in enumerate(_cut(entries), first)]


def _cut(entries: Iterable[Entry]) -> list[list[Entry]]:
    cut: list[list[Entry]] = []
    size = 0
    for entry in entries:
        row = ROW_BYTES + len(to_json((entry.item_id, entry.source, entry.url, entry.group)))
        if not cut or len(cut[-1]) == PAGE_ROWS or size + row > PAGE_BYTES:
            cut.append([])
            size = 0
        cut[-1].append(entry)
        size += row
    return cut


def _page(number: int, rows: Sequence[Entry], time: datetime) -> Originals:
    return Originals(
        page=number,
        at=time,
        item_ids=tuple(row.item_id for row in rows),
        sources=tuple(row.source for row in rows),
        text_hashes=tuple(f"{row.profile.digest:016x}" for row in rows),
        signatures=tuple(spell(sketch(row.profile)) if row.profile.shingles else "" for row in rows),
        urls=tuple(row.url for row in rows),
        published=tuple(row.published for row in rows),
        observed=tuple(row.observed for row in rows),
        groups=tuple("" if row.group == row.item_id else row.group for row in rows),
    )
