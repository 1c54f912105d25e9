"""What ingest knows between two transactions: its seen items, checkpoints and what it could see."""

from collections.abc import Iterable

from pipeline.ingest.follow import Source
from schemas.item import SourceLook
from schemas.records import Checkpoint, Seen


class Books:
    """The memory of one partition's units.

    A batch is entered in pencil; `settle` inks it after the commit. If the commit fails the books are thrown
    away with everything else and read again from the topics.
    """

    def __init__(self, seen: dict[str, Seen], checkpoints: dict[str, Checkpoint]) -> None:
        self.seen = seen
        self.checkpoints = checkpoints
        self.looks: dict[str, SourceLook] = {}

    def checkpoint_of(self, source: Source) -> Checkpoint | None:
        """Give where a source stands: its own checkpoint, or that of its former name."""
        config = source.config
        own = self.checkpoints.get(config.name)
        return own if own or config.renamed_from is None else self.checkpoints.get(config.renamed_from)

    def looks_of(self, sources: Iterable[Source]) -> dict[str, SourceLook]:
        """Give what could be seen of each source at its last look; one that never looked says so."""
        return {source.name: self.looks.get(source.name) or self._before(source) for source in sources}

    def _before(self, source: Source) -> SourceLook:
        known = self.checkpoint_of(source)
        return SourceLook(result="never", complete=known.looked if known else None)
