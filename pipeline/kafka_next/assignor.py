"""Who of a group's members gets which partitions, in aiokafka's terms."""

from collections.abc import Callable, Iterable, Mapping

from aiokafka.cluster import ClusterMetadata
from aiokafka.coordinator.assignors.abstract import AbstractPartitionAssignor
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment, ConsumerProtocolMemberMetadata

from pipeline.kafka_next.share import share

VERSION = 0


class Keeping(AbstractPartitionAssignor):  # type: ignore[misc] # aiokafka has no types
    """Shares out one topic so that as few partitions as possible change hands.

    aiokafka's own sticky assignor keeps what is held in its class: several members in one process disturb it.
    The idea to keep partitions through a rebalance is KIP-429's.

    Args:
        topic: its full name.
        held: tells which partitions this member holds at present.
    """

    name = "dateline-keep"

    def __init__(self, topic: str, held: Callable[[], frozenset[int]]) -> None:
        self._topic = topic
        self._held = held

    def metadata(self, _topics: Iterable[str]) -> ConsumerProtocolMemberMetadata:
        """Claim what we hold."""
        claim = ",".join(map(str, sorted(self._held()))).encode()
        return ConsumerProtocolMemberMetadata(VERSION, [self._topic], claim)

    def assign(
        self, cluster: ClusterMetadata, members: Mapping[str, ConsumerProtocolMemberMetadata]
    ) -> dict[str, ConsumerProtocolMemberAssignment]:
        """Give each member its share, as far as possible of what it claims."""
        held = {
            member: frozenset(int(partition) for partition in told.user_data.decode().split(",") if partition)
            for member, told in members.items()
        }
        shares = share(len(cluster.partitions_for_topic(self._topic) or ()), held)
        return {
            member: ConsumerProtocolMemberAssignment(VERSION, [(self._topic, mine)], b"")
            for member, mine in shares.items()
        }

    def on_assignment(self, assignment: ConsumerProtocolMemberAssignment) -> None:
        """Nothing is kept here."""
