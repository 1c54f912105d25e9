"""A connector written by somebody who has read docs/connectors.md and nothing else: a CSV file that grows.

A harbour office appends rows: number, time of writing, text. A number that was there before is a correction.
"""

import asyncio
import csv
import io
import os
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar, Literal

import pytest
from pydantic import Field, PositiveFloat

from connectors.seam import Cursor, Looked, Observation, Sight, SourceConfig, SourceFailed, Unreadable
from pipeline.compliance import Compliance, Desk, World, look
from schemas.item import Draft
from schemas.stamp import Stamp


class LogbookConfig(SourceConfig):
    """A CSV file that grows."""

    kind: Literal["logbook"] = "logbook"
    path: Path = Field(description="the file")
    office: str = Field(description="who writes it")
    poll_seconds: PositiveFloat = Field(5, description="between two looks")


class Logbook:
    """Each row is a post in a state of it: number, time of writing, text."""

    kind: ClassVar[str] = "logbook"
    normaliser: ClassVar[int] = 1
    recorded: ClassVar[bool] = False

    def __init__(self, config: LogbookConfig) -> None:
        self.config = config

    async def observe(self, cursor: Cursor | None) -> AsyncGenerator[Sight]:
        """Read on where the cursor says: the bytes that are behind us, and when the last look began."""
        path, behind = self.config.path, int(cursor["behind"]) if cursor else 0
        before = datetime.fromisoformat(cursor["began"]) if cursor and cursor["began"] else None
        while True:
            began = datetime.now(UTC)
            try:
                with path.open("rb") as file:
                    behind = 0 if file.seek(0, os.SEEK_END) < behind else behind  # shorter: begun anew
                    file.seek(behind)
                    for line in file:
                        if not line.endswith(b"\n"):
                            break  # it is still being written
                        place = f"{path.name}: byte {behind}"
                        behind += len(line)
                        here = {"behind": behind, "began": before and before.isoformat()}
                        first = before is None
                        yield Observation(line, "text/csv", place, here, absent=before, backlog=first)
            except OSError as problem:
                raise SourceFailed(f"{path}: {problem.strerror}; correct `path`") from None
            yield Looked(cursor={"behind": behind, "began": began.isoformat()})
            before = began
            await asyncio.sleep(self.config.poll_seconds)

    def normalise(self, observation: Observation) -> Draft:
        """Make a draft of one row."""
        try:
            number, written, text = next(csv.reader(io.StringIO(observation.data.decode()), strict=True))
        except (ValueError, csv.Error) as problem:
            raise Unreadable(f"{observation.place}: no row of number, time and text: {problem}") from None
        return Draft(
            item_id=f"logbook/{self.config.office}/{number}",
            source=self.config.office,
            native_id=number,
            text=text,
            revised=Stamp.parse(written),
        )


class Shorthand(Logbook):
    """The next version of it, which spells out what the office abbreviates, and remembers that it did not."""

    normaliser: ClassVar[int] = 2

    def normalise(self, observation: Observation) -> Draft:
        draft = super().normalise(observation)
        return draft.model_copy(update={"text": draft.text.replace("ferry", "Ferry M/S Aurora")})

    def normalise_as(self, version: int, observation: Observation) -> Draft:
        if version != 1:
            raise Unreadable(f"how version {version} read is forgotten")
        return super().normalise(observation)


class LogbookWorld:
    """A logbook to which the test appends."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "logbook.csv"
        self.path.touch()
        self.first: list[str] = []

    def connector(self, *, name: str = "wire", unit: str = "main") -> Logbook:
        config = LogbookConfig(name=name, unit=unit, path=self.path, office="harbour", poll_seconds=0.05)
        return Logbook(config)

    def publish(self, text: str) -> None:
        self.first.append(text)
        self.append(len(self.first) - 1, "2026-07-04T12:00:00Z", text)

    def edit(self, number: int, text: str) -> None:
        self.append(number, "2026-07-04T13:00:00Z", text)

    def show_old(self, number: int) -> None:
        self.append(number, "2026-07-04T12:00:00Z", self.first[number])

    def fail(self) -> None:
        self.path.rename(self.path.with_suffix(".gone"))

    def mend(self) -> None:
        self.path.with_suffix(".gone").rename(self.path)

    def append(self, *row: object) -> None:
        with self.path.open("a", newline="", encoding="utf-8") as file:
            csv.writer(file).writerow(row)


class TestLogbook(Compliance):
    def world(self, tmp_path: Path) -> World:
        return LogbookWorld(tmp_path)


class ShorthandWorld(LogbookWorld):
    """The same logbook, read by the next version."""

    def connector(self, *, name: str = "wire", unit: str = "main") -> Shorthand:
        return Shorthand(super().connector(name=name, unit=unit).config)


class Changed(Compliance):
    """The suite for it; not collected, since not all of it is about a changed reading."""

    def world(self, tmp_path: Path) -> World:
        return ShorthandWorld(tmp_path)


async def test_the_suite_sees_that_a_former_reading_is_remembered(tmp_path: Path) -> None:
    await Changed().test_a_changed_reading_is_no_edit(tmp_path)


async def test_the_suite_sees_that_it_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Shorthand, "normaliser", 3)
    with pytest.raises(AssertionError, match="the version before must not be forgotten"):
        await Changed().test_a_changed_reading_is_no_edit(tmp_path)


async def test_a_row_that_is_still_being_written_is_left_for_the_next_look(tmp_path: Path) -> None:
    world, desk = LogbookWorld(tmp_path), Desk()
    with world.path.open("a") as file:
        file.write("0,2026-07-04T12:00:00Z,The ferry")
    assert await look(world.connector(), desk) == []
    with world.path.open("a") as file:
        file.write(" is late.\n")
    assert [item.text for item in await look(world.connector(), desk)] == ["The ferry is late."]


@pytest.mark.parametrize("row", [b"17\r\n", b"\r\n", b"\xff,x,y\r\n", b'1,"2026,x\r\n', b"1,2,3,4\r\n"])
def test_a_row_of_another_shape_is_unreadable_and_says_where(tmp_path: Path, row: bytes) -> None:
    seen = Observation(row, "text/csv", "logbook.csv: byte 40")
    with pytest.raises(Unreadable, match=r"^logbook\.csv: byte 40: no row of number, time and text"):
        LogbookWorld(tmp_path).connector().normalise(seen)
