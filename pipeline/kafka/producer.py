"""The transactional producer."""

import asyncio
import logging
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from functools import partial
from typing import Final, Self

from pipeline.failpoints import Reach, pass_by
from pipeline.kafka.batches import Headers, Send, Slot, pack
from pipeline.kafka.errors import KafkaProblem, OutcomeUnknown, Refused
from pipeline.kafka.settings import KafkaSettings
from pipeline.kafka.transaction import Transaction
from pipeline.kafka.wire import Wire

LOG = logging.getLogger(__name__)

PARTING_SECONDS: Final = 2.0
"""How long an abort may take when the producer is closed or already lost: it only spares readers a wait."""


class Producer:
    """Writes records to several topics and offsets of a group, all of them or none. One task uses it.

    `begin`, any number of `send`, then `commit` or `abort`. After Fenced, Unreachable, OutcomeUnknown or a
    cancelled call it is lost: `begin` raises, and only `close` makes sense. After Refused it is good for the
    next transaction, once this one is aborted.
    """

    def __init__(self, wire: Wire, transaction: Transaction, reach: Reach = pass_by) -> None:
        self._wire = wire
        self._reach = reach
        self._transaction = transaction
        self._loop = asyncio.get_running_loop()
        self._queue: list[Send] = []
        self._partitions: dict[str, int] = {}
        self._open = False
        self._lost: KafkaProblem | None = None

    @classmethod
    async def open(
        cls,
        settings: KafkaSettings,
        transactional_id: str,
        *,
        writes: Iterable[Slot] = (),
        group: str | None = None,
        reach: Reach = pass_by,
    ) -> Self:
        """Fence older producers of the id and abort what they left open; then it is time to read.

        Args:
            settings: where the cluster is.
            transactional_id: who we are.
            writes: all partitions that producers of this id write to; a broker that lost the end of their
                last transaction in one of them is told it again.
            group: whose offsets they commit, likewise.
            reach: is told the steps.

        Raises:
            Unreachable: Kafka does not answer.
            Refused: we may not.
        """
        async with AsyncExitStack() as undo:
            wire = Wire(settings)
            undo.push_async_callback(wire.close)
            transaction = Transaction(wire, transactional_id)
            until = wire.deadline()
            await transaction.init(settings.transaction_timeout_ms, until, writes=writes, group=group)
            undo.pop_all()
            return cls(wire, transaction, reach)

    async def begin(self) -> None:
        """Begin a transaction. Costs nothing: the broker hears of it with the first records.

        Raises:
            KafkaProblem: the one by which this producer was lost.
            RuntimeError: the last transaction was not ended.
        """
        if self._lost is not None:
            raise self._lost
        if self._open:
            raise RuntimeError("the last transaction was neither committed nor aborted")
        self._open = True

    def send(
        self,
        topic: str,
        *,
        key: bytes | None,
        value: bytes | None,
        headers: Headers,
        partition: int | None = None,
    ) -> asyncio.Future[int]:
        """Queue a record for the next flush or commit.

        Args:
            topic: its full name.
            key: of the record.
            value: of the record; none is a tombstone.
            headers: names and bytes.
            partition: by default chosen by the key as Kafka's own producers do; the first without a key.

        Returns:
            The record's offset, known after the flush. It may be left unheeded.

        Raises:
            RuntimeError: outside of a transaction.
        """
        if not self._open:
            raise RuntimeError("send belongs between begin and commit")
        future = self._loop.create_future()
        self._queue.append((topic, partition, key, value, headers, future))
        return future

    async def flush(self) -> None:
        """Deliver what was sent; afterwards all offsets are known. Readers see nothing before the commit.

        Raises:
            Fenced: the broker no longer accepts us.
            Unreachable: not within the deadline.
            Refused: a record is too large, a topic missing, or the like: abort.
        """
        with self._at_risk():
            await self._flush(self._wire.deadline())

    async def commit(self, *, group: str | None = None, offsets: Mapping[Slot, int] | None = None) -> None:
        """Deliver what was sent and make it visible, and the group's offsets with it.

        Args:
            group: whose offsets.
            offsets: the next offset to read, by full topic name and partition.

        Raises:
            OutcomeUnknown: the commit was sent and not answered.
            Fenced: the broker no longer accepts us; nothing was committed.
            Unreachable: not within the deadline; nothing was committed.
            Refused: a record is too large, a topic missing, or the like: abort.
            RuntimeError: no transaction was begun.
        """
        if not self._open:
            raise RuntimeError("no transaction was begun")
        until = self._wire.deadline()
        with self._at_risk():
            await self._flush(until)
            self._reach("commit.delivered")
            if group is not None and offsets:
                await self._transaction.add_offsets(group, offsets, until)
                self._reach("commit.offsets")
            self._reach("commit.ending")
            await self._transaction.end(until, commit=True)
            self._reach("commit.ended")
        self._open = False

    async def abort(self) -> None:
        """Drop the transaction, if there is one; never raises. What was sent is never seen."""
        await self._abort(PARTING_SECONDS if self._lost else None)

    async def close(self) -> None:
        """Abort what is open and let go of the connections; never raises, and ends within seconds."""
        try:
            await self._abort(PARTING_SECONDS)
        finally:
            await self._wire.close()

    async def _abort(self, seconds: float | None) -> None:
        if not self._open:
            return
        self._open = False
        _fail(self._queue, KafkaProblem("the transaction was aborted"))
        self._queue = []
        try:
            await self._transaction.end(self._wire.deadline(seconds), commit=False)
        except KafkaProblem as problem:
            # The next producer's init aborts it, or else the broker after the transaction's timeout.
            LOG.debug("the abort of a transaction was not confirmed: %s", problem)
            self._lost = self._lost or problem

    async def _flush(self, until: float) -> None:
        queue, self._queue = self._queue, []
        try:
            await self._learn(dict.fromkeys(send[0] for send in queue), until)
            batches = pack(queue, self._partitions, int(time.time() * 1000))
            await self._transaction.add_partitions((batch.slot for batch in batches), until)
            await self._transaction.produce(batches, until)
        except BaseException as problem:
            _fail(queue, problem if isinstance(problem, KafkaProblem) else KafkaProblem("not delivered"))
            raise

    async def _learn(self, topics: Iterable[str], until: float) -> None:
        for topic in topics:
            if topic not in self._partitions:
                look = partial(self._wire.partitions, topic)
                self._partitions[topic] = await self._wire.persist(f"tell of {topic}", look, until)

    @contextmanager
    def _at_risk(self) -> Iterator[None]:
        """Remember that the producer is lost when what happens inside leaves its state in doubt."""
        try:
            yield
        except Refused:
            raise
        except KafkaProblem as problem:
            self._lost = problem
            raise
        except BaseException:
            self._lost = OutcomeUnknown("a call was cancelled or failed half way: open a new producer")
            raise


def _fail(queue: Iterable[Send], problem: KafkaProblem) -> None:
    for send in queue:
        future = send[-1]
        if not future.done():
            future.set_exception(problem)
            future.exception()  # Heeded here, so that a caller need not
