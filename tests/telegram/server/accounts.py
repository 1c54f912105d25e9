"""Who uses the server."""

import os
from dataclasses import dataclass, field

from telethon.crypto import AuthKey
from telethon.sessions import MemorySession

USER = 777
APART = 1_000_000


@dataclass(eq=False)
class Account:
    """An account; its session is the key that it made once.

    Attributes:
        user: its number.
        index: the how manieth it is.
        key: what its messages are encrypted with.
        dead: the error that every request gets, `AUTH_KEY_UNREGISTERED` for one that is not logged in.
        forgotten: the server does not know the key, and says so with -404.
        pts: the count of the account itself, which no channel has to do with.
        asked: names of its requests so far.
    """

    user: int = USER
    index: int = 0
    key: AuthKey = field(default_factory=lambda: AuthKey(os.urandom(256)))
    dead: str | None = None
    forgotten: bool = False
    pts: int = 1
    asked: list[str] = field(default_factory=list)

    def hash_of(self, hash_: int) -> int:
        """Give the access hash that this account has for what the first one has `hash_` for."""
        return hash_ + self.index * APART

    def session(self, port: int) -> MemorySession:
        """Give a session with the key."""
        session = MemorySession()
        session.set_dc(2, "127.0.0.1", port)
        session.auth_key = self.key
        return session
