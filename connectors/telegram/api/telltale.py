"""What telethon tells its log alone: messages that it threw away, and a clock that is wrong."""

import logging
from collections.abc import Callable
from typing import Literal, NamedTuple, TypeAlias

Reason: TypeAlias = Literal["unknown type", "clock", "security"]


class Told(NamedTuple):
    """Something that telethon threw away.

    Attributes:
        reason: why.
        anew: the connection will not come right by itself.
        text: what telethon said of it.
    """

    reason: Reason
    anew: bool
    text: str


_SIGNS: tuple[tuple[str, Reason, bool], ...] = (
    ("Type %08x not found", "unknown type", False),
    ("very old message", "clock", True),
    ("very new message", "clock", True),
    ("Too many messages had to be ignored", "security", True),
    ("Security error", "security", False),
)
"""A part of the message or of its template, what it means, and whether a new connection is the cure."""
_OURS = ("Automatic reconnection failed",)
"""What telethon takes for an error and we do on purpose: we connect anew ourselves."""
_SHOWN = 200


def sign_of(template: str, text: str) -> Told | None:
    """Give what a record of telethon's log means for us; none if nothing was lost."""
    for part, reason, anew in _SIGNS:
        if part in template or part in text:
            shown = template if reason == "unknown type" else text  # the text shows the bytes of a message
            return Told(reason, anew, shown[:_SHOWN])
    return None


class Telltale(logging.Handler):
    """Listens to the log of one client.

    Args:
        tell: gets what telethon threw away.
        warn: gets its other warnings, as text.
    """

    def __init__(self, tell: Callable[[Told], None], warn: Callable[[str], None]) -> None:
        super().__init__(logging.INFO)
        self._tell = tell
        self._warn = warn

    def emit(self, record: logging.LogRecord) -> None:
        """Take in a record."""
        template = str(record.msg)
        try:
            text = record.getMessage()
        except (TypeError, ValueError):
            text = template
        told = sign_of(template, text)
        if told is not None:
            self._tell(told)
        elif record.levelno >= logging.WARNING and not template.startswith(_OURS):
            self._warn(text[:_SHOWN])
