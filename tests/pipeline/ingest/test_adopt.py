"""What comes along when a source changes its unit or its name, and what stays behind."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connectors.recording import Recording, RecordingConfig
from connectors.seam import SourceConfig
from pipeline.control.changes import Hand, applied
from pipeline.control.orders import Orders, heard
from pipeline.ingest.adopt import Estate, Placed, adopted, forgotten
from pipeline.ingest.follow import Source
from pipeline.ingest.plan import Plan, outdated, partition_of, plans
from schemas.records import Checkpoint, Seen

NOON = datetime(2026, 7, 4, 12, tzinfo=UTC)
HERE, THERE, ELSEWHERE = 8, 6, 3


def checkpoint(source: str, line: int = 1, minutes: int = 0) -> Checkpoint:
    changed = NOON + timedelta(minutes=minutes)
    return Checkpoint(
        source=source, unit="u", connector="recording/1", cursor={"line": line}, looked=NOON, changed=changed
    )


def seen(item: str, source: str) -> Seen:
    return Seen(
        item_id=item,
        source=source,
        revision=3,
        current="h",
        hashes={"h": 3},
        connector="recording/1",
        observed=NOON,
        listed=NOON,
    )


def source(name: str = "a", renamed_from: str | None = None) -> Source:
    config = RecordingConfig(name=name, path=Path("x"), renamed_from=renamed_from)
    return Source(config, Recording(config))


def told(placed: Iterable[Placed]) -> list[str]:
    """Say what is written where, such as `8 a line 1`, and what is nulled: `6 -a`."""
    lines = []
    for one in placed:
        value, key = one.composed.output.value, one.composed.output.key
        if isinstance(value, Checkpoint):
            line = value.cursor["line"] if value.cursor else "none"
            lines.append(f"{one.partition} {value.source} line {line}")
        elif isinstance(value, Seen):
            lines.append(f"{one.partition} {value.item_id} of {value.source}")
        else:
            lines.append(f"{one.partition} -{key}")
    return lines


@pytest.mark.parametrize(
    ("checkpoints", "memory", "renamed_from", "moved", "placed"),
    [
        ([], [], None, False, []),  # a new source: nothing is written before its first look
        ([], [], None, True, ["8 a line none"]),  # nothing proven there, and from now on it lives here
        (
            [(THERE, checkpoint("a"))],
            [(THERE, seen("i", "a")), (THERE, seen("j", "b"))],
            None,
            True,
            ["8 a line 1", "6 -a", "6 -i", "8 i of a"],
        ),
        (  # the newest place counts, the others are nulled
            [(THERE, checkpoint("a", 1)), (ELSEWHERE, checkpoint("a", 2, minutes=1))],
            [],
            None,
            True,
            ["8 a line 2", "6 -a", "3 -a"],
        ),
        (  # a new name in the same unit
            [(HERE, checkpoint("old"))],
            [(HERE, seen("i", "old")), (HERE, seen("j", "a"))],
            "old",
            False,
            ["8 a line 1", "8 -old", "8 i of a"],
        ),
        (  # a new name in another unit
            [(THERE, checkpoint("old"))],
            [(THERE, seen("i", "old"))],
            "old",
            False,
            ["8 a line 1", "6 -old", "6 -i", "8 i of a"],
        ),
        (  # its own place counts before that of its former name
            [(THERE, checkpoint("old", 1, minutes=1)), (ELSEWHERE, checkpoint("a", 2))],
            [],
            "old",
            False,
            ["8 a line 2", "6 -old", "3 -a"],
        ),
        (  # what another source of this unit knows better stays
            [(THERE, checkpoint("a"))],
            [(HERE, seen("i", "b")), (THERE, seen("i", "a"))],
            None,
            False,
            ["8 a line 1", "6 -a", "6 -i"],
        ),
    ],
)
def test_checkpoint_and_memory_come_along_and_leave_nothing_behind(
    checkpoints: list[tuple[int, Checkpoint]],
    memory: list[tuple[int, Seen]],
    renamed_from: str | None,
    *,
    moved: bool,
    placed: list[str],
) -> None:
    estate = Estate(checkpoints, memory)
    found = adopted(source("a", renamed_from), HERE, estate, "recording/1", NOON, moved=moved)
    assert told(found) == placed


def test_every_record_has_an_id_of_its_own() -> None:
    estate = Estate([(THERE, checkpoint("a"))], [(THERE, seen("i", "a"))])
    placed = list(adopted(source(), HERE, estate, "recording/1", NOON, moved=True))
    assert len({one.composed.id for one in placed}) == len(placed)


def test_forgetting_nulls_what_is_here_and_the_order_to_do_so() -> None:
    estate = Estate(
        [(HERE, checkpoint("a")), (HERE, checkpoint("b")), (THERE, checkpoint("a"))],
        [(HERE, seen("i", "a")), (HERE, seen("j", "b"))],
    )
    assert told(forgotten(frozenset({"a"}), HERE, estate, NOON)) == ["0 -source/a", "8 -a", "8 -i"]


def row(name: str, unit: str = "main") -> SourceConfig:
    return SourceConfig(kind="x", name=name, unit=unit)


def test_each_partition_has_the_plan_of_its_units_and_of_what_left_them() -> None:
    orders, hand = Orders(), Hand("me", NOON)
    for rows in ([{"name": "a", "unit": "eu"}], []):
        for record in applied(orders, {"sources": rows}, hand):
            orders = heard(orders, record.name, record)
    sources = [row("b"), row("c", "asia"), row("d")]
    assert plans(sources, orders, NOON) == {
        partition_of("asia"): Plan((sources[1],)),
        partition_of("main"): Plan((sources[0], sources[2])),
    }
    later = plans([], orders, NOON + timedelta(days=30))
    assert later == {partition_of("eu"): Plan((), frozenset({"a"}))}


@pytest.mark.parametrize(
    ("due", "anew"),
    [
        (Plan((row("a"),), frozenset({"x"})), False),
        (Plan((row("a"),)), False),  # it was forgotten meanwhile
        (Plan((row("a"),), frozenset({"x", "y"})), True),
        (Plan((row("a", "eu"),), frozenset({"x"})), True),
        (Plan(), True),
        (None, True),
    ],
)
def test_a_desk_begins_anew_only_for_another_plan(due: Plan | None, *, anew: bool) -> None:
    assert outdated(Plan((row("a"),), frozenset({"x"})), due) == anew
