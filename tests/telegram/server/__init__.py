"""An MTProto server on loopback that an unmodified telethon talks to."""

from tests.telegram.server.accounts import Account
from tests.telegram.server.room import Room
from tests.telegram.server.serve import Served, Server

__all__ = ["Account", "Room", "Served", "Server"]
