"""Which dead letters of our sources are to be tried again, as operators mark them on deadletters.v1."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from structlog.typing import FilteringBoundLogger

from pipeline.ingest.again import Again, observation, source_of
from pipeline.ingest.follow import Queue, Sighted, Source
from pipeline.kafka import KafkaProblem, KafkaRecord, KafkaSettings, Reader
from schemas.cloudevents import decode
from schemas.records import DeadLetter
from schemas.topics import DEADLETTERS

POLL_SECONDS: Final = 5.0
AGAIN_SECONDS: Final = 5.0
RECORDS: Final = 100
REQUESTED: Final = b'"state":"requested"'
"""As `Record.dump` spells it; few letters have it, and only those are read."""


async def hear_requests(
    sources: Sequence[Source], queue: Queue, settings: KafkaSettings, prefix: str, log: FilteringBoundLogger
) -> None:
    """Put what is to be tried again on the queue, each request once, until cancelled.

    It begins with what a desk before this one has left undone.
    """
    heard: set[tuple[str, str]] = set()
    while True:
        try:
            reader = await Reader.open(settings, DEADLETTERS.full(prefix), [0])
            try:
                newest: dict[bytes | None, KafkaRecord] = {}
                async for records in reader.read_to_end():
                    _newer(newest, records)
                while True:
                    for again in _requests(newest.values()):
                        source = _owner(again.letter, sources)
                        request = (again.letter.origin, str(again.letter.marked))
                        if source is not None and request not in heard:
                            heard.add(request)
                            await queue.put(Sighted(source, again))
                    newest = {}
                    _newer(newest, await reader.fetch(max_records=RECORDS, wait_seconds=POLL_SECONDS))
            finally:
                await reader.close()
        except KafkaProblem as problem:
            log.warning("requests to retry cannot be heard", reason=str(problem))
            await asyncio.sleep(AGAIN_SECONDS)


def _newer(newest: dict[bytes | None, KafkaRecord], records: Iterable[KafkaRecord]) -> None:
    """Keep the newest record of each origin, as long as it is a request."""
    for record in records:
        newest.pop(record.key, None)
        if record.value is not None and REQUESTED in record.value:
            newest[record.key] = record


def _requests(records: Iterable[KafkaRecord]) -> Iterator[Again]:
    for record in records:
        try:
            letter = decode(record.headers, record.value, DEADLETTERS.types).data
            if isinstance(letter, DeadLetter) and letter.state == "requested":
                yield Again(letter, observation(letter))
        except ValueError:  # no event, no letter or no whole post: another version wrote it, or a stranger
            continue


def _owner(letter: DeadLetter, sources: Sequence[Source]) -> Source | None:
    name = source_of(letter) if letter.stage == "ingest" else None
    return next((one for one in sources if name in (one.name, one.config.renamed_from) and name), None)
