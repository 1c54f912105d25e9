"""What a stage has to know to take a dead letter back: what it decided, and what has gone on since. Pure.

A retried record stands on the stage's input once more, with `ce_retryof`: the origin of the first letter.
What it led to carries the same attribute, so a restart finds in the folded topic what this stage decided.
Like all state it reaches back to the window's beginning and no further.
"""

from collections.abc import Mapping
from datetime import datetime

from schemas.base import Record
from schemas.item import Deduplicated, Item, VerdictChanged
from schemas.story import StoryChange
from schemas.topics import Topic

RETRY_OF = "retryof"
"""The event attribute that names the letter; outputs pass it on, so it may name one of a stage before."""
ATTEMPT = "attempt"
"""The event attribute that counts the tries."""


def attempts_of(attributes: Mapping[str, str]) -> int:
    """Give which try this is; 1 where nothing sensible is said."""
    count = attributes.get(ATTEMPT, "")
    return max(1, int(count)) if count.isdecimal() and len(count) < len("1000000") else 1


def item_of(value: Record | None) -> Item | None:
    """Give the item revision that a record carries, if it carries one."""
    if isinstance(value, StoryChange):
        value = value.carried
    if isinstance(value, Deduplicated):
        value = value.item
    return value if isinstance(value, Item) else None


def with_item(value: Record, item: Item) -> Record:
    """Give a record with another item in it."""
    if isinstance(value, StoryChange) and value.carried is not None:
        return value.model_copy(update={"carried": with_item(value.carried, item)})
    return value.model_copy(update={"item": item}) if isinstance(value, Deduplicated) else item


class Retries:
    """One stage's memory of retries.

    Args:
        reads: the topic that the stage reads; a letter of another stage is nothing to it.
    """

    def __init__(self, reads: Topic) -> None:
        self._reads = reads.name
        self._decided: dict[str, datetime] = {}
        self._revisions: dict[str, tuple[int, datetime]] = {}
        self._verdicts: dict[str, tuple[int, datetime]] = {}

    def origin(self, attributes: Mapping[str, str]) -> str | None:
        """Give the letter that a record of the input is another try of; none if it is no retry of ours."""
        origin = attributes.get(RETRY_OF)
        return origin if origin and origin.partition("/")[0].endswith(self._reads) else None

    def settled(self, origin: str, value: Record | None) -> bool:
        """Say whether a retry has nothing left to decide: it was decided, or a newer verdict was."""
        if origin in self._decided:
            return True
        if not isinstance(value, VerdictChanged):
            return False
        return value.verdict.number <= self._verdicts.get(value.item_id, (1,))[0]

    def aged(self, value: Record) -> Record:
        """Give what is to be decided on: an older revision passes as late."""
        item = item_of(value)
        if item is None or item.late or item.revision >= self._revisions.get(item.item_id, (1,))[0]:
            return value
        return with_item(value, item.model_copy(update={"late": True}))

    def note(self, value: Record, at: datetime) -> None:
        """Take in a record that was decided on, or read again after a restart.

        Only what is no first revision and no first verdict can make a retry an old one.
        """
        carried = value.carried if isinstance(value, StoryChange) else value
        item = item_of(carried)
        if item is not None and item.revision > 1 and not item.late:
            self._revisions[item.item_id] = (item.revision, at)
        if isinstance(carried, VerdictChanged):
            self._verdicts[carried.item_id] = (carried.verdict.number, at)
        elif isinstance(carried, Deduplicated) and carried.verdict.number > 1:
            self._verdicts[carried.item.item_id] = (carried.verdict.number, at)

    def decided(self, origin: str, at: datetime) -> None:
        """Take in that a retry was decided."""
        self._decided[origin] = at

    def evict(self, keep_since: datetime) -> None:
        """Forget what left the window."""
        self._decided = {key: at for key, at in self._decided.items() if at >= keep_since}
        for numbers in (self._revisions, self._verdicts):
            for key in [key for key, (_, at) in numbers.items() if at < keep_since]:
                del numbers[key]
