"""One TCP connection: frames, encryption, salts, clocks, containers and acknowledgements."""

import asyncio
import contextlib
import os
import struct
import time
from asyncio import StreamReader, StreamWriter
from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import Any
from zlib import crc32

from telethon.crypto import AES, AuthKey
from telethon.extensions import BinaryReader
from telethon.network.mtprotostate import MTProtoState
from telethon.tl import types
from telethon.tl.core import GzipPacked, MessageContainer
from telethon.tl.core.tlmessage import TLMessage

from tests.telegram.server.accounts import Account
from tests.telegram.server.exchange import Exchange

RPC_RESULT = 0xF35C6D01
CONTAINER = 0x73F1F8DC
VECTOR = 0x1CB5C415
NO_KEY, FLOODED = -404, -429
TOO_LOW, TOO_HIGH, BAD_SALT = 16, 17, 48
OLD_SECONDS, NEW_SECONDS = 300, 30
FULL = 100
NOBODY = Account(0)
SMALL = 2000


class Link:
    """What the server has of one client.

    Attributes:
        account: whose it is, by the key that the client encrypts with.
        skew: how far its clock is ahead (s).
        session: the client's own number for this connection.
        heard: whether the client asked for anything yet; only then is it told of changes.
        ended: when it was cut (seconds of the epoch); infinity before.
    """

    def __init__(
        self,
        reader: StreamReader,
        writer: StreamWriter,
        find: Callable[[int], Account | None],
        *,
        skew: float,
        salt: int,
        made: Callable[[AuthKey], None] = lambda _: None,
    ) -> None:
        self._reader, self._writer = reader, writer
        self._find, self._salt, self._made = find, salt, made
        self._loop = asyncio.get_running_loop()
        self._exchange = Exchange(self._clock)
        self._full, self._head = False, b""
        self._sent = self._said = self._last = 0
        self._out: list[tuple[int, int, bytes]] = []
        self._due: list[int] = []
        self.skew = skew
        self.account: Account = NOBODY
        self.session = 0
        self.heard = False
        self.ended = float("inf")

    async def begin(self) -> None:
        """Find out how the client frames its packets."""
        first = await self._reader.readexactly(1)
        self._full = first != b"\xef"
        self._head = first if self._full else b""

    async def requests(self) -> list[tuple[int, Any]]:
        """Wait for the next packet and give the messages in it, with their numbers.

        Raises:
            ConnectionError: it was encrypted with a key that the server does not know.
        """
        packet = await self._read()
        (key,) = struct.unpack("<Q", packet[:8])
        if key == 0:
            self._plain(BinaryReader(packet[20:]).tgread_object())
            return []
        account = self._find(key)
        if account is None:
            self.trouble(NO_KEY)
            raise ConnectionError("a key that the server does not know")
        self.account = account
        return list(self._open(packet))

    def send(self, body: bytes, *, answer: bool, content: bool = True) -> None:
        """Send one message; with others of the same turn of the loop it goes in one container."""
        number = self._number(answer=answer)
        if not self._out:
            self._loop.call_soon(self._flush)
        self._out.append((number, self._said * 2 + content, body))
        self._said += content

    def answer(self, request: int, result: Any) -> None:
        """Answer a request."""
        if isinstance(result, list):
            data = struct.pack("<Ii", VECTOR, len(result)) + b"".join(bytes(one) for one in result)
        else:
            data = bytes(result)
        if len(data) > SMALL:
            data = bytes(GzipPacked(data))
        self.send(struct.pack("<Iq", RPC_RESULT, request) + data, answer=True)

    def _flush(self) -> None:
        if self._due:
            acks = types.MsgsAck(self._due[:])
            self._due.clear()
            self.send(bytes(acks), answer=False, content=False)
        out, self._out = self._out, []
        for start in range(0, len(out), FULL):
            self._seal(*self._contain(out[start : start + FULL]))

    def _contain(self, out: list[tuple[int, int, bytes]]) -> tuple[int, int, bytes]:
        if len(out) == 1:
            return out[0]
        parts = [struct.pack("<qii", number, seq, len(body)) + body for number, seq, body in out]
        whole = struct.pack("<Ii", CONTAINER, len(parts)) + b"".join(parts)
        return self._number(answer=False), self._said * 2, whole

    def trouble(self, code: int) -> None:
        """Say that something is wrong with the connection itself."""
        if self._full and code == FLOODED:  # as it was seen: without a frame around it
            self._writer.write(struct.pack("<iii", code, code, code))
        else:
            self._write(struct.pack("<i", code))

    def close(self) -> None:
        """Cut the connection."""
        self.ended = min(self.ended, time.time())
        with contextlib.suppress(Exception):
            self._writer.transport.abort()

    def _plain(self, request: Any) -> None:
        body = bytes(self._exchange.answer(request))
        if self._exchange.key is not None:
            self._made(self._exchange.key)
        self._write(struct.pack("<qqi", 0, self._number(answer=True), len(body)) + body)

    def _clock(self) -> float:
        return time.time() + self.skew

    def _number(self, *, answer: bool) -> int:
        kind = 1 if answer else 3
        self._last = max((int(self._clock() * 2**32) & ~3) | kind, (self._last & ~3) + 4 | kind)
        return self._last

    def _seal(self, number: int, seq: int, body: bytes) -> None:
        secret: bytes = self.account.key.key
        plain = struct.pack("<qqqii", self._salt, self.session, number, seq, len(body)) + body
        plain += os.urandom(-(len(plain) + 12) % 16 + 12)
        tag = sha256(secret[96:128] + plain).digest()[8:24]
        key, vector = MTProtoState._calc_key(secret, tag, False)
        self._write(struct.pack("<Q", self.account.key.key_id) + tag + AES.encrypt_ige(plain, key, vector))

    def _open(self, packet: bytes) -> Iterator[tuple[int, Any]]:
        secret: bytes = self.account.key.key
        tag = packet[8:24]
        key, vector = MTProtoState._calc_key(secret, tag, True)
        plain = AES.decrypt_ige(packet[24:], key, vector)
        if sha256(secret[88:120] + plain).digest()[8:24] != tag:
            raise ConnectionError("a packet that was changed on its way")
        salt, session, number, seq, length = struct.unpack("<qqqii", plain[:32])
        new, self.session = session != self.session, session
        if (code := self._wrong(number)) is not None:
            self._reject(types.BadMsgNotification(number, seq, code))
            return
        if salt != self._salt:
            self._reject(types.BadServerSalt(number, seq, BAD_SALT, self._salt))
            return
        if new:
            created = types.NewSessionCreated(number, session & 2**62 - 1, self._salt)
            self.send(bytes(created), answer=False)
        for one, body, counts in _unpack(number, seq, BinaryReader(plain[32 : 32 + length]).tgread_object()):
            if counts:
                self._due.append(one)
            yield one, body

    def _reject(self, why: Any) -> None:
        self.send(bytes(why), answer=False, content=False)

    def _wrong(self, number: int) -> int | None:
        behind = self._clock() - (number >> 32)
        return TOO_LOW if behind > OLD_SECONDS else TOO_HIGH if -behind > NEW_SECONDS else None

    async def _read(self) -> bytes:
        if self._full:
            head = self._head + await self._reader.readexactly(8 - len(self._head))
            self._head = b""
            length = struct.unpack("<i", head[:4])[0]
            return (await self._reader.readexactly(length - 8))[:-4]
        size = (await self._reader.readexactly(1))[0]
        if size == 127:
            size = int.from_bytes(await self._reader.readexactly(3), "little")
        return await self._reader.readexactly(size * 4)

    def _write(self, data: bytes) -> None:
        if self._full:
            data = struct.pack("<ii", len(data) + 12, self._sent) + data
            data += struct.pack("<I", crc32(data))
        else:
            size = len(data) >> 2
            data = (bytes([size]) if size < 127 else b"\x7f" + size.to_bytes(3, "little")) + data
        self._sent += 1
        if not self._writer.is_closing():
            self._writer.write(data)


def _unpack(number: int, seq: int, found: Any) -> Iterator[tuple[int, Any, bool]]:
    if isinstance(found, MessageContainer):
        for one in found.messages:
            assert isinstance(one, TLMessage)
            yield from _unpack(one.msg_id, one.seq_no, one.obj)
    elif isinstance(found, GzipPacked):
        yield from _unpack(number, seq, BinaryReader(found.data).tgread_object())
    else:
        yield number, found, bool(seq & 1)
