"""Reports of one event, and how they came together."""

from typing import Annotated

from pydantic import Field

from schemas.base import Instant, Open, Record
from schemas.item import Deduplicated
from schemas.stamp import Stamp

MEMBERS_SHOWN = 50
"""A `Story` lists at most so many members; its counts are of all."""


class Member(Record):
    """One item of a story, as the story shows it."""

    item_id: str
    revision: int
    source: str
    role: str = Field(description="original or copy")
    url: str | None = None
    headline: str = Field(description="the headline, or the beginning of the text")
    published: Stamp | None = None
    observed: Instant
    score: float | None = Field(None, description="how well it fitted when it joined")


class Tally(Record):
    """A story's numbers after a change: resulting values, never increments."""

    items: int = Field(ge=0)
    originals: int = Field(ge=0)
    sources: int = Field(ge=0)
    owners: int = Field(ge=0, description="independent owners: copies and forwards count once")
    revisions: int = Field(ge=0, description="item revisions seen, edits included")


class Story(Record):
    """The latest state of a story."""

    story_id: str
    state: Annotated[str, Open(("open", "closed", "merged"))]
    number: int = Field(ge=1, description="counts the changes of this story")
    headline: str
    language: str | None = None
    tally: Tally
    sources: tuple[str, ...] = Field(description="names, in order of arrival")
    members: tuple[Member, ...] = Field(description="up to 50, in order of arrival")
    first_published: Instant | None = Field(None, description="earliest end of the members' stamps")
    last_published: Instant | None = Field(None, description="latest end of the members' stamps")
    first_observed: Instant
    last_observed: Instant
    opened: Instant = Field(description="stage time")
    changed: Instant = Field(description="stage time")
    closed: Instant | None = None
    merged_into: str | None = Field(None, description="where a reader of a merged story is sent")


class StoryChange(Record):
    """One step in a story's life.

    opened, joined, revised and passed carry the item with its verdict; every item revision is carried by
    exactly one change. Of passed, `story_id` is null: the item is in no story.
    """

    change: Annotated[
        str, Open(("opened", "joined", "revised", "passed", "left", "merged", "split", "closed"))
    ]
    story_id: str | None
    number: int | None = Field(None, description="the story's number after this change")
    at: Instant = Field(description="stage time")
    carried: Deduplicated | None = None
    item_id: str | None = Field(None, description="the item it is about, where it is not carried")
    other_story_id: str | None = Field(None, description="merged into, or split from")
    tally: Tally | None = Field(None, description="of the story after this change")
    score: float | None = Field(None, ge=0, le=1)
    reason: str = Field(description="why, in words that name what matched")
    cause: str = Field(description="ce_id of the record that led to it")
    rule: str = Field(description="name and version of the rule that decided, such as centroid/1")
