"""How the local broker tells what it is doing, without knowing of any terminal."""

from typing import Protocol


class Progress(Protocol):
    """Somebody who watches a start or a stop."""

    def step(self, doing: str, done: int = 0, total: int = 0) -> None:
        """Say what is being done now; `total` 0 means that its length is not known."""

    def note(self, message: str) -> None:
        """Say something that should stay on the screen."""


class Silent:
    """A `Progress` that says nothing."""

    def step(self, doing: str, done: int = 0, total: int = 0) -> None:
        """Say nothing."""

    def note(self, message: str) -> None:
        """Say nothing."""
