"""One TCP connection: frames, encryption, containers and acknowledgements."""

import asyncio
import contextlib
import gzip
import os
import struct
import time
from collections.abc import Iterator
from hashlib import sha256
from typing import Any
from zlib import crc32

from telethon.crypto import AES, AuthKey
from telethon.extensions import BinaryReader
from telethon.network.mtprotostate import MTProtoState
from telethon.tl.core import GzipPacked, MessageContainer
from telethon.tl.core.tlmessage import TLMessage

RPC_RESULT = 0xF35C6D01
VECTOR = 0x1CB5C415


class Link:
    """What the server has of one client."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, key: AuthKey, skew: float
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._key = key
        self.skew = skew
        self._full = False
        self._sent = 0
        self._session = 0
        self._last = 0
        self.heard = False

    async def requests(self) -> Iterator[tuple[int, Any]]:
        """Wait for the next packet and give the messages in it."""
        packet = await self._read()
        return iter(list(self._open(packet)))

    async def begin(self) -> None:
        """Find out how the client frames its packets."""
        first = await self._reader.readexactly(1)
        if first != b"\xef":
            self._full = True
            self._head = first

    def send(self, body: bytes, *, answer: bool) -> None:
        """Send one message."""
        now = time.time() + self.skew
        number = (int(now * 2**32) & ~3) | (1 if answer else 3)
        number = max(number, (self._last & ~3) + 4 | (number & 3))
        self._last = number
        plain = struct.pack("<qqqii", 0, self._session, number, 1, len(body)) + body
        plain += os.urandom(-(len(plain) + 12) % 16 + 12)
        tag = sha256(self._key.key[96:128] + plain).digest()[8:24]
        key, vector = MTProtoState._calc_key(self._key.key, tag, False)
        self._write(struct.pack("<Q", self._key.key_id) + tag + AES.encrypt_ige(plain, key, vector))

    def answer(self, request: int, result: Any) -> None:
        """Answer a request."""
        if isinstance(result, list):
            data = struct.pack("<Ii", VECTOR, len(result)) + b"".join(bytes(one) for one in result)
        else:
            data = bytes(result)
        if len(data) > 2000:
            data = bytes(GzipPacked(data))
        self.send(struct.pack("<Iq", RPC_RESULT, request) + data, answer=True)

    def close(self) -> None:
        """Cut the connection."""
        with contextlib.suppress(Exception):
            self._writer.transport.abort()

    def _open(self, packet: bytes) -> Iterator[tuple[int, Any]]:
        tag = packet[8:24]
        key, vector = MTProtoState._calc_key(self._key.key, tag, True)
        plain = AES.decrypt_ige(packet[24:], key, vector)
        _, self._session, number, _, length = struct.unpack("<qqqii", plain[:32])
        yield from _unpack(number, BinaryReader(plain[32 : 32 + length]).tgread_object())

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


def _unpack(number: int, found: Any) -> Iterator[tuple[int, Any]]:
    if isinstance(found, MessageContainer):
        for one in found.messages:
            assert isinstance(one, TLMessage)
            yield from _unpack(one.msg_id, one.obj)
    elif isinstance(found, GzipPacked):
        data = found.data if isinstance(found.data, bytes) else gzip.decompress(found.data)
        yield from _unpack(number, BinaryReader(data).tgread_object())
    else:
        yield number, found
