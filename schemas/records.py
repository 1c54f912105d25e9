"""The records by which Dateline keeps its own books, published like all others."""

from typing import Annotated, Any

from pydantic import Field

from schemas.base import Instant, Open, Record


class Gap(Record):
    """We were blind from A to B."""

    gap_id: str
    source: str
    since: Instant | None = Field(description="the last complete look before; none: never looked before")
    until: Instant
    reason: str
    repaired: bool = False


class DeadLetter(Record):
    """What could not be processed, with its original bytes."""

    origin: str = Field(description="topic/partition/offset, or source and place of what came from outside")
    stage: str
    cause: str = Field(description="the error's type and message")
    trace: str | None = None
    attempts: int = Field(1, ge=1)
    place: str | None = Field(None, description="file and line, or URL, of what came from outside")
    item_id: str | None = None
    encoding: Annotated[str, Open(("utf-8", "base64"))] = "utf-8"
    body: str
    truncated: bool = False
    length: int = Field(description="bytes of the original")
    headers: dict[str, str] = Field(default_factory=dict)
    at: Instant
    retry_of: str | None = None


class Checkpoint(Record):
    """Where a source stands: its connector's cursor, opaque to all but the connector."""

    source: str
    unit: str
    connector: str
    cursor: dict[str, Any] | None = Field(description="none: nothing is proven yet")
    looked: Instant | None = Field(None, description="the last complete look")
    changed: Instant
    done: bool = Field(False, description="the source has an end, and it was reached")


class Seen(Record):
    """What ingest knows of one item: enough to number its next revision."""

    item_id: str
    source: str = Field(description="the configured source that brought it")
    revision: int = Field(ge=1)
    current: str = Field(description="hash of the newest state, by the source's own order of its versions")
    hashes: dict[str, int] = Field(description="hash of each of the last 8 revisions, and its number")
    connector: str = Field(description="kind/version of the normaliser that made the last hash")
    version: int | None = Field(None, description="the source's own number of the newest version")
    revised: Instant | None = Field(None, description="early end of the newest version's `revised`")
    observed: Instant = Field(description="when the newest revision was observed")
    status: str = "usable"
    listed: Instant = Field(description="when the source last showed it; forgotten 90 days after")


class Learned(Record):
    """What a stage learned until an epoch's boundary, and where folding must begin after it."""

    stage: str
    table: str
    boundary: Instant
    epoch: int = Field(description="boundary / 6 h since 1970")
    fold_from: int | None = Field(None, description="of table `window`: offset in the topic that is folded")
    keep_since: Instant | None = Field(None, description="of table `window`: stage time of that place")
    recent: tuple[Instant, ...] = Field((), description="of table `window`: the last 9 observed times")
    values: dict[str, Any] = Field(default_factory=dict)


class Baseline(Record):
    """What is normal for a source; seconds."""

    source: str
    boundary: Instant
    count: int = Field(ge=0)
    lag: tuple[float, ...] = Field((), description="published against its story's first other reports")
    delivery: tuple[float, ...] = Field((), description="observed minus published")
    edit: tuple[float, ...] = Field((), description="revised minus published")
    zone: str | None = None


class Control(Record):
    """The config in force, or a pause."""

    name: str
    generation: int = Field(ge=0)
    config: dict[str, Any] | None = None
    paused: bool | None = None
    by: str | None = None
    changed: Instant
