"""One post of one source, and one numbered revision of it."""

import hashlib
from typing import Annotated, Any

from pydantic import Field
from pydantic_core import to_json

from schemas.base import Instant, Open, Record
from schemas.stamp import Stamp

ItemKind = Annotated[str, Open(("post", "article", "market_opened", "market_resolved", "service"))]
"""A claim about the world (post, article) is kept apart from the life of a betting question, and from what a
channel says of itself (service: renamed, pinned)."""
ItemStatus = Annotated[str, Open(("usable", "withheld", "withdrawn"))]
RelationKind = Annotated[str, Open(("reply_to", "forward_of", "album", "quotes", "same_url"))]
Delivery = Annotated[str, Open(("pushed", "polled"))]

TEXT_LIMIT_BYTES = 200_000
"""Longer text, as it stands in JSON, is cut; the whole text stays in raw."""
ITEM_LIMIT_BYTES = 262_144
"""No item is larger on its topic: stages carry it on, with more around it."""


class Relation(Record):
    """A link from an item to another."""

    kind: RelationKind = Field(description="what this item is to the other")
    item_id: str | None = Field(None, description="the other end, where it has an identity of ours")
    source: str | None = Field(None, description="the other end's source, as the wire names it")
    date: Stamp | None = Field(None, description="when the other end was published, by the wire's word")
    partial: bool = Field(
        False, description="not every way to the source shows it alike, so it is no part of the content hash"
    )


class Draft(Record):
    """What a connector's `normalise` makes of one observation: an item that has no number yet.

    Nothing in it is repaired or guessed: a time is a `Stamp` with its raw string.
    """

    item_id: str = Field(
        max_length=1000,
        description="stable, source-scoped: the same post has the same id whichever way it came",
    )
    source: str = Field(description="the wire's configured name, or the name that a recording gives it")
    native_id: str = Field(max_length=1000, description="the id that the source itself uses")
    sequence: str | None = Field(None, description="the source's running number, a decimal string (64 bit)")
    version: int | None = Field(None, description="the source's own number of this version, if it has one")
    kind: ItemKind = Field(
        "post",
        description="a claim about the world (post, article), a step in the life of a betting question, or "
        "what a channel says of itself (service)",
    )
    status: ItemStatus = Field("usable", description="withdrawn: a look saw it gone")
    delivery: Delivery = Field("polled", description="whether the source told us or we looked")
    url: str | None = Field(
        None, max_length=4000, description="permalink of this very post, never a bare channel"
    )
    headline: str | None = Field(None, description="as the source has it; most posts have none")
    text: str = Field("", description="plain text, without markup")
    text_length: int | None = Field(None, description="characters of the whole text, where it was cut")
    truncated: bool = Field(False, description="the text was cut; the whole stands in raw")
    language: str | None = Field(None, description="BCP 47")
    published: Stamp | None = Field(None, description="first published, by the source's word")
    revised: Stamp | None = Field(None, description="this version published, by the source's word")
    revised_hidden: bool = Field(False, description="the source marks the edit as not to be shown")
    responded: Stamp | None = Field(None, description="HTTP Date of the response that carried it")
    modified: Stamp | None = Field(None, description="HTTP Last-Modified of the response that carried it")
    relations: tuple[Relation, ...] = Field((), description="links to other items, in the source's order")
    alt_ids: dict[str, str] = Field(default_factory=dict, description="other ids by kind, such as guid")

    def hashed(self) -> str:
        """Hash what every way to the source shows, and `published`; "1:" names this recipe.

        Absent and empty fields do not enter, so a field added later changes no old hash.
        """
        shown: dict[str, Any] = {
            "kind": self.kind,
            "status": self.status,
            "headline": self.headline,
            "text": self.text,
            "published": self.published and self.published.raw,
            "relations": sorted(
                [r.kind, r.item_id or "", r.source or ""] for r in self.relations if not r.partial
            ),
        }
        kept = {key: value for key, value in shown.items() if value}
        return "1:" + hashlib.sha256(to_json(kept)).hexdigest()[:32]


class Item(Draft):
    """One numbered revision of one post, article or market.

    Four times are kept apart and never derived from each other: `published` and `revised` (the source's
    word), `observed` (ours) and `absent` (the last complete look that did not show this revision).
    """

    revision: int = Field(ge=1, description="1, 2, ...: the order in which we saw the versions")
    content_hash: str = Field(description="content hash with the number of its recipe in front")
    returned_to: int | None = Field(None, description="the earlier revision whose content came back")
    late: bool = Field(False, description="an older state that we saw after a newer one")
    via: str = Field(description="the configured source that brought it")
    connector: str = Field(description="the kind of connector and the version of its normaliser, kind/1")
    raw_id: str = Field(description="ce_id of the raw record it was made from")
    observed: Instant = Field(description="when we first had this revision")
    observed_assumed: bool = Field(False, description="observed is not ours: a recording did not say")
    absent: Instant | None = Field(None, description="with `observed` it brackets the truth")
    backlog: bool = Field(False, description="first contact with the source brought it in")


class Raw(Record):
    """A post exactly as received, and how and when it was fetched."""

    item_id: str = Field(description="the item that was made from it")
    via: str = Field(description="the configured source that brought it")
    place: str = Field(description="where it was: a URL, or file and line")
    content_type: str = Field(description="media type of the body")
    encoding: Annotated[str, Open(("utf-8", "base64"))] = "utf-8"
    body: str = Field(description="the bytes received; base64 where they are not UTF-8")
    received: Instant = Field(description="when the bytes had arrived")


class SourceLook(Record):
    """The result of looking at one source."""

    result: Annotated[str, Open(("ok", "failed", "paused", "never"))] = Field(
        description="never: configured, but not looked at yet"
    )
    complete: Instant | None = Field(None, description="the last complete look")
    reason: str | None = Field(None, description="why it is not ok")


class Look(Record):
    """What ingest could see, once a minute and whenever a result changes: quiet is told from blind."""

    unit: str = Field(description="the ingest unit that looked")
    observed: Instant = Field(description="when it looked")
    sources: dict[str, SourceLook] = Field(description="by configured name")


class Ruling(Record):
    """What an operator said of a story, an item or a flag."""

    ruling_id: str = Field(description="identity of the ruling")
    observed: Instant = Field(description="when it was said")
    subject: str = Field(description="story_id, item_id or flag_id")
    verdict: Annotated[str, Open(("acknowledged", "disputed", "not_same_story"))] = Field(
        description="what was said"
    )
    other: str | None = Field(None, description="the second id, where the verdict is about two")
    by: str = Field(description="who said it")
    note: str | None = Field(None, description="in the operator's words")


class Verdict(Record):
    """What deduplicate thinks of one item."""

    number: int = Field(ge=1, description="1 for the first verdict on this item, then counting")
    role: Annotated[str, Open(("original", "copy"))] = Field(
        description="copy: this item repeats another one"
    )
    kind: Annotated[str, Open(("exact", "near", "forward", "syndicated", "repost"))] | None = Field(
        None, description="how the copy came about; null of an original"
    )
    group: str = Field(description="the copy group: the item_id of its first original")
    original: str | None = Field(None, description="item_id of what it copies; none of an original")
    score: float | None = Field(None, ge=0, le=1, description="1 is the same")
    evidence: tuple[str, ...] = Field(
        (), description="what matched, in words: 'text_hash', 'url https://...'"
    )
    rule: str = Field(description="name and version of the rule that decided, such as near/1")


class Deduplicated(Record):
    """An item revision with its verdict."""

    at: Instant = Field(description="stage time when it was decided")
    item: Item
    verdict: Verdict


class VerdictChanged(Record):
    """A later record changed the verdict on an item; the item itself is not carried again."""

    at: Instant = Field(description="stage time when it was decided")
    item_id: str = Field(description="the item judged anew")
    verdict: Verdict = Field(description="holds now")
    previous: Verdict = Field(description="held before")
    cause: str = Field(description="ce_id of the record that changed it")


class Originals(Record):
    """A page of originals that left the window, column by column: deduplicate's long memory.

    All columns have the same length.
    """

    page: int = Field(description="number of the page, which is also its key")
    at: Instant = Field(description="the boundary at which the page was written")
    item_ids: tuple[str, ...] = Field(description="one original each")
    sources: tuple[str, ...] = Field(description="the source of each")
    text_hashes: tuple[str, ...] = Field(description="16 hex digits")
    signatures: tuple[str, ...] = Field(description="near-duplicate signature; empty where the text is short")
    urls: tuple[str, ...] = Field(description="canonical URL, or empty")
    published: tuple[Instant | None, ...] = Field(description="early end of the first stamp")
    observed: tuple[Instant, ...] = Field(description="when we first had each")
    groups: tuple[str, ...] = Field(
        (), description="the copy group of each, empty where it bears its own name; no column: all do"
    )
