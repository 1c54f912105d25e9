"""What following a channel by its page remembers, and how the cursor spells it. Pure.

The cursor is the one of both ways; the page adds `rendered`, when Telegram made the newest page that was
taken in. `backlog` is the newest post of first contact, as long as that is not all in.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from connectors.seam import Cursor, SourceFailed
from connectors.telegram.web.page import Block, Page
from connectors.telegram.window import Bounds, Prints, compare, newest, read_spelled, spell

OLDER_SECONDS = 10
"""The clocks of Telegram's servers may differ by this; a page is from a cache if it is older than that."""
AHEAD_SECONDS = 300
"""A page that was made so far in the future says nothing about those after it: some clock is wrong."""


@dataclass(slots=True)
class Standing:
    """Where one channel stands.

    Attributes:
        name: the channel's public name, as last seen.
        keep: so many posts are remembered.
        channel: its number, pinned when it was first seen.
        last: the highest message id that a page has proved; none before first contact.
        known: fingerprints of the last posts.
        had: when the last complete look began that showed a post as it is known; by id.
        looked: when the last look began that covered all known posts.
        complete: when the last complete look began, of whatever it covered.
        rendered: when Telegram made the newest page seen, in seconds since 1970.
        backlog: posts up to this id were there at first contact.
        others: what else is in the cursor, carried over.
    """

    name: str
    keep: int
    channel: int | None = None
    last: int | None = None
    known: dict[int, str | None] = field(default_factory=dict)
    had: dict[int, datetime] = field(default_factory=dict)
    looked: datetime | None = None
    complete: datetime | None = None
    rendered: int = 0
    backlog: int = 0
    others: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, cursor: Cursor | None, name: str, *, reread_posts: int) -> Self:
        """Read the cursor.

        Raises:
            SourceFailed: it is none of ours; the message says what to do.
        """
        if cursor is None:
            return cls(name, reread_posts)
        own = ("channel", "name", "last", "window", "looked", "rendered", "backlog")
        others = {key: value for key, value in cursor.items() if key not in own}
        try:
            channel = None if cursor.get("channel") is None else int(cursor["channel"])
            if cursor.get("last") is None:  # first contact is not over, by either way
                return cls(name, reread_posts, channel=channel, others=others)
            known = dict.fromkeys(read_spelled(cursor.get("window") or ""))
            looked = datetime.fromisoformat(cursor["looked"]) if cursor.get("looked") else None
            return cls(
                name=cursor.get("name") or name,
                keep=reread_posts,
                channel=channel,
                last=int(cursor["last"]),
                known=dict(known),
                had=dict.fromkeys(known, looked) if looked else {},
                looked=looked,
                complete=looked,
                rendered=int(cursor.get("rendered") or 0),
                backlog=int(cursor.get("backlog") or 0),
                others=others,
            )
        except (KeyError, ValueError, TypeError, AttributeError) as problem:
            raise SourceFailed(
                f"@{name}: its checkpoint cannot be read ({problem}); to begin anew, "
                f"add it under another name"
            ) from problem

    def cursor(self) -> Cursor | None:
        """Spell the cursor; none before first contact."""
        if self.last is None or self.channel is None:
            return None
        spelled: dict[str, Any] = {
            **self.others,
            "channel": self.channel,
            "name": self.name,
            "last": self.last,
            "window": spell(self.known),
            "rendered": self.rendered,
        }
        if self.looked is not None:
            spelled["looked"] = self.looked.isoformat()
        if self.backlog > self.last:
            spelled["backlog"] = self.backlog
        return spelled

    def meet(self, page: Page, asked: str, place: str) -> None:
        """Check that a page is of this channel, and pin the channel at first sight.

        Raises:
            SourceFailed: it is of another one; the message says of which, and what to do.
        """
        if page.channel is None:
            return
        if self.channel is None and page.name.casefold() != asked.casefold():
            raise SourceFailed(f"{place}: shows @{page.name}, not @{asked}; correct `channel`")
        if self.channel not in (None, page.channel):
            raise SourceFailed(
                f"@{asked} is now another channel (number {page.channel}, was {self.channel}): somebody else "
                f"has the name; correct `channel` to the new name of the old one, or add a source for this"
            )
        self.channel, self.name = page.channel, page.name

    def stale(self, page: Page) -> bool:
        """Say whether a page is older than one that was seen before: it comes from a cache."""
        return page.rendered is not None and page.rendered < self.rendered - OLDER_SECONDS

    def date(self, page: Page, now: datetime) -> None:
        """Take in when a page was made: no later one may be older."""
        made = page.rendered or 0
        if made <= now.timestamp() + AHEAD_SECONDS:
            self.rendered = max(self.rendered, made)

    def is_new(self, post: int) -> bool:
        """Say whether a post that is not known belongs to what we follow, and not to what was before."""
        return post > (min(self.known) if self.known else self.last or 0)

    def learn(self, post: int, highest: int, fingerprint: str | None) -> None:
        """Take in a post that is about to be yielded."""
        self.known[post] = fingerprint
        self.last = max(self.last or 0, highest)

    def forget(self, post: int) -> datetime | None:
        """Take in that a post is gone; give when the last complete look that had it began."""
        self.known.pop(post, None)
        return self.had.pop(post, None)

    def settle(self, prints: Prints, began: datetime) -> None:
        """Take in that these posts were shown, once what that changes was learnt and forgotten."""
        self.known = newest(self.known, self.keep)
        seen = dict.fromkeys(self.known.keys() & prints.keys(), began)
        self.had = {one: at for one, at in self.had.items() if one in self.known} | seen
        if (self.last or 0) >= self.backlog:
            self.backlog = 0

    def end(self, prints: Prints, began: datetime) -> None:
        """Take in that a look is complete, of which this was shown last.

        `looked` moves only if all that is known was shown: else it would say of a post that it was there at a
        time when nobody saw it.
        """
        self.settle(prints, began)
        self.complete = began
        if self.known.keys() <= prints.keys():
            self.looked = began


@dataclass(frozen=True, slots=True)
class Shown:
    """A run of blocks between which there is nothing, from one page or several.

    Attributes:
        blocks: by id, ascending.
        lost: blocks whose ids cannot be read; then no absence means anything.
        beginning: there is nothing older; that is known only of who asked for it.
    """

    blocks: Mapping[int, Block]
    lost: tuple[Block, ...] = ()
    beginning: bool = False

    @property
    def lowest(self) -> int | None:
        """The lowest id; none if nothing is shown."""
        return min(self.blocks, default=None)

    @property
    def highest(self) -> int:
        """The highest message id; 0 if nothing is shown."""
        return max((block.messages[-1] for block in self.blocks.values()), default=0)

    @property
    def prints(self) -> dict[int, str | None]:
        """Fingerprints by id."""
        return {one: block.print for one, block in self.blocks.items()}

    @property
    def bounds(self) -> Bounds:
        """Between which nothing is missing: absent is gone. Nothing, where a block could not be told."""
        if self.lowest is None or self.lost:
            return (1, 0)
        return (self.lowest, self.highest)

    def reaches(self, last: int) -> bool:
        """Say whether nothing can lie between what is proved and what is shown."""
        return self.beginning or (self.lowest is not None and self.lowest <= last + 1)

    def joined(self, below: "Shown") -> "Shown":
        """Give this run with the one below it."""
        blocks = dict(sorted({**below.blocks, **self.blocks}.items()))
        return Shown(blocks, (*below.lost, *self.lost), below.beginning)


def shown_by(page: Page, *, whole_head: bool, whole_tail: bool) -> Shown:
    """Give what a page shows, without what an edge may have cut off an album.

    Whether there is more behind an edge is not asked: short pages leave the link to it out, now and then.

    Args:
        page: the page.
        whole_head: it was asked for from the border of a post on.
        whole_tail: it was asked for up to the border of a post, or up to the newest.
    """
    blocks = list(page.blocks)
    if blocks and blocks[0].part and not whole_head:
        blocks = blocks[1:] or blocks  # an album is shorter than a page: alone on one, it is whole
    if blocks and blocks[-1].part and not whole_tail:
        blocks = blocks[:-1] or blocks
    return Shown({one.first: one for one in blocks}, page.lost)


def events(standing: Standing, shown: Shown) -> Iterable[tuple[int, bool]]:
    """Give what a run of blocks changes: ids, ascending, and whether each is shown or gone."""
    prints = shown.prints
    change = compare(standing.known, prints, shown.bounds)
    there = {one for one in change.new if standing.is_new(one)} | set(change.changed)
    return sorted([(one, True) for one in there] + [(one, False) for one in change.gone])
