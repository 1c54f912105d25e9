"""Answers requests, pushes changes, and goes wrong when it is told to."""

import asyncio
import contextlib
import os
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Self

from telethon.crypto import AuthKey
from telethon.sessions import MemorySession
from telethon.tl import types

from tests.telegram.server.link import Link
from tests.telegram.server.room import Room

WRAPPERS = ("InvokeWithLayerRequest", "InitConnectionRequest", "InvokeWithoutUpdatesRequest")
SILENCE = "silence"
USER = 777


class Refusal(Exception):
    """An error of the API's."""


class Server:
    """A small Telegram with one account."""

    def __init__(self) -> None:
        self.rooms: dict[int, Room] = {}
        self.asked: list[str] = []
        self.mute = False
        self.skew = 0.0
        self.port = 0
        self.login_pts = 1
        self._key = AuthKey(os.urandom(256))
        self._links: set[Link] = set()
        self._faults: list[tuple[str, str, Room | None]] = []
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        self.drop()
        await asyncio.sleep(0)

    def session(self) -> MemorySession:
        """Give a session that is logged in."""
        session = MemorySession()
        session.set_dc(2, "127.0.0.1", self.port)
        session.auth_key = self._key
        return session

    def room(self, name: str) -> Room:
        """Make a channel."""
        number = 1001 + len(self.rooms)
        self.rooms[number] = Room(number, name, self._tell)
        return self.rooms[number]

    def drop(self) -> None:
        """Cut all connections."""
        for link in list(self._links):
            link.close()

    def refuse(self, name: str, error: str, *, times: int = 1, room: Room | None = None) -> None:
        """Give the next requests of a name an error."""
        self._faults += [(name, error, room)] * times

    def silence(self, name: str, *, times: int = 1, room: Room | None = None) -> None:
        """Never answer the next requests of a name."""
        self.refuse(name, SILENCE, times=times, room=room)

    def calm(self) -> None:
        """Forget what was to go wrong."""
        self._faults.clear()

    def push_raw(self, data: bytes) -> None:
        """Send bytes to everybody who is connected."""
        for link in self._links:
            if link.heard:
                link.send(data, answer=False)

    def _tell(self, update: Any, room: Room) -> None:
        if not self.mute and room.barred is None:
            now = datetime.now(UTC)
            self.push_raw(bytes(types.Updates([update], [], [room.chat()], now, 0)))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = Link(reader, writer, self._key, self.skew)
        self._links.add(link)
        try:
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
                await link.begin()
                while True:
                    for number, request in await link.requests():
                        self._take(link, number, request)
        finally:
            self._links.discard(link)
            link.close()

    def _take(self, link: Link, number: int, request: Any) -> None:
        while type(request).__name__ in WRAPPERS:
            request = request.query
        name = type(request).__name__.removesuffix("Request")
        if name in ("MsgsAck", "MsgsStateReq", "HttpWait"):
            return
        if name in ("PingDelayDisconnect", "Ping"):
            link.send(bytes(types.Pong(number, request.ping_id)), answer=True)
            return
        self.asked.append(name)
        link.heard = True
        try:
            result = self._answer(name, request)
        except Refusal as refusal:
            error = str(refusal)
            code = 420 if error.startswith("FLOOD") else 500 if error in FIVE else 400
            code = 401 if error in ("AUTH_KEY_UNREGISTERED", "SESSION_REVOKED") else code
            result = types.RpcError(code, error)
        if result is not None:
            link.answer(number, result)

    def _answer(self, name: str, request: Any) -> Any:
        room = self._room_of(request)
        for fault in self._faults:
            if fault[0] == name and fault[2] in (None, room):
                self._faults.remove(fault)
                if fault[1] == SILENCE:
                    return None
                raise Refusal(fault[1])
        if room is not None and room.barred:
            raise Refusal(room.barred)
        answers: dict[str, Callable[[], Any]] = {
            "GetConfig": self._config,
            "GetUsers": lambda: [types.User(USER, is_self=True, access_hash=1, first_name="Desk")],
            "GetState": self._state,
            "GetDifference": self._difference,
            "ResolveUsername": lambda: self._resolve(request.username),
            "GetHistory": lambda: room and room.history(request),
            "GetChannelDifference": lambda: room and room.difference(request.pts, request.limit),
            "GetMessages": lambda: room and room.these([one.id for one in request.id]),
            "JoinChannel": lambda: types.Updates([], [], [room.chat()] if room else [], datetime.now(UTC), 0),
        }
        if name not in answers:
            raise Refusal("METHOD_INVALID")
        return answers[name]()

    def _room_of(self, request: Any) -> Room | None:
        peer = getattr(request, "peer", None) or getattr(request, "channel", None)
        number = getattr(peer, "channel_id", None)
        if peer is None or number is None:
            return None
        room = self.rooms.get(number)
        if room is None or peer.access_hash != room.hash:
            raise Refusal("CHANNEL_INVALID")
        return room

    def _resolve(self, name: str) -> Any:
        for room in self.rooms.values():
            if room.name.casefold() == name.casefold():
                return types.contacts.ResolvedPeer(types.PeerChannel(room.number), [room.chat()], [])
        raise Refusal("USERNAME_NOT_OCCUPIED")

    def _state(self) -> Any:
        return types.updates.State(self.login_pts, 0, datetime.now(UTC), 1, 0)

    def _difference(self) -> Any:
        rooms = [room for room in self.rooms.values() if room.log]
        return types.updates.Difference(
            new_messages=[],
            new_encrypted_messages=[],
            other_updates=[types.UpdateChannelTooLong(room.number, room.pts) for room in rooms],
            chats=[room.chat() for room in rooms],
            users=[],
            state=self._state(),
        )

    def _config(self) -> Any:
        now = datetime.now(UTC)
        center = [types.DcOption(2, "127.0.0.1", self.port)]
        return types.Config(now, now, False, 2, center, "", *[1000] * 21, "https://t.me/", 1024, 4096, 2)


FIVE = ("PERSISTENT_TIMESTAMP_OUTDATED", "HISTORY_GET_FAILED", "INTERNAL_SERVER_ERROR", "RPC_CALL_FAIL")
