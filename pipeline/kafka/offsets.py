"""Where things stand: the ends of partitions, and what groups committed."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from enum import IntEnum
from typing import Final

from aiokafka.protocol.offset import OffsetRequest

from pipeline.kafka.batches import Slot
from pipeline.kafka.codes import check
from pipeline.kafka.requests import StableOffsetFetch
from pipeline.kafka.wire import Role, Wire

READ_UNCOMMITTED: Final = 0
READ_COMMITTED: Final = 1
NO_REPLICA: Final = -1
NO_OFFSET: Final = -1


class Edge(IntEnum):
    """Which end of a partition; the numbers are the protocol's, but for the last one."""

    BEGIN = -2
    END = -1
    WHOLE = -3
    """The end with what belongs to transactions that have not ended."""


async def edges(
    wire: Wire, topic: str, partitions: Iterable[int], edge: Edge | int, until: float
) -> dict[int, int]:
    """Find the ends of partitions: the first offset that is kept, or the one after the last stable record.

    Everything before the last stable offset belongs to transactions that have ended.

    Args:
        wire: the connections.
        topic: its full name.
        partitions: of it.
        edge: which end; or a moment, in milliseconds since 1970: the first record appended then or later.
        until: the deadline on the loop's clock.

    Returns:
        The offset by partition; -1 where no record was appended at that moment or later.

    Raises:
        Unreachable: not within the deadline.
        Refused: there is no such topic, or we may not read it.
    """

    async def attempt() -> dict[int, int]:
        by_leader: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
        isolation, at = (READ_UNCOMMITTED, Edge.END) if edge is Edge.WHOLE else (READ_COMMITTED, edge)
        for partition in partitions:
            by_leader[await wire.leader(topic, partition)].append((partition, int(at)))
        found = {}
        for node, wanted in by_leader.items():
            request = OffsetRequest(NO_REPLICA, isolation, [(topic, wanted)])
            for _, told in (await wire.ask(node, request, apart=True)).topics:
                for partition, code, _timestamp, offset in told:
                    check(code, f"the end of {topic}, partition {partition}", f"Describe on topic {topic}")
                    found[partition] = offset
        return found

    return await wire.persist(f"tell the end of {topic}", attempt, until)


async def committed(
    wire: Wire, group: str, slots: Iterable[Slot] | None, until: float, *, stable: bool
) -> Mapping[Slot, int]:
    """Find what a group committed.

    Args:
        wire: the connections.
        group: its name.
        slots: topics and partitions; none means all that the group committed.
        until: the deadline on the loop's clock.
        stable: wait for a transaction that holds such an offset and has not ended; otherwise it is passed
            over. Init the producer first, so that none is left open.

    Returns:
        The next offset to read, only where there is one.

    Raises:
        Unreachable: not within the deadline.
        Refused: we may not read it.
    """
    wanted: defaultdict[str, list[int]] = defaultdict(list)
    for topic, partition in slots or ():
        wanted[topic].append(partition)
    request = StableOffsetFetch(group, None if slots is None else list(wanted.items()), stable=stable)

    async def attempt() -> dict[Slot, int]:
        node = await wire.coordinator(Role.GROUP, group)
        answer = await wire.ask(node, request, apart=True)
        check(answer.error_code, f"offsets of group {group}", f"Describe on group {group}")
        found = {}
        for topic, told, _ in answer.topics:
            for partition, offset, _epoch, _metadata, code, _tags in told:
                check(code, f"offset of group {group} in {topic}", f"Describe on topic {topic}")
                if offset != NO_OFFSET:
                    found[topic, partition] = offset
        return found

    return await wire.persist(f"tell the offsets of group {group}", attempt, until)
