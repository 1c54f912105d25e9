"""Is this process able to do its work? One place where its parts say so."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Part:
    """What one part of the process says of itself."""

    ready: bool
    note: str


class Health:
    """Collects what the parts say; ready when all of them are."""

    def __init__(self, *parts: str) -> None:
        self.parts: dict[str, Part] = {name: Part(ready=False, note="starting") for name in parts}

    def set(self, part: str, *, ready: bool, note: str) -> None:
        """Note what a part says: whether it can do its work, and a few words for people."""
        self.parts[part] = Part(ready, note)

    def forget(self, part: str) -> None:
        """Take a part out: it is not ours any more."""
        self.parts.pop(part, None)

    @property
    def ready(self) -> bool:
        """Whether every part is ready."""
        return all(part.ready for part in self.parts.values())
