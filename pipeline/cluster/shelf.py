"""The stories as the table `stories` has them: the open ones whole, of the others only when they closed."""

from bisect import bisect_left, insort
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from schemas.story import Story

QUIET = timedelta(hours=24)
"""A story without a change for so long takes no more items, and is closed."""
KEPT_CLOSED = timedelta(days=7)

Queue = list[tuple[datetime, str]]


@dataclass(slots=True)
class Shelf:
    """Stories by id.

    Attributes:
        open: those that still take items.
        by_change: the open ones in order of their last change.
        by_close: the closed ones in order of closing; a merged one stays for ever and is not in it.
        ended: when each story of `by_close` closed.
    """

    open: dict[str, Story] = field(default_factory=dict)
    by_change: Queue = field(default_factory=list)
    by_close: Queue = field(default_factory=list)
    ended: dict[str, datetime] = field(default_factory=dict)

    def put(self, story_id: str, story: Story | None) -> None:
        """Take in the latest state of a story; none: it is forgotten."""
        if before := self.open.pop(story_id, None):
            _take(self.by_change, (before.changed, story_id))
        if ended := self.ended.pop(story_id, None):
            _take(self.by_close, (ended, story_id))
        if story is None:
            return
        if story.state == "open":
            self.open[story_id] = story
            insort(self.by_change, (story.changed, story_id))
        elif story.closed is not None:
            self.ended[story_id] = story.closed
            insort(self.by_close, (story.closed, story_id))

    def knows(self, story_id: str) -> bool:
        """Whether there is or was such a story."""
        return story_id in self.open or story_id in self.ended

    def living(self, story_id: str | None, at: datetime) -> Story | None:
        """Give the story if it still takes items at that time."""
        story = self.open.get(story_id) if story_id is not None else None
        return story if story is not None and at - story.changed <= QUIET else None

    def overdue(self, at: datetime, count: int) -> list[Story]:
        """Give the stories that were quiet for too long, at most `count`, the quietest first."""
        queue = self.by_change
        late = bisect_left(queue, (at - QUIET, ""), 0, min(count, len(queue)))
        return [self.open[story_id] for _, story_id in queue[:late]]

    def forgettable(self, at: datetime) -> list[str]:
        """Give the stories that closed long enough ago, in order of closing."""
        return [
            story_id for _, story_id in self.by_close[: bisect_left(self.by_close, (at - KEPT_CLOSED, ""))]
        ]


def _take(queue: Queue, key: tuple[datetime, str]) -> None:
    del queue[bisect_left(queue, key)]
