"""From a handful of sights to the records of one transaction. No I/O; the clock is passed in."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from connectors.seam import Cursor, Looked, Missed, Observation, Remembering, Unreadable, Waits
from pipeline.ingest import compose
from pipeline.ingest.again import Again
from pipeline.ingest.books import Books
from pipeline.ingest.compose import Composed, Packed
from pipeline.ingest.follow import Failed, Paused, Released, Sighted, Source
from pipeline.ingest.revise import Judgement, judge, remember
from schemas.item import ITEM_LIMIT_BYTES, Draft, SourceLook
from schemas.records import Checkpoint, DeadLetter, Seen

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


def former_hash(source: Source, sight: Observation, seen: Seen) -> str | None:
    """Give the hash by which a former version of the connector knew this post; none if nobody knows."""
    connector = source.connector
    if isinstance(connector, Remembering):
        for version in range(connector.normaliser - 1, 0, -1):
            try:
                hashed = connector.normalise_as(version, sight).hashed()
            except Unreadable:
                return None  # forgotten, and so are those before it
            if hashed == seen.current or hashed in seen.hashes:
                return hashed
    return None


def reviewed(
    seen: Seen, judgement: Judgement, content_hash: str, source: Source, listed: datetime
) -> Seen | None:
    """Give what to remember of an item that came again; none if that is nothing new.

    An item that only reads differently now is compared by its new hash from here on.
    """
    if judgement.kind == "unchanged" and content_hash != seen.current:
        kept = dict(seen.hashes)
        number = kept.pop(seen.current, seen.revision)
        news = {"current": content_hash, "hashes": kept | {content_hash: number}}
        return seen.model_copy(update={**news, "connector": normaliser_of(source), "listed": listed})
    return seen.model_copy(update={"listed": listed}) if listed - seen.listed > RELIST_AFTER else None


class Batch:
    """The records that one transaction of ingest writes, in order."""

    def __init__(self, books: Books, now: Callable[[], datetime], prefix: str) -> None:
        self.books = books
        self.tally = Tally()
        self._packed: list[Packed] = []
        self._now = now
        self._prefix = prefix
        self._seen: dict[str, Packed] = {}
        self._letters: list[str] = []
        self._standing: dict[str, Standing] = {}
        self._checkpoints: list[tuple[Checkpoint, Source]] = []
        self.changed_looks = False
        self.quarantined: dict[str, str] = {}

    def add(self, sighted: Sighted) -> None:
        """Enter one sight; of a source in quarantine none, so that its cursor stays before it."""
        source, sight = sighted.source, sighted.sight
        if isinstance(sight, Again):
            self._again(source, sight.letter, sight.sight)
        elif isinstance(sight, Released):
            self._release(source)
        elif source.name in self.books.quarantined or source.name in self.quarantined:
            return
        elif isinstance(sight, Observation):
            self.tally.add("observations", source.name)
            self._observation(source, sight)
        elif isinstance(sight, Looked):
            self._looked(source, sight)
        elif isinstance(sight, Missed):
            if not sight.repaired:
                self.tally.add("gaps", source.name)
            self._write(compose.gap(sight, source.name, self._now()), source)
            self._stand(source, sight.cursor)
        elif isinstance(sight, Paused):
            self._result(source, SourceLook(result="paused", complete=self._complete(source)))
        elif isinstance(sight, Failed | Waits):
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
        self.books.bury(self._letters)
        self.books.quarantined |= self.quarantined
        for value, _ in self._checkpoints:
            self.books.checkpoints[value.source] = value

    def _write(self, composed: Composed, source: Source) -> None:
        self._packed.append(compose.pack(composed, source.name, self._prefix))

    def _observation(self, source: Source, sight: Observation) -> None:
        received = self._now()
        try:
            self._revise(source, sight, source.connector.normalise(sight), received)
        except Exception as problem:  # noqa: BLE001  # Unreadable, or a connector's bug on this one post
            what = "unreadable" if isinstance(problem, Unreadable) else "broken"
            self.tally.add(what, source.name)
            self._bury(compose.unreadable(sight, source.name, received, problem), source)
            readable = False
        else:
            readable = True
        self._stand(source, sight.cursor)
        if not source.connector.recorded:  # a recording ends, and its letters are told at the end
            reason = self.books.outcomes.add(source.name, readable=readable)
            if reason is not None:
                self._quarantine(source, reason)

    def _quarantine(self, source: Source, reason: str) -> None:
        self.quarantined[source.name] = reason
        self._standing.setdefault(source.name, Standing(source, None, None, done=False))
        self._result(source, SourceLook(result="failed", complete=self._complete(source), reason=reason))

    def _release(self, source: Source) -> None:
        """Let a source out; it goes on from its checkpoint, before what was left out meanwhile."""
        if self.books.quarantined.pop(source.name, None) is None:
            return
        known = self.books.checkpoint_of(source)
        source.cursor = known.cursor if known else None
        self.books.outcomes.forget(source.name)
        self.books.looks.pop(source.name, None)
        self._standing.setdefault(source.name, Standing(source, None, None, done=False))

    def _bury(self, composed: Composed, source: Source) -> None:
        """Write a dead letter, unless it was: a page shows its broken entry at every look."""
        origin = composed.output.key
        if origin not in self.books.letters and origin not in self._letters:
            self._letters.append(origin)
            self._write(composed, source)

    def _again(self, source: Source, letter: DeadLetter, sight: Observation) -> None:
        """Try the post of a dead letter again; what was decided meanwhile is not decided again."""
        now, place = self._now(), len(self._packed)
        try:
            self._revise(source, sight, source.connector.normalise(sight), now)
            became = compose.retried(letter, now)
        except Exception as problem:  # noqa: BLE001  # as when it was seen
            became = compose.failed_again(letter, sight, now, problem)
        self._packed.insert(place, compose.pack(became, source.name, self._prefix))

    def _revise(self, source: Source, sight: Observation, draft: Draft, received: datetime) -> None:
        """Enter what an observation changes; nothing is entered if any of it cannot be written."""
        compose.check(draft, sight.place)
        pencilled = self._seen.get(draft.item_id)
        seen = pencilled.output.value if pencilled else self.books.seen.get(draft.item_id)
        seen = seen if isinstance(seen, Seen) else None
        observed = sight.observed or received
        content_hash = draft.hashed()
        judgement = judge(draft, content_hash, observed, seen, late=sight.late)
        if seen and judgement.kind == "later" and (former := former_hash(source, sight, seen)):
            judgement = judge(draft, former, observed, seen, late=sight.late)
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
        elif seen is not None and (news := reviewed(seen, judgement, content_hash, source, received)):
            self._seen[draft.item_id] = compose.pack(
                compose.memory(news, received), source.name, self._prefix
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
            quarantined=self.quarantined.get(source.name),
        )
