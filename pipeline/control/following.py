"""Keeping up with control.v1 in a process that runs."""

import asyncio
from typing import Final, Self

from pipeline.control.orders import Orders
from pipeline.control.topic import taken_in
from pipeline.kafka import KafkaProblem, KafkaSettings, Reader, Unreachable
from schemas.topics import CONTROL

POLL_SECONDS: Final = 1.0
AGAIN_SECONDS: Final = 1.0
RECORDS: Final = 100


class Following:
    """The orders as they stand, for several tasks at once.

    Attributes:
        orders: as last heard; a new object with each change.
    """

    def __init__(self, reader: Reader, patience: float) -> None:
        self.orders = Orders()
        self._reader = reader
        self._patience = patience
        self._heard = asyncio.Event()
        self._task = asyncio.create_task(self._listen(), name="control")

    @classmethod
    async def open(cls, settings: KafkaSettings, prefix: str) -> Self:
        """Read what there is, and go on listening.

        Raises:
            KafkaProblem: it cannot be read.
        """
        reader = await Reader.open(settings, CONTROL.full(prefix), [0])
        following = cls(reader, settings.deadline_seconds)
        try:
            await following.catch_up()
        except BaseException:
            await following.close()
            raise
        return following

    async def catch_up(self) -> None:
        """Wait until everything that readers can see on the topic now has been heard.

        Raises:
            KafkaProblem: Kafka does not answer.
        """
        end = await self._reader.end_offset(0)
        try:
            async with asyncio.timeout(self._patience):
                while self._reader.position(0) < end:
                    await self._news()
        except TimeoutError:
            raise Unreachable(f"{self._reader.topic} could not be read up to {end} in time") from None

    async def after(self, known: Orders) -> Orders:
        """Wait until the orders are others than those that the caller knows."""
        while self.orders is known:
            await self._news()
        return self.orders

    async def close(self) -> None:
        """Stop listening; never raises."""
        self._task.cancel()
        await asyncio.wait([self._task])
        await self._reader.close()

    async def _news(self) -> None:
        if self._task.done():
            self._task.result()  # a bug, for whoever waits
        await self._heard.wait()

    async def _listen(self) -> None:
        try:
            while True:
                try:
                    records = await self._reader.fetch(max_records=RECORDS, wait_seconds=POLL_SECONDS)
                except KafkaProblem:
                    await asyncio.sleep(AGAIN_SECONDS)  # who writes meets the same, and says so
                    continue
                for record in records:
                    self.orders = taken_in(self.orders, record)
                self._wake()
        finally:
            self._wake()

    def _wake(self) -> None:
        self._heard.set()
        self._heard = asyncio.Event()
