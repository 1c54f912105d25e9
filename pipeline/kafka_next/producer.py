"""The transactional producer."""

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any, Final, Self

from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    BrokerResponseError,
    InvalidProducerEpoch,
    InvalidProducerIdMapping,
    InvalidTxnState,
    KafkaError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    OutOfOrderSequenceNumber,
    ProducerFenced,
    UnknownProducerId,
)
from aiokafka.structs import TopicPartition

from pipeline.kafka_next.batches import BATCH_BYTES, Batch, Headers, Send, pack
from pipeline.kafka_next.client import (
    Slot,
    deadline,
    end,
    heed,
    options,
    partitions_of,
    persist,
    refused,
    started,
    unreachable,
)
from pipeline.kafka_next.errors import Fenced, KafkaProblem, OutcomeUnknown, Refused
from pipeline.kafka_next.settings import KafkaSettings

LOG = logging.getLogger(__name__)

PARTING_SECONDS: Final = 2.0
"""How long an abort may take when the producer is closed or already lost: it only spares readers a wait."""

BACKOFF_MS: Final = 10
"""Before a request is repeated. With aiokafka's 100 ms, every commit at a low rate takes that long."""

LAST_SEQUENCE: Final = 0x7FFFFFFF

_FENCED = (
    InvalidProducerEpoch,
    InvalidProducerIdMapping,
    InvalidTxnState,
    OutOfOrderSequenceNumber,
    ProducerFenced,
    UnknownProducerId,
)


class Producer:
    """Writes records to several topics and offsets of a group, all of them or none. One task uses it.

    `begin`, any number of `send`, then `commit` or `abort`. After Fenced, Unreachable, OutcomeUnknown or a
    cancelled call it is lost: `begin` raises, and only `close` makes sense. After Refused it is good for the
    next transaction, once this one is aborted.
    """

    def __init__(self, settings: KafkaSettings, transactional_id: str, producer: AIOKafkaProducer) -> None:
        self._settings = settings
        self._id = transactional_id
        self._producer = producer
        self._transaction: Any = producer._txn_manager  # noqa: SLF001 # its sequence numbers need mending
        self._transaction._sequence_numbers = _Sequences(int)  # noqa: SLF001
        self._loop = asyncio.get_running_loop()
        self._queue: list[Send] = []
        self._partitions: dict[str, int] = {}
        self._open = False
        self._begun = False
        self._lost: KafkaProblem | None = None

    @classmethod
    async def open(cls, settings: KafkaSettings, transactional_id: str) -> Self:
        """Fence older producers of the id and abort what they left open; then it is time to read.

        Raises:
            Unreachable: Kafka does not answer.
            Refused: we may not.
        """
        make = partial(
            AIOKafkaProducer,
            **options(settings),
            transactional_id=transactional_id,
            transaction_timeout_ms=settings.transaction_timeout_ms,
            max_batch_size=BATCH_BYTES,
            retry_backoff_ms=BACKOFF_MS,
        )
        doing = f"accept producer {transactional_id}"
        return cls(settings, transactional_id, await started(settings, make, doing, deadline(settings)))

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
        with self._at_risk("take the records"):
            await self._flush(deadline(self._settings))

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
        until = deadline(self._settings)
        with self._at_risk("take the records"):
            await self._flush(until)
            if group is not None and offsets:
                async with asyncio.timeout_at(until):
                    await self._start()
                    await self._producer.send_offsets_to_transaction(
                        {TopicPartition(*slot): offset for slot, offset in offsets.items()}, group
                    )
        with self._at_risk("end the transaction"):
            if self._begun:
                await self._end(until)
        self._open = self._begun = False

    async def abort(self) -> None:
        """Drop the transaction, if there is one; never raises. What was sent is never seen."""
        await self._abort(PARTING_SECONDS if self._lost else self._settings.deadline_seconds)

    async def close(self) -> None:
        """Abort what is open and let go of the connections; never raises, and ends within seconds."""
        try:
            await self._abort(PARTING_SECONDS)
        finally:
            await end(self._producer)
            self._heed()

    async def _abort(self, seconds: float) -> None:
        if not self._open:
            return
        self._open = False
        _fail(self._queue, KafkaProblem("the transaction was aborted"))
        self._queue = []
        if isinstance(self._lost, Fenced) or not self._begun:
            return
        self._begun = False
        self._heed()
        try:
            async with asyncio.timeout(seconds):
                await self._producer.abort_transaction()
        except (KafkaError, TimeoutError, AssertionError) as problem:
            # The next producer's init aborts it, or else the broker after the transaction's timeout.
            LOG.debug("the abort of a transaction was not confirmed: %r", problem)
            self._lost = self._lost or self._named("abort the transaction", problem)

    async def _start(self) -> None:
        if not self._begun:
            await self._producer.begin_transaction()
            self._begun = True

    async def _flush(self, until: float) -> None:
        if not self._queue:
            return
        queue, self._queue = self._queue, []
        try:
            await self._learn(dict.fromkeys(send[0] for send in queue), until)
            make = self._producer.create_batch
            batches = pack(queue, self._partitions, int(time.time() * 1000), make)
            async with asyncio.timeout_at(until):
                await self._start()
                await self._deliver(batches)
        except (KafkaError, TimeoutError) as problem:
            named = self._named("take the records", problem)
            _fail(queue, named)
            raise named from problem
        except BaseException as problem:
            _fail(queue, problem if isinstance(problem, KafkaProblem) else KafkaProblem("not delivered"))
            raise

    async def _learn(self, topics: Iterable[str], until: float) -> None:
        for topic in topics:
            if topic not in self._partitions:
                look = partial(partitions_of, self._producer.client, topic)
                self._partitions[topic] = len(await persist(self._settings, f"tell of {topic}", look, until))

    async def _deliver(self, batches: list[Batch]) -> None:
        sent: list[tuple[Batch, asyncio.Future[Any]]] = []
        try:
            for batch in batches:
                sent.append((batch, await self._hand_over(batch)))  # noqa: PERF401 # what was sent must be known
            await asyncio.wait([delivery for _, delivery in sent])
        except BaseException:
            for _, delivery in sent:
                delivery.add_done_callback(heed)
            raise
        problems = [self._settle(batch, delivery) for batch, delivery in sent]
        for problem in problems:
            if problem is not None:
                raise problem

    async def _hand_over(self, batch: Batch) -> "asyncio.Future[Any]":
        topic, partition = batch.slot
        while True:
            try:
                return await self._producer.send_batch(batch.builder, topic, partition=partition)  # type: ignore[no-any-return]
            except KafkaTimeoutError:
                # The batch before it is still not taken: our own deadline says how long that may last.
                continue

    def _settle(self, batch: Batch, delivery: "asyncio.Future[Any]") -> BaseException | None:
        problem = delivery.exception()
        if problem is None:
            batch.settle(delivery.result().offset)
            return None
        # aiokafka counts records that the broker did not take, and the next ones would be out of order.
        self._transaction.increment_sequence_number(batch.slot, -len(batch.futures))
        if isinstance(problem, MessageSizeTooLargeError):
            return Refused(
                f"a record is larger than max.message.bytes of {batch.slot.topic}: cut it, or raise the limit"
            )
        return problem

    async def _end(self, until: float) -> None:
        before = self._connections()
        try:
            async with asyncio.timeout_at(until):
                await self._producer.commit_transaction()
        except (KafkaError, TimeoutError, AssertionError) as problem:
            named = self._named("end the transaction", problem)
            # A commit goes unanswered only where its connection breaks; aiokafka then asks again on another.
            if isinstance(named, Fenced) and self._connections() == before:
                raise named from problem
            raise OutcomeUnknown(
                f"the commit of {self._id} was sent and not answered: it may or may not have happened. "
                f"Close the producer, open a new one, and read where things stand ({named})"
            ) from problem

    def _connections(self) -> dict[Any, int]:
        connections = self._producer.client._conns  # noqa: SLF001 # there is no other sign of a lost answer
        return {node: id(connection) for node, connection in connections.items() if connection.connected()}

    def _named(self, doing: str, problem: BaseException) -> KafkaProblem:
        cause = problem.__cause__ or problem  # what ends aiokafka's sender is wrapped
        if isinstance(cause, _FENCED):
            return Fenced(
                f"{self._id}: the broker no longer accepts this producer ({type(cause).__name__}). Another "
                "process has its transactional id, or its transaction took longer than "
                "transaction_timeout_ms. Close it, open a new one, and read where things stand"
            )
        if isinstance(cause, BrokerResponseError) and not cause.retriable:
            return refused(doing, cause)
        return unreachable(self._settings, doing, cause)

    @contextmanager
    def _at_risk(self, doing: str) -> Iterator[None]:
        """Remember that the producer is lost when what happens inside leaves its state in doubt."""
        try:
            yield
        except Refused:
            raise
        except KafkaProblem as problem:
            self._lost = problem
            raise
        except (KafkaError, TimeoutError) as problem:
            named = self._named(doing, problem)
            self._lost = None if isinstance(named, Refused) else named
            raise named from problem
        except BaseException:
            self._lost = OutcomeUnknown("a call was cancelled or failed half way: open a new producer")
            raise

    def _heed(self) -> None:
        """Take note of the errors that aiokafka left for nobody."""
        heed(self._transaction._transaction_waiter)  # noqa: SLF001
        waiting = self._producer._message_accumulator._batches  # noqa: SLF001
        for batch in (batch for batches in waiting.values() for batch in batches):
            heed(batch.future)
            heed(batch._drain_waiter)  # noqa: SLF001


class _Sequences(defaultdict[TopicPartition, int]):
    """Sequence numbers that begin again after the last one; aiokafka goes on with negative ones."""

    def __setitem__(self, slot: TopicPartition, sequence: int) -> None:
        super().__setitem__(slot, sequence & LAST_SEQUENCE)


def _fail(queue: Iterable[Send], problem: KafkaProblem) -> None:
    for send in queue:
        future = send[-1]
        if not future.done():
            future.set_exception(problem)
            future.exception()  # Heeded here, so that a caller need not
