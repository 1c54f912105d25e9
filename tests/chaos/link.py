"""A TCP link that can break: a proxy before one broker, for one machine."""

import asyncio
import socket
import struct
from asyncio import StreamReader, StreamWriter
from contextlib import suppress
from typing import Self

HOST = "127.0.0.1"
CHUNK = 65_536
AT_ONCE = struct.pack("ii", 1, 0)


class Link:
    """Passes bytes on, both ways, until it is broken.

    What is held back is delivered late when the link heals, even if the sender has given up: so do packets
    that were on their way.

    Attributes:
        port: where it listens.
    """

    def __init__(self, broker: int) -> None:
        self.port = 0
        self._broker = broker
        self._whole = True
        self._requests = asyncio.Event()
        self._answers = asyncio.Event()
        self._writers: set[StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.heal()

    async def __aenter__(self) -> Self:
        """Listen."""
        self._server = await asyncio.start_server(self._accept, HOST, 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        """Let go of everything."""
        self._server.close()
        self.cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self) -> None:
        """Reset all connections and take no new ones."""
        self._whole = False
        for writer in self._writers:
            reset(writer)

    def hold(self, *, requests: bool) -> None:
        """Pass nothing on: half-open. Without `requests` only answers are held back: one-sided."""
        if requests:
            self._requests.clear()
        self._answers.clear()

    def heal(self) -> None:
        """Be whole again."""
        self._whole = True
        self._requests.set()
        self._answers.set()

    async def _accept(self, reader: StreamReader, writer: StreamWriter) -> None:
        if not self._whole:
            reset(writer)
            return
        try:
            far_reader, far_writer = await asyncio.open_connection(HOST, self._broker)
        except OSError:
            reset(writer)
            return
        self._writers |= {writer, far_writer}
        for pump in (
            self._pump(reader, far_writer, self._requests),
            self._pump(far_reader, writer, self._answers),
        ):
            task = asyncio.create_task(pump)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _pump(self, reader: StreamReader, writer: StreamWriter, gate: asyncio.Event) -> None:
        with suppress(OSError):
            while data := await reader.read(CHUNK):
                await gate.wait()
                writer.write(data)
                await writer.drain()
        await gate.wait()
        writer.close()
        self._writers.discard(writer)


def reset(writer: StreamWriter) -> None:
    """End a connection with a reset, not in good order."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
    writer.transport.abort()
