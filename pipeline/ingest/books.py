"""What ingest knows between two transactions: its seen items, checkpoints and what it could see."""

from collections.abc import Iterable
from itertools import islice

from pipeline.ingest.follow import Source
from pipeline.ingest.quarantine import Outcomes
from schemas.item import SourceLook
from schemas.records import Checkpoint, Seen

LETTERS_KEPT = 10_000
"""Origins of dead letters: some hundred bytes each, and more than all sources show at once."""


class Books:
    """The memory of one partition's units.

    A batch is entered in pencil; `settle` inks it after the commit. If the commit fails the books are thrown
    away with everything else and read again from the topics.
    """

    def __init__(self, seen: dict[str, Seen], checkpoints: dict[str, Checkpoint]) -> None:
        self.seen = seen
        self.checkpoints = checkpoints
        self.looks: dict[str, SourceLook] = {}
        self.letters: dict[str, None] = {}
        self.outcomes = Outcomes()
        self.quarantined: dict[str, str] = {}

    def bury(self, origins: Iterable[str]) -> None:
        """Remember which posts are dead letters, of the last ones: what is shown again is none again."""
        self.letters |= dict.fromkeys(origins)
        for origin in list(islice(self.letters, max(0, len(self.letters) - LETTERS_KEPT))):
            del self.letters[origin]

    def checkpoint_of(self, source: Source) -> Checkpoint | None:
        """Give where a source stands: its own checkpoint, or that of its former name."""
        config = source.config
        own = self.checkpoints.get(config.name)
        return own if own or config.renamed_from is None else self.checkpoints.get(config.renamed_from)

    def quarantine(self, source: Source, reason: str) -> None:
        """Take in that a source is in quarantine since before these books were opened."""
        known = self.checkpoint_of(source)
        self.quarantined[source.name] = reason
        complete = known.looked if known else None
        self.looks[source.name] = SourceLook(result="failed", complete=complete, reason=reason)

    def looks_of(self, sources: Iterable[Source]) -> dict[str, SourceLook]:
        """Give what could be seen of each source at its last look; one that never looked says so."""
        return {source.name: self.looks.get(source.name) or self._before(source) for source in sources}

    def _before(self, source: Source) -> SourceLook:
        known = self.checkpoint_of(source)
        return SourceLook(result="never", complete=known.looked if known else None)
