"""The dead letters of a prefix: what became of each, and putting one back where it can be processed again.

Nothing is erased: what becomes of a letter is another record of its origin, and the newest one holds. One
transactional id serialises the operators: who comes second reads what the first one did.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Final

from pipeline.burial import original
from pipeline.daemon.replay import STAGE_INPUTS
from pipeline.ingest.again import source_of
from pipeline.kafka import KafkaSettings, Producer, Reader
from pipeline.retries import ATTEMPT, RETRY_OF
from schemas.base import Record
from schemas.cloudevents import Event, decode, encode, instant
from schemas.records import DeadLetter
from schemas.topics import DEADLETTERS, written_by

INGEST: Final = "ingest"
AT_ONCE: Final = 5
"""Letters in one transaction: each brings up to 3 MB twice."""

Letters = Mapping[str, DeadLetter]
"""By origin, in the order in which they were given up first."""
Choose = Callable[[Letters], Sequence[DeadLetter]]
"""Picks the letters that are meant; what it raises ends the undertaking."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which letters are meant; what is none does not matter.

    Attributes:
        stage: where it failed.
        source: the configured source.
        since: given up no earlier.
    """

    stage: str | None = None
    source: str | None = None
    since: datetime | None = None

    def __call__(self, letter: DeadLetter) -> bool:
        """Say whether a letter is meant."""
        return (
            (self.stage is None or letter.stage == self.stage)
            and (self.source is None or brought_by(letter) == self.source)
            and (self.since is None or letter.recorded >= self.since)
        )


def brought_by(letter: DeadLetter) -> str | None:
    """Give the configured source that a letter is about, where that is known."""
    return source_of(letter) if letter.stage == INGEST else letter.source


def taken_in(letters: dict[str, DeadLetter], letter: DeadLetter) -> None:
    """Take in one more record. A post that was dropped and is merely shown again stays dropped."""
    known = letters.get(letter.origin)
    shown_again = letter.state == "open" and letter.retry_of is None
    if known is None or known.state != "dropped" or not shown_again:
        letters[letter.origin] = letter


def refusal(letter: DeadLetter) -> str | None:
    """Say why a letter cannot be tried again; none if it can."""
    if letter.state == "retried":
        return f"it was retried at {letter.marked}; if it failed again, that is a letter of its own"
    if letter.state == "requested":
        return "ingest was asked already, and will, once a process runs its source"
    if letter.truncated:
        return f"only the first part of its {letter.length} bytes is kept"
    if letter.stage == INGEST and letter.item_id is not None:
        return f"{letter.item_id} was written; it is only the raw record that was too large"
    if letter.stage != INGEST and letter.stage not in STAGE_INPUTS:
        return f"this version has no stage {letter.stage!r}"
    return None


async def read(settings: KafkaSettings, prefix: str) -> dict[str, DeadLetter]:
    """Give the newest record of each origin.

    Raises:
        KafkaProblem: the topic could not be read.
    """
    letters: dict[str, DeadLetter] = {}
    reader = await Reader.open(settings, DEADLETTERS.full(prefix), [0])
    try:
        async for records in reader.read_to_end():
            for record in records:
                with suppress(ValueError):  # what another version or a stranger wrote says nothing
                    value = decode(record.headers, record.value, DEADLETTERS.types).data
                    if isinstance(value, DeadLetter):
                        taken_in(letters, value)
    finally:
        await reader.close()
    return letters


async def retry(settings: KafkaSettings, prefix: str, choose: Choose, by: str) -> list[DeadLetter]:
    """Put letters back: a stage's onto the topic that it reads; of a post, its ingest is asked.

    Returns:
        The letters as they are marked now.

    Raises:
        KafkaProblem: not all were put back; those that were are marked.
        Exception: what `choose` raises; nothing was done.
    """
    at = datetime.now(UTC)

    def send(producer: Producer, letter: DeadLetter) -> DeadLetter:
        if letter.stage != INGEST:
            topic = STAGE_INPUTS[letter.stage].full(prefix)
            headers, value = returning(letter)
            key = letter.headers.get("ce_subject", "").encode()
            producer.send(topic, key=key, value=value, headers=headers, partition=0)
        state = "requested" if letter.stage == INGEST else "retried"
        return letter.model_copy(update={"state": state, "by": by, "reason": None, "marked": at})

    return await _mark(settings, prefix, choose, send)


async def drop(
    settings: KafkaSettings, prefix: str, choose: Choose, by: str, reason: str
) -> list[DeadLetter]:
    """Mark letters as dropped; their bytes stay as long as any letter's.

    Raises:
        KafkaProblem: not all were marked.
        Exception: what `choose` raises; nothing was done.
    """
    change = {"state": "dropped", "by": by, "reason": reason, "marked": datetime.now(UTC)}
    return await _mark(settings, prefix, choose, lambda _, letter: letter.model_copy(update=change))


def returning(letter: DeadLetter) -> tuple[list[tuple[str, bytes]], bytes]:
    """Give headers and value of a stage's input record that comes once more.

    Raises:
        ValueError: the letter does not hold all of it.
    """
    headers = {name: text for name, text in letter.headers.items() if name not in _OURS}
    headers[_OURS[0]] = letter.retry_of or letter.origin
    headers[_OURS[1]] = str(letter.attempts + 1)
    return [(name, text.encode()) for name, text in headers.items()], original(letter)


_OURS = (f"ce_{RETRY_OF}", f"ce_{ATTEMPT}")


async def _mark(
    settings: KafkaSettings,
    prefix: str,
    choose: Choose,
    send: Callable[[Producer, DeadLetter], DeadLetter],
) -> list[DeadLetter]:
    """Shut out other operators, read, choose, and write what is decided, some letters in a transaction."""
    marked = list[DeadLetter]()
    producer = await _fence(settings, prefix)
    try:
        chosen = iter(choose(await read(settings, prefix)))
        while some := list(islice(chosen, AT_ONCE)):
            await producer.begin()
            done = [send(producer, letter) for letter in some]
            _write(producer, prefix, done)
            await producer.commit()
            marked += done
    finally:
        await producer.close()
    # A commit is answered a moment before it can be read. The next opening waits for that.
    await (await _fence(settings, prefix)).close()
    return marked


async def _fence(settings: KafkaSettings, prefix: str) -> Producer:
    return await Producer.open(settings, f"{prefix}dlq", writes=written_by("operator", prefix))


def _write(producer: Producer, prefix: str, letters: Iterable[DeadLetter]) -> None:
    for letter in letters:
        at = letter.marked or letter.recorded
        name = f"dead:{letter.origin}/{letter.state}@{instant(at)}"
        event: Event[Record] = Event(name, f"/{prefix}dlq", "dateline.deadletter", at, letter.origin, letter)
        headers, value = encode(event)
        key = letter.origin.encode()
        producer.send(DEADLETTERS.full(prefix), key=key, value=value, headers=headers, partition=0)
