"""What a connector is: it speaks a wire's protocol, yields what it sees, and normalises it.

Two functions and three things to yield. `observe` does I/O and decides nothing about content; `normalise`
is pure. Everything else (numbering revisions, Kafka, retries, back-off, metrics) is ingest's.
"""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Protocol, TypeAlias, runtime_checkable

from prometheus_client import CollectorRegistry
from pydantic import BaseModel, ConfigDict, Field
from structlog.typing import FilteringBoundLogger

from schemas.item import Draft

Cursor: TypeAlias = Mapping[str, Any]
"""Where a connector stands: a small JSON object that only the connector understands."""


class SourceConfig(BaseModel):
    """What every source has in the config; each kind of connector adds its own settings."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str
    name: str = Field(
        min_length=1, max_length=80, description="the source's name in records, metrics and logs"
    )
    unit: str = Field("main", min_length=1, description="the ingest unit that runs it")
    renamed_from: str | None = Field(None, description="its former name: it goes on where that one stood")


class Unreadable(Exception):
    """An observation that cannot be normalised: it becomes a dead letter, and the rest goes on.

    The message names what is wrong and where, for an operator.
    """


class SourceFailed(Exception):
    """Looking failed in a way the connector understands; ingest backs off and tries again, for ever.

    Attributes:
        retry_after: seconds the wire asked us to wait, at least; none if it did not say.
    """

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Observation:
    """One post as received.

    Attributes:
        data: the bytes, exactly as received.
        content_type: of the data.
        place: where it was: a URL, or file and line.
        cursor: to resume behind this observation; none while nothing can be proven. It is stored in the
            same transaction as the post, never before it.
        observed: when it was seen, where that is data (a recording); none: now, by ingest's clock.
        observed_assumed: the recording did not say, `observed` stands in for it.
        absent: the last complete look without it, UTC; none if there was none.
        backlog: first contact with the source brings it in.
        late: it is older than what was yielded of the same post before, its end included.
    """

    data: bytes
    content_type: str
    place: str
    cursor: Cursor | None = None
    observed: datetime | None = None
    observed_assumed: bool = False
    absent: datetime | None = None
    backlog: bool = False
    late: bool = False


@dataclass(frozen=True, slots=True)
class Looked:
    """A look at the source is complete: everything it shows has been yielded before this.

    Attributes:
        cursor: to resume from here.
        observed: when, where that is data; none: now.
        sources: of a recording, the result for each of its sources; otherwise empty.
        done: the source has an end, and this is it.
    """

    cursor: Cursor | None = None
    observed: datetime | None = None
    sources: Mapping[str, str] | None = None
    done: bool = False


@dataclass(frozen=True, slots=True)
class Missed:
    """A hole that cannot be filled: becomes a `Gap`.

    Attributes:
        since: the last moment that is covered; none if there is none.
        until: the first moment that is covered again.
        reason: for people.
        cursor: where the source stands behind it, so that it is not told again after a crash; none: where it
            stood before.
        repaired: what was missed has been yielded since; the same hole, with the same `until`, was before.
    """

    since: datetime | None
    until: datetime
    reason: str
    cursor: Cursor | None = None
    repaired: bool = False


@dataclass(frozen=True, slots=True)
class Waits:
    """The wire wants us to wait before we look again; the source goes on by itself, and hears what is pushed.

    Until its next complete look the source's result is failed, for this reason.

    Attributes:
        reason: for people.
    """

    reason: str


Sight: TypeAlias = Observation | Looked | Missed | Waits


class Connector(Protocol):
    """One configured source.

    Attributes:
        config: its settings.
        kind: the name in the config: recording, feed, telegram.
        normaliser: the version of `normalise`, counted up when its output for the same bytes changes.
        recorded: time in it is data: ingest adds no looks of its own.
    """

    @property
    def config(self) -> SourceConfig:
        """Its settings."""
        ...

    kind: ClassVar[str]
    normaliser: ClassVar[int]
    recorded: ClassVar[bool]

    def observe(self, cursor: Cursor | None) -> AsyncGenerator[Sight]:
        """Follow the source from `cursor` on (none: first contact), until cancelled or its end.

        Yield a post before anything whose cursor lies behind it. The same post may be yielded again.

        Raises:
            SourceFailed: looking failed. Any other exception counts as a failure too.
        """
        ...

    def normalise(self, observation: Observation) -> Draft:
        """Make an item of an observation: pure, the same bytes give the same draft.

        Raises:
            Unreadable: the bytes are no post; the message names the place and the cause.
        """
        ...


@dataclass(frozen=True, slots=True)
class Lent:
    """What a process lends to its connectors.

    Attributes:
        registry: of its metrics.
        log: its own.
        host: what the config of this machine says for the kind, in a section of its name; else none.
    """

    registry: CollectorRegistry
    log: FilteringBoundLogger
    host: BaseModel | None = None


class Shared(Protocol):
    """What all sources of a kind share in a process: logins, connections, politeness.

    It is made with the first source of its kind, and opens what it needs when it is needed.
    """

    async def close(self) -> None:
        """Let go of everything; the process ends."""
        ...


@runtime_checkable
class Remembering(Protocol):
    """A connector that can still read as former versions of it did; a connector need not.

    Ingest asks it when a post differs from what a former version made of it: if that version would still make
    the same, it is our reading that changed and not the post, and there is no new revision.
    """

    def normalise_as(self, version: int, observation: Observation) -> Draft:
        """Make an item of an observation as `normalise` did when `normaliser` was `version`.

        Raises:
            Unreadable: the bytes were no post then, or how they were read is forgotten.
        """
        ...
