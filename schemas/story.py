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

    item_id: str = Field(description="the item")
    revision: int = Field(description="its newest revision")
    source: str = Field(description="its source")
    role: str = Field(description="original or copy")
    url: str | None = Field(None, description="its permalink")
    headline: str = Field(description="the headline, or the beginning of the text")
    published: Stamp | None = Field(None, description="first published, by the source's word")
    observed: Instant = Field(description="when we first had this revision")
    score: float | None = Field(None, description="how well it fitted when it joined")


class Tally(Record):
    """A story's numbers after a change: resulting values, never increments."""

    items: int = Field(ge=0, description="members, copies included")
    originals: int = Field(ge=0, description="members that copy no other")
    sources: int = Field(ge=0, description="different sources")
    owners: int = Field(ge=0, description="independent owners: copies and forwards count once")
    revisions: int = Field(ge=0, description="item revisions seen, edits included")


class Story(Record):
    """The latest state of a story."""

    story_id: str = Field(description="identity of the story")
    state: Annotated[str, Open(("open", "closed", "merged"))] = Field(
        description="merged: read on in `merged_into`"
    )
    number: int = Field(ge=1, description="counts the changes of this story")
    headline: str = Field(description="of one of its members")
    language: str | None = Field(None, description="BCP 47")
    tally: Tally = Field(description="its numbers")
    sources: tuple[str, ...] = Field(description="names, in order of arrival")
    members: tuple[Member, ...] = Field(description="up to 50, in order of arrival")
    first_published: Instant | None = Field(None, description="earliest end of the members' stamps")
    last_published: Instant | None = Field(None, description="latest end of the members' stamps")
    first_observed: Instant = Field(description="earliest `observed` of its members")
    last_observed: Instant = Field(description="latest `observed` of its members")
    opened: Instant = Field(description="stage time")
    changed: Instant = Field(description="stage time")
    closed: Instant | None = Field(None, description="stage time; null while it is open")
    merged_into: str | None = Field(None, description="where a reader of a merged story is sent")


class StoryChange(Record):
    """One step in a story's life.

    opened, joined, revised and passed carry the item with its verdict; every item revision is carried by
    exactly one change. Of passed, `story_id` is null: the item is in no story.
    """

    change: Annotated[
        str, Open(("opened", "joined", "revised", "passed", "left", "merged", "split", "closed"))
    ]
    story_id: str | None = Field(description="the story; null of passed")
    number: int | None = Field(None, description="the story's number after this change")
    at: Instant = Field(description="stage time")
    carried: Deduplicated | None = Field(
        None, description="the item with its verdict; of opened, joined, revised and passed"
    )
    item_id: str | None = Field(None, description="the item it is about, where it is not carried")
    other_story_id: str | None = Field(None, description="merged into, or split from")
    tally: Tally | None = Field(None, description="of the story after this change")
    score: float | None = Field(None, ge=0, le=1, description="how well the item fits; 1 is best")
    reason: str = Field(description="why, in words that name what matched")
    cause: str = Field(description="ce_id of the record that led to it")
    rule: str = Field(description="name and version of the rule that decided, such as centroid/1")
