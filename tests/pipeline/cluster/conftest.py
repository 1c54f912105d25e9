"""A desk with one clusterer, and posts as deduplicate hands them on."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pipeline.cluster.decide import Cluster, State
from pipeline.cluster.index import Index
from pipeline.core import Arrival, Boundary, Output
from schemas.base import Record
from schemas.item import Deduplicated, Item, Verdict
from schemas.stamp import Stamp
from schemas.story import Story, StoryChange
from schemas.topics import STORIES, STORY_CHANGES

START = datetime(2026, 7, 4, 6, tzinfo=UTC)
Tell = Callable[..., Deduplicated]


def told(
    text: str, name: str = "", *, source: str = "one", at: datetime = START, **more: Any
) -> Deduplicated:
    """Make a post with its verdict; `verdict` and the item's own fields go by name."""
    item_id = f"{source}/{name or text[:20]}"
    verdict = {"number": 1, "role": "original", "group": item_id, "rule": "none/1", **more.pop("verdict", {})}
    published = more.pop("published", None)
    item = Item(
        item_id=item_id,
        source=source,
        native_id=name,
        text=text,
        published=published if published is None else Stamp.parse(published),
        **{"revision": 1, "content_hash": "1:", "via": source, "connector": "test/1", "raw_id": "r", **more},
        observed=at,
    )
    return Deduplicated(at=at, item=item, verdict=Verdict(**verdict))


@dataclass
class Desk:
    """A clusterer whose outputs are taken into its state, as the engine does it."""

    core: Cluster = field(default_factory=Cluster)
    state: State = field(default_factory=State)
    at: datetime = START
    heard: int = 0
    outputs: list[Output] = field(default_factory=list)

    def hear(self, value: Record | str, *, after: float = 0, **more: Any) -> StoryChange | None:
        """Take in a record some minutes after the one before; give the change that carries it."""
        self.at += timedelta(minutes=after)
        self.heard += 1
        value = told(value, **{"at": self.at, **more}) if isinstance(value, str) else value
        self.outputs = list(self.core.decide(Arrival(f"e{self.heard}", value, self.at), self.state))
        self.take(self.outputs)
        carrier = self.outputs[0].value
        return carrier if isinstance(carrier, StoryChange) else None

    def take(self, outputs: list[Output]) -> None:
        for output in outputs:
            if output.topic is STORY_CHANGES and output.value is not None:
                self.core.fold(output.value, self.at, self.state)
            elif output.topic is STORIES:
                self.core.load(STORIES, output.key, output.value, self.state)

    def turn(self, *, hours: float, window: float = 72) -> list[Output]:
        """End an epoch after some hours."""
        self.at += timedelta(hours=hours)
        boundary = Boundary(self.at, self.at - timedelta(hours=window))
        outputs = list(self.core.turn(boundary, self.state))
        self.take(outputs)
        self.core.evict(boundary, self.state)
        return outputs

    def changes(self) -> list[StoryChange]:
        """Give the story changes of the last record."""
        return [output.value for output in self.outputs if isinstance(output.value, StoryChange)]

    def upserts(self) -> list[Story]:
        """Give the new states of stories that the last record led to."""
        return [output.value for output in self.outputs if isinstance(output.value, Story)]


@pytest.fixture(scope="session")
def tell() -> Tell:
    return told


def shape_of(window: Index) -> Any:
    return (
        [
            (
                e.item_id,
                e.story_id,
                e.role,
                e.at,
                [(term.word, weight) for term, weight in zip(e.terms, e.weights, strict=True)],
            )
            for e in window.entries.values()
        ],
        window.documents,
        sorted(
            (word, term.word, term.count, [(told.story_id, e.item_id) for told, e in term.users.items()])
            for word, term in window.terms.items()
        ),
        sorted(
            (story_id, told.story_id, told.count, [e.item_id for e in told.members])
            for story_id, told in window.stories.items()
        ),
    )


@pytest.fixture(scope="session")
def shape() -> Callable[[Index], Any]:
    """Give what shows a window with every order that could matter."""
    return shape_of


@pytest.fixture
def desk() -> Desk:
    return Desk()
