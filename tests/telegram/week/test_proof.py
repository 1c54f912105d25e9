"""The proof of the killed week is worth what it finds."""

from dataclasses import dataclass
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from connectors.telegram.window import read_spelled
from tests.telegram.week.proof import Proof
from tests.telegram.week.witness import State, Witness

Told = tuple[int, int, str, str]
"""Message, revision, status and text."""
NOON = datetime(2026, 7, 4, 12, tzinfo=UTC)
ALL: list[Told] = [
    (1, 1, "usable", "one"),
    (1, 2, "usable", "one, edited"),
    (2, 1, "usable", "two"),
    (2, 2, "withdrawn", ""),
]


@dataclass(eq=False)
class Cut:
    """A connection that ended."""

    ended: float


def item(number: int, revision: int, status: str, text: str) -> Any:
    fields = {
        "native_id": str(number),
        "revision": revision,
        "status": status,
        "text": text,
        "observed": NOON,
    }
    return SimpleNamespace(**fields, late=False, content_hash=f"{status} {text}", relations=())


@pytest.fixture
def proof() -> Proof:
    """Connections ended at 10 and 30, whole looks began at 5, 20 and 25; nobody saw the third post."""
    witness = Witness()
    room = witness.room("wire")
    for text in ("one", "two", "three", "four"):
        room.publish(text)
    room.edit(1, "one, edited")
    room.delete(2)
    room.delete(3)
    moments = [1, 1, 11, 12, 13, 22, 14]  # four posts, an edit, two deletions
    witness.truth = [(at, *rest) for at, (_, *rest) in zip(moments, witness.truth, strict=True)]
    first, second = Cut(10.0), Cut(30.0)
    sent: dict[tuple[int, str], Any] = {
        (1, "one"): {first: 2.0},
        (1, "one, edited"): {second: 15.0},
        (2, "two"): {first: 3.0},
        (4, "four"): {second: 26.0},
    }
    witness.shown = {State(room.number, *key): links for key, links in sent.items()}
    return Proof(witness, room, [5.0, 20.0, 25.0], first=1)


def test_what_was_sent_and_proven_must_be_there_and_nothing_else(proof: Proof) -> None:
    said = ["1 messages were gone before they were seen, by their ids: 3"]
    assert proof.judge([item(*one) for one in ALL], said) == {}
    assert proof.excused == 1, "no look began behind the last post"


@pytest.mark.parametrize(
    ("items", "gaps", "wrong"),
    [
        (ALL[:2], ["3"], {"posts lost"}),
        ([ALL[0], *ALL[2:]], ["3"], {"revisions lost"}),
        (
            [*ALL, ALL[3]],
            ["3"],
            {"revisions doubled or out of order", "false revisions", "deletions taken back"},
        ),
        ([*ALL, (1, 3, "usable", "one, edited")], ["3"], {"false revisions"}),
        ([*ALL, (1, 3, "usable", "invented")], ["3"], {"states never shown"}),
        ([*ALL, (2, 3, "usable", "two")], ["3"], {"deletions taken back"}),
        (ALL, [], {"gaps not told"}),
        (ALL, ["3", "3"], {"gaps doubled"}),
        (ALL, ["2-3"], {"gaps of what was seen"}),
    ],
)
def test_each_fault_has_its_name(proof: Proof, items: list[Told], gaps: list[str], wrong: set[str]) -> None:
    said = [f"{len(read_spelled(which))} messages: {which}" for which in gaps]
    assert proof.judge([item(*one) for one in items], said).keys() == wrong
