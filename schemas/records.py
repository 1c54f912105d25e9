"""The records by which Dateline keeps its own books, published like all others."""

from typing import Annotated, Any

from pydantic import Field

from schemas.base import Instant, Open, Record

LetterState = Annotated[str, Open(("open", "requested", "retried", "dropped"))]
"""Requested: the process that owns its source is to try it again."""


class Gap(Record):
    """We were blind from A to B."""

    gap_id: str = Field(description="identity of the gap")
    source: str = Field(description="the configured source")
    since: Instant | None = Field(description="the last complete look before; none: never looked before")
    until: Instant = Field(description="when we could see again")
    reason: str = Field(description="in words")
    repaired: bool = Field(False, description="what was missed has been fetched since")


class DeadLetter(Record):
    """What could not be processed, with its original bytes."""

    origin: str = Field(
        description="topic/partition/offset, or source and place of what came from outside; @ a digest"
    )
    stage: str = Field(description="where it failed: ingest, deduplicate, cluster or chronology")
    cause: str = Field(description="the error's type and message")
    trace: str | None = Field(None, description="the stack, for developers")
    attempts: int = Field(1, ge=1, description="how often it was tried")
    place: str | None = Field(None, description="file and line, or URL, of what came from outside")
    item_id: str | None = Field(None, description="the item it was about, where that is known")
    encoding: Annotated[str, Open(("utf-8", "base64"))] = Field("utf-8", description="of `body`")
    body: str = Field(description="the original's bytes, as text or base64")
    truncated: bool = Field(False, description="`body` is only the first part")
    length: int = Field(description="bytes of the original")
    headers: dict[str, str] = Field(
        default_factory=dict, description="of the original record; of a post, how it was seen"
    )
    recorded: Instant = Field(description="when it was given up")
    retry_of: str | None = Field(None, description="the dead letter that this is another try of")
    source: str | None = Field(None, description="the configured source that brought it, where that is known")
    state: LetterState = Field("open", description="what became of it; the newest record of an origin holds")
    by: str | None = Field(None, description="who retried or dropped it")
    reason: str | None = Field(None, description="why it was dropped")
    marked: Instant | None = Field(None, description="when it was retried or dropped")


class Checkpoint(Record):
    """Where a source stands: its connector's cursor, opaque to all but the connector."""

    source: str = Field(description="the configured source")
    unit: str = Field(description="the ingest unit that runs it")
    connector: str = Field(description="kind/version of the connector")
    cursor: dict[str, Any] | None = Field(description="none: nothing is proven yet")
    looked: Instant | None = Field(None, description="the last complete look")
    changed: Instant = Field(description="when this was written")
    done: bool = Field(False, description="the source has an end, and it was reached")
    quarantined: str | None = Field(None, description="why it is not looked at until somebody releases it")


class Seen(Record):
    """What ingest knows of one item: enough to number its next revision."""

    item_id: str = Field(description="the item")
    source: str = Field(description="the configured source that brought it")
    revision: int = Field(ge=1, description="number of the newest revision")
    current: str = Field(description="hash of the newest state, by the source's own order of its versions")
    hashes: dict[str, int] = Field(description="hash of each of the last 8 revisions, and its number")
    connector: str = Field(description="kind/version of the normaliser that made the last hash")
    version: int | None = Field(None, description="the source's own number of the newest version")
    revised: Instant | None = Field(None, description="early end of the newest version's `revised`")
    observed: Instant = Field(description="when the newest revision was observed")
    status: str = Field("usable", description="of the newest revision, as in Item")
    listed: Instant = Field(description="when the source last showed it; forgotten 90 days after")


class Learned(Record):
    """What a stage learned until an epoch's boundary, and where folding must begin after it."""

    stage: str = Field(description="the stage that learned")
    table: str = Field(description="name of the table in that stage")
    boundary: Instant = Field(description="stage time from which it holds")
    epoch: int = Field(description="boundary / 6 h since 1970")
    fold_from: int | None = Field(None, description="of table `window`: offset in the topic that is folded")
    keep_since: Instant | None = Field(None, description="of table `window`: stage time of that place")
    recent: tuple[Instant, ...] = Field((), description="of table `window`: the last 9 observed times")
    values: dict[str, Any] = Field(
        default_factory=dict, description="the table itself; its form is the stage's own affair"
    )


class Baseline(Record):
    """What is normal for a source; seconds."""

    source: str = Field(description="the source")
    boundary: Instant = Field(description="stage time from which it holds")
    count: int = Field(ge=0, description="how many items it rests on")
    lag: tuple[float, ...] = Field((), description="published against its story's first other reports")
    delivery: tuple[float, ...] = Field((), description="observed minus published")
    edit: tuple[float, ...] = Field((), description="revised minus published")
    zone: str | None = Field(None, description="IANA name of its zone, where that was learned")


class Control(Record):
    """The config in force, or what holds for one source."""

    name: str = Field(description="what is controlled: `config`, or `source/` and a source's name")
    generation: int = Field(ge=0, description="counts the changes")
    config: dict[str, Any] | None = Field(
        None, description="the config in force; of a source its settings before it was moved or removed"
    )
    paused: bool | None = Field(None, description="of a source: whether it is paused")
    removed: Instant | None = Field(
        None, description="of a source: when it left the config; its checkpoint and memory go 30 days later"
    )
    released: Instant | None = Field(
        None, description="of a source: out of a quarantine whose checkpoint was not written later than this"
    )
    by: str | None = Field(None, description="who changed it")
    changed: Instant = Field(description="when")
