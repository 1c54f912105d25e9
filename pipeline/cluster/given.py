"""Stories that are given: chronology can be judged alone, with the truth in place of the clusterer."""

import hashlib
from collections.abc import Mapping, Sequence

from pipeline.cluster import story as stories
from pipeline.cluster.decide import Cluster, State, Step
from pipeline.core import Arrival, Output
from schemas.item import Deduplicated, Item
from schemas.story import Story, StoryChange

GIVEN_RULE = "given/1"


class GivenStories(Cluster):
    """Puts each item where it is said to belong; an item of which nothing is said has a story of its own.

    Args:
        assignments: the cluster by the recording's own id, `event_id` or `id`.
    """

    def __init__(self, assignments: Mapping[str, str]) -> None:
        super().__init__()
        self._assignments = assignments

    def decide(self, arrival: Arrival, state: State) -> Sequence[Output]:
        """Judge one record; given stories never close."""
        return [output for output in super().decide(arrival, state) if not _closes(output)]

    def _place(self, told: Deduplicated, arrival: Arrival, state: State) -> Step:
        if told.item.item_id in state.index.entries:
            return super()._place(told, arrival, state)
        label = self._label(told.item)
        story_id = "g-" + hashlib.sha256(label.encode()).hexdigest()[:16]
        story = state.shelf.open.get(story_id)
        if story is None:
            change = "opened"
            story = stories.opened(told, arrival.at).model_copy(update={"story_id": story_id})
        else:
            change = "joined"
            story = stories.joined(story, told, arrival.at, 1.0)
        return stories.change(
            change,
            story,
            at=arrival.at,
            carried=told,
            reason=f"given: {label}",
            cause=arrival.id,
            rule=GIVEN_RULE,
        ), story

    def _label(self, item: Item) -> str:
        for name in (item.alt_ids.get("event_id"), item.native_id):
            if name is not None and name in self._assignments:
                return self._assignments[name]
        return f"own:{item.item_id}"


def _closes(output: Output) -> bool:
    value = output.value
    if isinstance(value, StoryChange):
        return value.change == "closed"
    return isinstance(value, Story) and value.state == "closed"
