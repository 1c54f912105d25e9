"""A wire that cannot be rewound: it sends numbered posts to whoever is connected, and keeps none."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import ClassVar, Literal

from connectors.seam import Cursor, Looked, Missed, Observation, Sight, SourceConfig, SourceFailed, Unreadable
from schemas.item import Draft

KIND = "radio"
GREETING = b"on air\n"
LOOK_SECONDS = 1.0
TEXT = "Post {number} of the wire: the ferry left harbour {number} at {number} knots"


class Radio:
    """The sending side.

    Attributes:
        sent: when each post went on air, Unix time in seconds; its number is its place.
    """

    def __init__(self, posts_a_second: float) -> None:
        self.sent: list[float] = []
        self._pause = 1 / posts_a_second
        self._listeners: set[asyncio.StreamWriter] = set()

    @asynccontextmanager
    async def on_air(self) -> AsyncIterator[int]:
        """Listen and send while the block runs; give the port."""
        server = await asyncio.start_server(self._tune_in, "127.0.0.1", 0)
        port: int = server.sockets[0].getsockname()[1]
        sending = asyncio.create_task(self._send())
        try:
            yield port
        finally:
            sending.cancel()
            for listener in self._listeners:
                listener.close()
            server.close()

    async def _tune_in(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(GREETING)
        self._listeners.add(writer)
        with suppress(OSError):
            await reader.read()  # nothing is said to us; it ends when the listener hangs up
        self._listeners.discard(writer)
        writer.close()

    async def _send(self) -> None:
        loop = asyncio.get_running_loop()
        start = loop.time()
        while True:
            await asyncio.sleep(max(0.0, start + len(self.sent) * self._pause - loop.time()))
            line = f"{len(self.sent)}\n".encode()
            self.sent.append(datetime.now(UTC).timestamp())
            for listener in self._listeners:
                listener.write(line)


class RadioConfig(SourceConfig):
    """Where the radio sends."""

    kind: Literal["radio"] = "radio"
    port: int


class Listener:
    """Follows a radio. Its cursor is the time of the last post, since nothing can be asked for again."""

    kind: ClassVar[str] = KIND
    normaliser: ClassVar[int] = 1
    recorded: ClassVar[bool] = False

    def __init__(self, config: RadioConfig) -> None:
        self.config = config

    async def observe(self, cursor: Cursor | None) -> AsyncGenerator[Sight]:
        """Yield what is on air from now on; what was before, since the cursor, is missed.

        Raises:
            SourceFailed: it does not send.
        """
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.config.port)
            await reader.readline()  # before it is greeted nobody sends to it: the gap goes on until then
        except OSError as problem:
            raise SourceFailed(f"port {self.config.port} does not send: {problem}") from problem
        now = datetime.now(UTC)
        if cursor is not None:
            since = datetime.fromisoformat(cursor["at"])
            yield Missed(since, now, "the wire was not heard, and sends nothing twice")
        yield Looked({"at": now.isoformat()})
        try:
            async with aclosing(self._heard(reader)) as sights:
                async for sight in sights:
                    yield sight
        finally:
            writer.close()
        raise SourceFailed("the wire hung up")

    async def _heard(self, reader: asyncio.StreamReader) -> AsyncGenerator[Sight]:
        loop = asyncio.get_running_loop()
        looked = loop.time()
        while line := await reader.readline():
            cursor = {"at": datetime.now(UTC).isoformat()}
            yield Observation(line.strip(), "text/plain", f"radio/{line.decode().strip()}", cursor)
            if loop.time() - looked > LOOK_SECONDS:
                looked = loop.time()
                yield Looked(cursor)

    def normalise(self, observation: Observation) -> Draft:
        """Make a draft of a number.

        Raises:
            Unreadable: it is none.
        """
        number = observation.data.decode()
        if not number.isdigit():
            raise Unreadable(f"{observation.place}: no number: {number!r}")
        text = TEXT.format(number=number)
        return Draft(item_id=f"radio/{number}", source="radio", native_id=number, sequence=number, text=text)
