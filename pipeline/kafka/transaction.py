"""What a transactional producer says to the broker, and in which order.

Source: KIP-98 (exactly once delivery and transactional messaging). aiokafka has a producer that speaks it
too. It is not used, because it

* keeps a background task and tasks of that task, which nobody can end while a broker is silent: send, commit,
  abort and stop were still pending after 20 s, and futures that nobody owns complain when they are collected;
* makes one future, one coroutine and one result object for each record: half the speed of this;
* counts a partition's sequence numbers beyond 2**31 wrongly: after 12 days of 2,000 records a second.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any, Final

from aiokafka.protocol.produce import ProduceRequest
from aiokafka.protocol.transaction import (
    AddOffsetsToTxnRequest,
    AddPartitionsToTxnRequest,
    EndTxnRequest,
    InitProducerIdRequest,
    TxnOffsetCommitRequest,
)

from pipeline.kafka.batches import Batch, Slot
from pipeline.kafka.codes import (
    MESSAGE_TOO_LARGE,
    OK,
    OPERATION_NOT_ATTEMPTED,
    TRANSACTIONAL_ID_NOT_FOUND,
    Again,
    check,
)
from pipeline.kafka.errors import Fenced, KafkaProblem, OutcomeUnknown, Refused, Unreachable
from pipeline.kafka.requests import DescribeTransactions
from pipeline.kafka.wire import PASSING, Role, Wire

ALL_IN_SYNC: Final = -1
LAST_SEQUENCE: Final = 0x7FFFFFFF
COMMITTED: Final = ("PrepareCommit", "CompleteCommit")
"""How the coordinator calls the states of a transaction whose commit it accepted."""


class Transaction:
    """One transactional id, one transaction after the other.

    Args:
        wire: the connections; the caller closes them.
        transactional_id: who we are.
    """

    def __init__(self, wire: Wire, transactional_id: str) -> None:
        self._wire = wire
        self._id = transactional_id
        self._producer_id = -1
        self._epoch = -1
        self._sequences: defaultdict[Slot, int] = defaultdict(int)
        self._added: set[Slot] = set()
        self._touched = False

    async def init(
        self, timeout_ms: int, until: float, *, writes: Iterable[Slot] = (), group: str | None = None
    ) -> None:
        """Fence older producers of this id; what they left open is ended before this returns.

        A broker that is killed and starts again alone is for some seconds without a leader in its own
        eyes: its old registration has to expire. A transaction that it finds committed or timed out then
        is complete for it without a mark ("these partitions are likely deleted already and hence can be
        skipped"; Kafka 4.3.1, after each outage longer than the transaction's timeout). Its records stay
        open, readers of committed records stop before them, and they would share the fate of our next
        transaction: what was aborted would be committed. So the last transaction is ended once more, as
        it was, with nothing in it: that writes the marks that are missing, and does nothing where none
        is.

        Args:
            timeout_ms: after which the broker aborts an open transaction.
            until: the deadline on the loop's clock.
            writes: all partitions that producers of this id write to.
            group: whose offsets they commit.

        Raises:
            Unreachable: not within the deadline.
            Refused: we may not, or the timeout is longer than the broker allows.
        """
        ended = await self._last(until)
        await self._begin_epoch(timeout_ms, until)
        if ended is None:
            return
        await self.add_partitions(writes, until)
        if group is not None:
            await self._join(group, until)
        if self._touched:
            await self.end(until, commit=ended in COMMITTED)
            await self._begin_epoch(timeout_ms, until)  # it is answered once the marks are written

    async def add_partitions(self, slots: Iterable[Slot], until: float) -> None:
        """Say where records of this transaction will go.

        Raises:
            Fenced: the broker no longer accepts us.
            Unreachable: not within the deadline.
            Refused: we may not.
        """
        new = [slot for slot in dict.fromkeys(slots) if slot not in self._added]
        if not new:
            return
        by_topic: defaultdict[str, list[int]] = defaultdict(list)
        for topic, partition in new:
            by_topic[topic].append(partition)
        request = AddPartitionsToTxnRequest(self._id, self._producer_id, self._epoch, list(by_topic.items()))

        async def attempt() -> None:
            self._touched = True
            answer = await self._coordinate(request)
            for topic, partitions in answer.errors:
                for _, code in partitions:
                    if code != OPERATION_NOT_ATTEMPTED:
                        check(code, f"writing to {topic}", f"Write on topic {topic}")

        await self._wire.persist("take up the transaction", attempt, until)
        self._added.update(new)

    async def produce(self, batches: Iterable[Batch], until: float) -> None:
        """Deliver batches of this transaction; those of one partition one after the other.

        Raises:
            Fenced: the broker no longer accepts us.
            Unreachable: not within the deadline.
            Refused: a record is too large, or the like; the producer is good for another transaction.
        """
        lines: dict[Slot, deque[Batch]] = {}
        for batch in batches:
            lines.setdefault(batch.slot, deque()).append(batch)
        while lines:
            heads = {slot: line[0] for slot, line in lines.items()}
            await self._wire.persist("take the records", partial(self._deliver, heads), until)
            for line in lines.values():
                line.popleft()
            lines = {slot: line for slot, line in lines.items() if line}

    async def add_offsets(self, group: str, offsets: Mapping[Slot, int], until: float) -> None:
        """Make a group's offsets part of this transaction.

        Raises:
            Fenced: the broker no longer accepts us.
            Unreachable: not within the deadline.
            Refused: we may not.
        """
        by_topic: defaultdict[str, list[tuple[int, int, str]]] = defaultdict(list)
        for (topic, partition), offset in offsets.items():
            by_topic[topic].append((partition, offset, ""))
        who = (self._producer_id, self._epoch)

        async def commit() -> None:
            node = await self._wire.coordinator(Role.GROUP, group)
            request = TxnOffsetCommitRequest(self._id, group, *who, list(by_topic.items()))
            for topic, partitions in (await self._wire.ask(node, request)).errors:
                for _, code in partitions:
                    check(code, f"offset of group {group} in {topic}", f"Read on topic {topic}")

        await self._join(group, until)
        await self._wire.persist("take the group's offsets", commit, until)

    async def end(self, until: float, *, commit: bool) -> None:
        """Commit or abort.

        Raises:
            OutcomeUnknown: the commit was sent and its answer never came.
            Fenced: the broker no longer accepts us.
            Unreachable: the abort was not answered, or the commit could not even be sent.
            Refused: we may not.
        """
        if not self._touched:
            return
        doubtful = False
        request = EndTxnRequest(self._id, self._producer_id, self._epoch, commit)

        async def attempt() -> None:
            nonlocal doubtful
            node = await self._wire.coordinator(Role.TRANSACTION, self._id)
            seen, doubtful = doubtful, True
            answer = await self._wire.ask(node, request)
            doubtful = seen
            check(answer.error_code, f"ending a transaction of {self._id}")

        try:
            await self._wire.persist("end the transaction", attempt, until)
        except (Fenced, Unreachable) as problem:
            if commit and doubtful:
                raise OutcomeUnknown(
                    f"the commit of {self._id} was sent and not answered: it may or may not have happened. "
                    f"Close the producer, open a new one, and read where things stand ({problem})"
                ) from problem
            raise
        self._touched = False
        self._added.clear()

    async def _last(self, until: float) -> str | None:
        """Give the state of this id's last transaction in the coordinator's words; none: there was none."""

        async def attempt() -> str | None:
            (told,) = (await self._coordinate(DescribeTransactions(self._id))).states
            code, _, state, *_ = told
            if code == TRANSACTIONAL_ID_NOT_FOUND:
                return None
            check(code, f"the last transaction of {self._id}", f"Write on transactional id {self._id}")
            return str(state)

        return await self._wire.persist(f"tell of the last transaction of {self._id}", attempt, until)

    async def _begin_epoch(self, timeout_ms: int, until: float) -> None:
        async def attempt() -> None:
            answer = await self._coordinate(InitProducerIdRequest(self._id, timeout_ms))
            check(answer.error_code, f"opening producer {self._id}", f"Write on transactional id {self._id}")
            self._producer_id, self._epoch = answer.producer_id, answer.producer_epoch

        await self._wire.persist(f"accept producer {self._id}", attempt, until)

    async def _join(self, group: str, until: float) -> None:
        request = AddOffsetsToTxnRequest(self._id, self._producer_id, self._epoch, group)

        async def attempt() -> None:
            self._touched = True
            answer = await self._coordinate(request)
            check(answer.error_code, f"offsets of group {group}", f"Read on group {group}")

        await self._wire.persist("take the group into the transaction", attempt, until)

    async def _coordinate(self, request: Any) -> Any:
        node = await self._wire.coordinator(Role.TRANSACTION, self._id)
        return await self._wire.ask(node, request)

    async def _deliver(self, heads: dict[Slot, Batch]) -> None:
        by_leader: defaultdict[int, list[Slot]] = defaultdict(list)
        for topic, partition in heads:
            by_leader[await self._wire.leader(topic, partition)].append((topic, partition))
        outcomes = await asyncio.gather(
            *(self._deliver_to(node, slots, heads) for node, slots in by_leader.items()),
            return_exceptions=True,
        )
        problems = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
        if problems:
            raise min(problems, key=lambda problem: isinstance(problem, PASSING))

    async def _deliver_to(self, node: int, slots: list[Slot], heads: dict[Slot, Batch]) -> None:
        by_topic: defaultdict[str, list[tuple[int, Any]]] = defaultdict(list)
        for topic, partition in slots:
            slot = (topic, partition)
            sealed = heads[slot].seal(self._producer_id, self._epoch, self._sequences[slot])
            by_topic[topic].append((partition, sealed))
        wait_ms = int(self._wire.patience * 1000)
        request = ProduceRequest(self._id, ALL_IN_SYNC, wait_ms, list(by_topic.items()))
        answer = await self._wire.ask(node, request)
        problems: list[KafkaProblem | Again] = []
        for topic, partitions in answer.topics:
            for partition, code, base, *_ in partitions:
                try:
                    _judge(code, topic, partition)
                except (KafkaProblem, Again) as problem:
                    problems.append(problem)
                else:
                    self._accepted(heads.pop((topic, partition)), base)
        if problems:
            raise min(problems, key=lambda problem: isinstance(problem, Again))

    def _accepted(self, batch: Batch, base: int) -> None:
        sequence = self._sequences[batch.slot] + len(batch.futures)
        self._sequences[batch.slot] = sequence & LAST_SEQUENCE
        batch.settle(base)


def _judge(code: int, topic: str, partition: int) -> None:
    if code == MESSAGE_TOO_LARGE:
        raise Refused(f"a record is larger than max.message.bytes of {topic}: cut it, or raise the limit")
    if code != OK:
        check(code, f"writing to {topic}, partition {partition}", f"Write on topic {topic}")
