"""An MTProto server on loopback that an unmodified telethon talks to."""

from tests.telegram.server.room import Room
from tests.telegram.server.serve import Server

__all__ = ["Room", "Server"]
