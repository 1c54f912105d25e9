"""Takes requests and pushes changes, and goes wrong when it is told to."""

import asyncio
import contextlib
import struct
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

from telethon.crypto import AuthKey
from telethon.sessions import MemorySession
from telethon.tl import types

from tests.telegram.server.accounts import Account
from tests.telegram.server.exchange import trust
from tests.telegram.server.faults import CUT, SILENCE, Fault, Faults, Refusal, code_of, short
from tests.telegram.server.link import Link
from tests.telegram.server.methods import Methods, for_account
from tests.telegram.server.room import Room

WRAPPERS = (
    *("InvokeWithLayerRequest", "InitConnectionRequest", "InvokeWithoutUpdatesRequest"),
    "InvokeAfterMsgRequest",
)
SALT = 0x5A17


@dataclass(frozen=True, slots=True)
class Served:
    """A request that there was.

    Attributes:
        at: seconds of the epoch, by the machine's clock.
        name: `GetHistory`.
        room: the channel that it is about.
        account: whose it is.
        outcome: `answered`, or what went wrong.
        request: itself.
    """

    at: float
    name: str
    room: Room | None
    account: Account
    outcome: str
    request: Any


class Server:
    """A small Telegram, with one account to begin with.

    Attributes:
        rooms: the channels, by number.
        accounts: those who may use it.
        asked: names of all requests so far.
        served: all requests so far.
        mute: changes are made and not pushed.
        far: seconds that an answer is on its way.
        skew: seconds that the clock of connections made from now on is ahead.
        login_pts: the count that an account's own updates have.
        account_too_long: what an account missed is too much to be told.
        silent: nothing at all is answered.
        half_dead: nothing but pings is answered.
        trouble: what the transport says to every packet, -404 or -429.
        single: a key that two connections use at once is dead from then on.
        bugs: exceptions of the server's own; the first is raised at its end, so that no test hangs over one.
        truth: all changes of all channels, when they were made (seconds of the epoch, machine's clock).
    """

    def __init__(self) -> None:
        self.rooms: dict[int, Room] = {}
        self.accounts = [Account()]
        self.asked: list[str] = []
        self.served: list[Served] = []
        self.truth: list[tuple[float, Room, Any]] = []
        self.bugs: list[Exception] = []
        self.mute = self.silent = self.half_dead = self.single = self.account_too_long = False
        self.trouble: int | None = None
        self.skew = self.far = 0.0
        self.port = 0
        self.login_pts = 1
        self._links: set[Link] = set()
        self._faults = Faults()
        self._asking = self.accounts[0]
        self._key = self.accounts[0].key
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
        if self.bugs:
            raise AssertionError(f"the small Telegram itself failed: {self.bugs[0]!r}") from self.bugs[0]

    def session(self, account: Account | None = None) -> MemorySession:
        """Give a session that is logged in."""
        return (account or self.accounts[0]).session(self.port)

    def blank(self) -> MemorySession:
        """Give a session without a key: the client has to make one, and is then not logged in."""
        trust()
        session = MemorySession()
        session.set_dc(2, "127.0.0.1", self.port)
        return session

    def account(self, user: int) -> Account:
        """Make one more account."""
        self.accounts.append(Account(user, len(self.accounts)))
        return self.accounts[-1]

    def room(self, name: str) -> Room:
        """Make a channel."""
        number = 1001 + len(self.rooms)
        self.rooms[number] = Room(number, name, self._tell)
        return self.rooms[number]

    def drop(self, account: Account | None = None) -> None:
        """Cut all connections, or those of an account."""
        for link in list(self._links):
            if account is None or getattr(link, "account", None) is account:
                link.close()

    def refuse(
        self,
        name: str,
        error: str,
        *,
        times: int = 1,
        room: Room | None = None,
        account: Account | None = None,
    ) -> None:
        """Give the next requests of a name an error; `messages.getHistory` is `GetHistory`, `*` is any."""
        self._faults.add(Fault(short(name), error, room, account), times)

    def silence(self, name: str, *, times: int = 1, room: Room | None = None) -> None:
        """Never answer the next requests of a name."""
        self.refuse(name, SILENCE, times=times, room=room)

    def cut(self, name: str, *, times: int = 1, room: Room | None = None) -> None:
        """Cut the connection instead of answering the next requests of a name."""
        self.refuse(name, CUT, times=times, room=room)

    def calm(self) -> None:
        """Forget what was to go wrong."""
        self._faults.clear()

    def push_raw(self, data: bytes) -> None:
        """Send bytes to everybody who is connected."""
        for link in self._hearing():
            link.send(data, answer=False)

    def push_unknown(self, constructor: int = 0x020B1422) -> None:
        """Send everybody an update of a type that no layer of theirs has."""
        self.push_raw(struct.pack("<II", constructor, 7))

    def _tell(self, update: Any, room: Room) -> None:
        self.truth.append((time.time(), room, update))
        if self.mute or room.mute or room.barred is not None:
            return
        if room.delay:
            asyncio.get_running_loop().call_later(room.delay, self._push, update, room)
        else:
            self._push(update, room)

    def _push(self, update: Any, room: Room) -> None:
        for link in self._hearing():
            if room.tells(link.account.user):
                updates = types.Updates([update], [], [room.chat()], datetime.now(UTC), 0)
                link.send(bytes(for_account(updates, link.account)), answer=False)

    def _hearing(self) -> list[Link]:
        if self.silent or self.half_dead:
            return []
        return [link for link in self._links if link.heard]

    def _made(self, key: AuthKey) -> None:
        self.accounts.append(Account(0, len(self.accounts), key, dead="AUTH_KEY_UNREGISTERED"))

    def _find(self, key: int) -> Account | None:
        known = (one for one in self.accounts if not one.forgotten)
        return next((one for one in known if one.key.key_id == key), None)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = Link(reader, writer, self._find, skew=self.skew, salt=SALT, made=self._made)
        self._links.add(link)
        try:
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
                await link.begin()
                while True:
                    for number, request in await link.requests():
                        if self.trouble is not None:
                            link.trouble(self.trouble)
                        elif not self.silent:
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
        if self.half_dead:
            return
        if self.single and any(one.account is link.account for one in self._links - {link}):
            link.account.dead = "AUTH_KEY_DUPLICATED"
        self._asking = link.account
        self.asked.append(name)
        link.account.asked.append(name)
        link.heard = link.account.dead is None
        outcome = "answered"
        try:
            self._reply(link, number, self._answer(name, request))
        except Refusal as refusal:
            outcome = str(refusal)
            if outcome == CUT:
                link.close()
            elif outcome != SILENCE:
                self._reply(link, number, types.RpcError(code_of(outcome), outcome))
        except Exception as bug:  # noqa: BLE001  # telethon would connect anew and ask for it for ever
            self.bugs.append(bug)
            outcome = f"SERVER_BUG_{type(bug).__name__}"
            self._reply(link, number, types.RpcError(400, outcome))
        room = self.rooms.get(_number_of(request))
        self.served.append(Served(time.time(), name, room, link.account, outcome, request))

    def _reply(self, link: Link, number: int, answer: Any) -> None:
        if self.far:
            asyncio.get_running_loop().call_later(self.far, link.answer, number, answer)
        else:
            link.answer(number, answer)

    def _answer(self, name: str, request: Any) -> Any:
        account = self._asking
        methods = Methods(self.rooms, self.port, account, self.login_pts, too_long=self.account_too_long)
        if account.dead is not None and name != "GetConfig":
            raise Refusal(account.dead)
        peer = getattr(request, "peer", None) or getattr(request, "channel", None)
        room = methods.room_of(peer)
        error = self._faults.take(name, room, account)
        if error is not None:
            raise Refusal(error)
        if room is not None and room.barred:
            raise Refusal(room.barred)
        return methods.answer(name, request, room)


def _number_of(request: Any) -> int:
    peer = getattr(request, "peer", None) or getattr(request, "channel", None)
    number: int = getattr(peer, "channel_id", None) or 0
    return number
