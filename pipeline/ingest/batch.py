"""From a handful of sights to the records of one transaction. No I/O; the clock is passed in."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from connectors.seam import Cursor, Looked, Missed, Observation, Unreadable
from pipeline.ingest import compose
from pipeline.ingest.books import Books
from pipeline.ingest.compose import Composed, Packed
from pipeline.ingest.follow import Failed, Sighted, Source
from pipeline.ingest.revise import judge, remember
from schemas.item import ITEM_LIMIT_BYTES, Draft, SourceLook
from schemas.records import Checkpoint, Seen

RELIST_AFTER = timedelta(days=1)
"""`listed` of an unchanged item is written again so seldom: it only serves forgetting after 90 days."""


@dataclass(slots=True)
class Tally:
    """What a batch brought, for the metrics: counts by source."""

    counts: dict[tuple[str, str], int] = field(default_factory=dict)

    def add(self, what: str, source: str) -> None:
        """Count one."""
        self.counts[what, source] = self.counts.get((what, source), 0) + 1


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a source stands after this batch."""

    source: Source
    cursor: Cursor | None
    looked: datetime | None
    done: bool


def normaliser_of(source: Source) -> str:
    """Give kind and version of what normalises a source, such as recording/1."""
    return f"{source.connector.kind}/{source.connector.normaliser}"


class Batch:
    """The records that one transaction of ingest writes, in order."""

    def __init__(self, books: Books, now: Callable[[], datetime], prefix: str) -> None:
        self.books = books
        self.tally = Tally()
        self._packed: list[Packed] = []
        self._now = now
        self._prefix = prefix
        self._seen: dict[str, Packed] = {}
        self._standing: dict[str, Standing] = {}
        self._checkpoints: list[tuple[Checkpoint, Source]] = []
        self.changed_looks = False

    def add(self, sighted: Sighted) -> None:
        """Enter one sight."""
        source, sight = sighted.source, sighted.sight
        if isinstance(sight, Observation):
            self.tally.add("observations", source.name)
            self._observation(source, sight)
        elif isinstance(sight, Looked):
            self._looked(source, sight)
        elif isinstance(sight, Missed):
            self.tally.add("gaps", source.name)
            self._write(compose.gap(sight, source.name, self._now()), source)
        elif isinstance(sight, Failed):
            self._result(
                source, SourceLook(result="failed", complete=self._complete(source), reason=sight.reason)
            )

    def records(self) -> list[Packed]:
        """Give all records in the order of writing: one upsert a key on compacted topics, at the end."""
        changed = self._now()
        self._checkpoints = [(self._checkpoint(one, changed), one.source) for one in self._standing.values()]
        checkpoints = [
            compose.pack(compose.checkpoint(value), source.name, self._prefix)
            for value, source in self._checkpoints
        ]
        return [*self._packed, *self._seen.values(), *checkpoints]

    def look(self, unit: str, sources: Mapping[str, SourceLook], source: Source) -> None:
        """Enter a look behind what it found."""
        self._write(compose.look(unit, self._now(), sources), source)

    def settle(self) -> None:
        """Take the batch into the books: it is committed."""
        for packed in self._seen.values():
            value = packed.output.value
            if isinstance(value, Seen):
                self.books.seen[value.item_id] = value
        for value, source in self._checkpoints:
            self.books.checkpoints[value.source] = value
            source.cursor = value.cursor

    def _write(self, composed: Composed, source: Source) -> None:
        self._packed.append(compose.pack(composed, source.name, self._prefix))

    def _observation(self, source: Source, sight: Observation) -> None:
        received = self._now()
        try:
            self._revise(source, sight, source.connector.normalise(sight), received)
        except Exception as problem:  # noqa: BLE001  # Unreadable, or a connector's bug on this one post
            what = "unreadable" if isinstance(problem, Unreadable) else "broken"
            self.tally.add(what, source.name)
            self._write(compose.unreadable(sight, source.name, received, problem), source)
        self._stand(source, sight.cursor)

    def _revise(self, source: Source, sight: Observation, draft: Draft, received: datetime) -> None:
        """Enter what an observation changes; nothing is entered if any of it cannot be written."""
        compose.check(draft, sight.place)
        pencilled = self._seen.get(draft.item_id)
        seen = pencilled.output.value if pencilled else self.books.seen.get(draft.item_id)
        seen = seen if isinstance(seen, Seen) else None
        observed = sight.observed or received
        content_hash = draft.hashed()
        judgement = judge(draft, content_hash, observed, seen)
        if judgement.kind in ("first", "later"):
            memory = remember(
                draft,
                content_hash,
                observed,
                seen,
                judgement,
                source=source.name,
                connector=normaliser_of(source),
                listed=received,
            )
            composed = compose.revision(
                draft,
                sight,
                judgement,
                memory,
                content_hash=content_hash,
                observed=observed,
                received=received,
            )
            packed = [compose.pack(one, source.name, self._prefix) for one in composed]
            if (size := len(packed[1].data or b"")) > ITEM_LIMIT_BYTES:
                raise Unreadable(f"{sight.place}: an item of {size} bytes; the limit is {ITEM_LIMIT_BYTES}")
            self._packed += packed[:-1]
            self._seen[draft.item_id] = packed[-1]
        elif seen is not None and received - seen.listed > RELIST_AFTER:
            memory = seen.model_copy(update={"listed": received})
            self._seen[draft.item_id] = compose.pack(
                compose.memory(memory, received), source.name, self._prefix
            )
        self.tally.add(judgement.kind, source.name)

    def _looked(self, source: Source, sight: Looked) -> None:
        if sight.sources is not None and sight.observed is not None:  # a recording's own look: data
            results = {
                name: SourceLook(result=result, complete=sight.observed if result == "ok" else None)
                for name, result in sorted(sight.sources.items())
            }
            self._write(compose.look(source.config.unit, sight.observed, results), source)
        looked = sight.observed or self._now()
        self._result(source, SourceLook(result="ok", complete=looked))
        self._stand(source, sight.cursor, looked=looked, done=sight.done)

    def _result(self, source: Source, look: SourceLook) -> None:
        before = self.books.looks.get(source.name)
        self.books.looks[source.name] = look
        self.changed_looks |= not source.connector.recorded and (
            before is None or before.result != look.result
        )

    def _complete(self, source: Source) -> datetime | None:
        before = self.books.looks.get(source.name)
        known = self.books.checkpoint_of(source)
        if before is not None:
            return before.complete
        return known.looked if known else None

    def _stand(
        self, source: Source, cursor: Cursor | None, *, looked: datetime | None = None, done: bool = False
    ) -> None:
        if cursor is None and looked is None:
            return  # nothing is proven by this sight
        before = self._standing.get(source.name)
        self._standing[source.name] = Standing(
            source,
            cursor if cursor is not None or before is None else before.cursor,
            looked if looked is not None or before is None else before.looked,
            done,
        )

    def _checkpoint(self, standing: Standing, changed: datetime) -> Checkpoint:
        source = standing.source
        before = self.books.checkpoint_of(source)
        cursor = standing.cursor if standing.cursor is not None else before and before.cursor
        return Checkpoint(
            source=source.name,
            unit=source.config.unit,
            connector=normaliser_of(source),
            cursor=None if cursor is None else dict(cursor),
            looked=standing.looked or (before and before.looked),
            changed=changed,
            done=standing.done,
        )
