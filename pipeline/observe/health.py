"""Is this process able to do its work? One place where its parts say so."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

Doubt = Callable[[], str | None]
"""Says why a part cannot do its work now, or nothing."""


@dataclass(frozen=True, slots=True)
class Part:
    """What one part of the process says of itself."""

    ready: bool
    note: str


class Health:
    """Collects what the parts say; ready when all of them are."""

    def __init__(self, *parts: str) -> None:
        self._said = {name: Part(ready=False, note="starting") for name in parts}
        self._doubts: dict[str, Doubt] = {}

    @property
    def parts(self) -> Mapping[str, Part]:
        """What the parts said last, and what those that are asked say now."""
        asked = {name: doubt() for name, doubt in self._doubts.items()}
        return self._said | {name: Part(why is None, why or "well") for name, why in asked.items()}

    def set(self, part: str, *, ready: bool, note: str) -> None:
        """Note what a part says: whether it can do its work, and a few words for people."""
        self._said[part] = Part(ready, note)

    def ask(self, part: str, doubt: Doubt) -> None:
        """Ask a part at every look, instead of waiting for what it says."""
        self._doubts[part] = doubt

    def forget(self, part: str) -> None:
        """Take a part out: it is not ours any more."""
        self._said.pop(part, None)
        self._doubts.pop(part, None)

    @property
    def ready(self) -> bool:
        """Whether every part is ready."""
        return all(part.ready for part in self.parts.values())
