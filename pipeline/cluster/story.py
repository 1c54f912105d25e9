"""Stories and story changes as values: each function gives the story after one step."""

import hashlib
from collections.abc import Iterable
from datetime import datetime, timedelta

from pipeline.cluster import terms
from schemas.item import Deduplicated, Item
from schemas.stamp import Stamp
from schemas.story import MEMBERS_SHOWN, Member, Story, StoryChange, Tally

FARTHEST_STAMPS = timedelta(days=7)
ORIGINAL = "original"


def identity(item: Item) -> str:
    """Give the id of the story that this item opens."""
    return "s-" + hashlib.sha256(f"{item.item_id}#{item.revision}".encode()).hexdigest()[:16]


def far_apart(story: Story, stamp: Stamp | None) -> bool:
    """Say whether a stamp lies more than 7 days outside a story's stamps: not one event, whatever the words.

    Smaller distances say nothing, since a wrong stamp must not split a story. Unknown stamps say nothing.
    """
    if stamp is None or stamp.lo is None or stamp.hi is None:
        return False
    if story.first_published is None or story.last_published is None:
        return False
    apart = max(stamp.lo - story.last_published, story.first_published - stamp.hi)
    return apart > FARTHEST_STAMPS


def opened(told: Deduplicated, at: datetime) -> Story:
    """Give the story that an item opens."""
    item, member = told.item, _member(told, None)
    return Story(
        story_id=identity(item),
        state="open",
        number=1,
        headline=member.headline,
        language=item.language,
        tally=Tally(
            items=1,
            originals=int(member.role == ORIGINAL),
            sources=1,
            owners=int(member.role == ORIGINAL),
            revisions=1,
        ),
        sources=(item.source,),
        members=(member,),
        first_published=item.published and item.published.lo,
        last_published=item.published and item.published.hi,
        first_observed=item.observed,
        last_observed=item.observed,
        opened=at,
        changed=at,
    )


def joined(story: Story, told: Deduplicated, at: datetime, score: float | None) -> Story:
    """Give the story with one more item."""
    item, member = told.item, _member(told, score)
    original = member.role == ORIGINAL
    new = item.source not in story.sources
    sources = (*story.sources, item.source) if new else story.sources
    members = (*story.members, member)[:MEMBERS_SHOWN]
    items = story.tally.items + 1
    tally = Tally(
        items=items,
        originals=story.tally.originals + original,
        sources=len(sources),
        owners=_owners(members) if items <= MEMBERS_SHOWN else story.tally.owners + (original and new),
        revisions=story.tally.revisions + 1,
    )
    first = original and not story.tally.originals
    return story.model_copy(
        update={
            **_seen(story, item, at),
            "headline": member.headline if first else story.headline,
            "tally": tally,
            "sources": sources,
            "members": members,
        }
    )


def revised(story: Story, told: Deduplicated, at: datetime, role: str) -> Story:
    """Give the story with a new revision of one of its items, whose role was `role` before.

    A withdrawal has no words of its own: the member keeps its headline.
    """
    story = judged(story, told.item.item_id, role, told.verdict.role)
    members = tuple(
        member
        if member.item_id != told.item.item_id
        else (fresh := _member(told, member.score)).model_copy(
            update={"headline": fresh.headline or member.headline}
        )
        for member in story.members
    )
    tally = story.tally.model_copy(update={"revisions": story.tally.revisions + 1})
    seen = _seen(story, told.item, at)
    return story.model_copy(update={**seen, "members": members, "tally": tally})


def judged(story: Story, item_id: str, before: str, after: str) -> Story:
    """Give the story in which an item has another role; the same story if the role is the same.

    In a story of more items than are shown, the owners stay as they were counted.
    """
    if before == after:
        return story
    members = tuple(
        member.model_copy(update={"role": after}) if member.item_id == item_id else member
        for member in story.members
    )
    tally = story.tally
    update = {"originals": tally.originals + (after == ORIGINAL) - (before == ORIGINAL)}
    if tally.items <= MEMBERS_SHOWN:
        update["owners"] = _owners(members)
    return story.model_copy(update={"members": members, "tally": tally.model_copy(update=update)})


def renumbered(story: Story) -> Story:
    """Give the story as its next state."""
    return story.model_copy(update={"number": story.number + 1})


def closed(story: Story, at: datetime) -> Story:
    """Give the story as it takes no more items."""
    return story.model_copy(
        update={"state": "closed", "number": story.number + 1, "changed": at, "closed": at}
    )


def change(
    name: str,
    story: Story,
    *,
    at: datetime,
    reason: str,
    cause: str,
    rule: str,
    carried: Deduplicated | None = None,
    score: float | None = None,
) -> StoryChange:
    """Give the record of the step that led to a story's present state."""
    return StoryChange(
        change=name,
        story_id=story.story_id,
        number=story.number,
        at=at,
        carried=carried,
        tally=story.tally,
        score=score,
        reason=reason,
        cause=cause,
        rule=rule,
    )


def _member(told: Deduplicated, score: float | None) -> Member:
    item = told.item
    return Member(
        item_id=item.item_id,
        revision=item.revision,
        source=item.source,
        role=told.verdict.role,
        url=item.url,
        headline=terms.headline(item),
        published=item.published,
        observed=item.observed,
        score=score,
    )


def _owners(members: Iterable[Member]) -> int:
    """Count the sources that tell it in their own words: copies count with their original."""
    return len({member.source for member in members if member.role == ORIGINAL})


def _seen(story: Story, item: Item, at: datetime) -> dict[str, object]:
    """Give what every revision changes in a story: its number and its times."""
    stamp = item.published
    first, last = story.first_published, story.last_published
    if stamp is not None and stamp.lo is not None and stamp.hi is not None:
        first = stamp.lo if first is None else min(first, stamp.lo)
        last = stamp.hi if last is None else max(last, stamp.hi)
    return {
        "number": story.number + 1,
        "first_published": first,
        "last_published": last,
        "last_observed": max(story.last_observed, item.observed),
        "changed": at,
    }
