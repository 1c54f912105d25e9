"""A timestamp that cannot be right, with everything needed to judge that."""

from typing import Annotated

from pydantic import Field

from schemas.base import Instant, Open, Record
from schemas.stamp import Stamp

FlagName = Annotated[
    str,
    Open(
        (
            "future_dated",
            "reply_before_parent",
            "forward_before_original",
            "edit_before_publish",
            "silent_edit",
            "lag_outlier",
            "pair_conflict",
        )
    ),
]


class Subject(Record):
    """An item that a flag is about."""

    item_id: str = Field(description="the item")
    revision: int = Field(description="the revision looked at")
    source: str = Field(description="its source")
    url: str | None = Field(None, description="its permalink")
    headline: str = Field(description="its headline, or the beginning of its text")


class Evidence(Record):
    """One fact that a flag rests on."""

    what: Annotated[
        str,
        Open(("published", "revised", "observed", "absent", "forward_date", "text", "baseline", "consensus")),
    ]
    item_id: str | None = Field(None, description="the item it is a fact of")
    source: str | None = Field(None, description="the source it is a fact of")
    stamp: Stamp | None = Field(None, description="the source's word, with its raw string")
    instant: Instant | None = Field(None, description="our own observation")
    text: str | None = Field(None, description="words, such as what an edit removed and added")
    seconds: float | None = Field(None, description="a measured distance")
    count: int | None = Field(None, description="how many values a baseline rests on")


class Hypothesis(Record):
    """A possible explanation, never printed as fact."""

    rank: int = Field(ge=1, description="1 is the best")
    reading: str = Field(description="in words: 'US Eastern (UTC-4) labelled UTC'")
    item_id: str | None = Field(None, description="the item whose stamp would be wrong; none: neither")
    offset_seconds: int | None = Field(None, description="what to add to that stamp")
    zones: tuple[str, ...] = Field((), description="IANA names that use this offset on that date")
    apart_seconds: float | None = Field(None, description="the distance that would remain")
    weight: float = Field(ge=0, le=1, description="share among the hypotheses listed; not a probability")


class Flag(Record):
    """A timestamp inconsistency: upserted, so it can be confirmed, explained or withdrawn."""

    flag_id: str = Field(description="the same for the same rule and subjects")
    flag: FlagName = Field(description="what is wrong, by the name of the rule's finding")
    state: Annotated[str, Open(("open", "confirmed", "explained", "withdrawn"))] = Field(
        description="withdrawn: no longer held"
    )
    number: int = Field(ge=1, description="counts the changes of this flag")
    severity: Annotated[str, Open(("info", "warn", "high", "critical"))] = Field(description="how bad it is")
    scope: Annotated[str, Open(("item", "pair", "source"))] = Field(
        description="what it is about: one item, two, or a whole source"
    )
    source: str | None = Field(None, description="the source at fault, where one is")
    story_id: str | None = Field(None, description="the story in which it was found")
    subjects: tuple[Subject, ...] = Field(description="the items it is about")
    summary: str = Field(description="one sentence for people; it names no culprit that is not proven")
    apart_seconds: float | None = Field(None, description="the size of the contradiction")
    evidence: tuple[Evidence, ...] = Field(description="what it rests on")
    hypotheses: tuple[Hypothesis, ...] = Field((), description="best first")
    rule: str = Field(description="name and version, such as pair_conflict/1")
    raised: Instant = Field(description="stage time when it was first raised")
    changed: Instant = Field(description="stage time of this state")
    cause: str = Field(description="ce_id of the record that led to this state")
    reason: str | None = Field(None, description="why it was confirmed, explained or withdrawn")
