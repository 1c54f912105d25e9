"""A desk: deduplicate with a topic and tables in lists, so that it can be restarted at any place."""

from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pipeline.core import Arrival, Boundary, Output
from pipeline.deduplicate.decide import Deduplicate
from pipeline.deduplicate.state import State
from schemas.base import Record
from schemas.item import Deduplicated, Item, Relation, Verdict, VerdictChanged
from schemas.stamp import Stamp
from schemas.topics import DEDUPLICATED, ORIGINALS

START = datetime(2024, 12, 3, 12, tzinfo=UTC)


def item(item_id: str, text: str = "", *, at: datetime = START, **fields: Any) -> Item:
    """Make an item; its source is what stands before the slash of its id."""
    forward = fields.pop("forward", None)
    relations = (Relation(kind="forward_of", item_id=forward),) if forward else ()
    given = {
        "source": item_id.partition("/")[0],
        "native_id": item_id,
        "text": text,
        "published": Stamp(raw="x", lo=at, hi=at),
        "relations": relations,
        "revision": 1,
        "content_hash": "1:0",
        "via": "test",
        "connector": "test/1",
        "raw_id": "raw",
        "observed": at,
    }
    return Item(item_id=item_id, **{**given, **fields})


class Desk:
    """Deduplicate, what it wrote, and the clock of its stage."""

    def __init__(self, limit: int | None = None) -> None:
        self.core = Deduplicate()
        self.at = START
        self.boundary: Boundary | None = None
        self.written: list[tuple[type[Record], bytes, datetime]] = []
        self.tables: dict[str, Record] = {}
        self.limit = limit
        self.state = self.empty()
        self.count = 0

    def empty(self) -> State:
        state = self.core.empty()
        if self.limit is not None:
            for postings in (state.texts, state.shingles):
                postings.limit = self.limit
            for addresses in (state.urls, state.forwards):
                addresses.limit = self.limit
        return state

    def take(self, value: Record) -> list[Output]:
        """Decide on one record and fold what follows, as the engine does."""
        self.count += 1
        outputs = list(self.core.decide(Arrival(f"cause-{self.count}", value, self.at), self.state))
        for output in outputs:
            assert output.topic is DEDUPLICATED
            assert output.value is not None
            assert DEDUPLICATED.types[output.type] is type(output.value)
            self.core.fold(output.value, self.at, self.state)
            self.written.append((type(output.value), output.value.dump(), self.at))
        return outputs

    def post(self, item_id: str, text: str = "", **fields: Any) -> Verdict:
        """Take an item, observed now, and give the verdict on it."""
        return self.carried(self.take_item(item_id, text, **fields))

    def take_item(self, item_id: str, text: str = "", **fields: Any) -> list[Output]:
        """Take an item, observed now."""
        return self.take(item(item_id, text, at=self.at, **fields))

    @staticmethod
    def carried(outputs: list[Output]) -> Verdict:
        value = outputs[0].value
        assert isinstance(value, Deduplicated)
        assert outputs[0].type == f"dateline.deduplicated.{value.verdict.role}"
        assert outputs[0].suffix == f"v{value.verdict.number}"
        assert all(isinstance(output.value, VerdictChanged) for output in outputs[1:])
        return value.verdict

    def wait(self, **duration: float) -> None:
        self.at += timedelta(**duration)

    def turn(self, window: timedelta = timedelta(hours=72)) -> list[Output]:
        """End an epoch now."""
        since = max(self.at - window, self.boundary.keep_since if self.boundary else self.at - window)
        self.boundary = Boundary(self.at, since)
        outputs = list(self.core.turn(self.boundary, self.state))
        for output in outputs:
            assert output.topic is ORIGINALS
            assert output.value is not None
            assert output.key not in self.tables, "a page is never rewritten"
            self.tables[output.key] = output.value
            self.core.load(output.topic, output.key, output.value, self.state)
        self.core.evict(self.boundary, self.state)
        return outputs

    def restarted(self) -> State:
        """Rebuild the state from what was written, read back from its bytes."""
        state = self.empty()
        core = Deduplicate()
        for key, value in self.tables.items():
            core.load(ORIGINALS, key, type(value).read(value.dump()), state)
        if self.boundary is not None:
            core.evict(self.boundary, state)
        for model, data, at in self.written:
            if self.boundary is None or at >= self.boundary.keep_since:
                core.fold(model.read(data), at, state)
        return state

    def snapshot(self) -> tuple[State, list[str]]:
        """Copy the state and the order of its window, which == does not compare."""
        return deepcopy(self.state), list(self.state.window)


@pytest.fixture
def desk() -> Desk:
    """Give an empty desk."""
    return Desk()


@pytest.fixture(scope="session")
def make_desk() -> Callable[..., Desk]:
    """Give what makes desks, for property tests."""
    return Desk


@pytest.fixture(scope="session")
def make_item() -> Callable[..., Item]:
    """Give what makes items."""
    return item
