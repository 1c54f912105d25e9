"""What a member says to its group's coordinator.

Source: Kafka's classic group protocol (JoinGroup, SyncGroup, Heartbeat, LeaveGroup); the idea to keep
partitions through a rebalance is KIP-429's.
"""

import asyncio
from typing import Any, Final

from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment, ConsumerProtocolMemberMetadata
from aiokafka.protocol.group import HeartbeatRequest, JoinGroupRequest, LeaveGroupRequest, SyncGroupRequest

from pipeline.kafka.codes import (
    ILLEGAL_GENERATION,
    MEMBER_ID_REQUIRED,
    REBALANCE_IN_PROGRESS,
    UNKNOWN_MEMBER_ID,
    Again,
    check,
)
from pipeline.kafka.share import share
from pipeline.kafka.wire import Role, Wire

PROTOCOL_TYPE: Final = "consumer"
PROTOCOL: Final = "dateline-keep"
VERSION: Final = 0
NEW_MEMBER: Final = ""
NO_GENERATION: Final = -1
NO_INSTANCE: Final = None

COURTESY_SECONDS: Final = 5.0
"""Beyond the time for joining: a broker may hold back a new group's first assignment, by default for 3 s."""


class Evicted(Exception):
    """The group went on without us; what we held may be another's."""


class Group:
    """One member's place in a group.

    Args:
        wire: the connections; the caller closes them.
        name: of the group.
        topic: the full name of the topic whose partitions are shared out.
        session_ms: after which the broker gives up a silent member.
        joining_ms: how long the members have to join again when one comes or goes.
    """

    def __init__(self, wire: Wire, name: str, topic: str, *, session_ms: int, joining_ms: int) -> None:
        self.name = name
        self.contact = float("-inf")
        """When we last said something that the coordinator took as a member's, on the loop's clock."""
        self._wire = wire
        self._topic = topic
        self._session_ms = session_ms
        self._joining_ms = joining_ms
        self._member = NEW_MEMBER
        self._generation = NO_GENERATION

    async def join(self, held: frozenset[int], wanted: frozenset[int] = frozenset()) -> frozenset[int]:
        """Join, or join again, and learn what is ours now.

        Args:
            held: what we hold, to be left with us as far as that is fair.
            wanted: where we know of work; it is shared out first.

        Raises:
            Evicted: the coordinator does not know us any more; join as a new member.
            Again: the coordinator moved, or the group changed meanwhile.
            Refused: we may not join.
        """
        claim = ";".join(",".join(map(str, sorted(each))) for each in (held, wanted)).encode()
        metadata = ConsumerProtocolMemberMetadata(VERSION, [self._topic], claim).encode()
        place = await self._take_place(metadata)
        if place.error_code == MEMBER_ID_REQUIRED:
            self._member = place.member_id
            place = await self._take_place(metadata)
        self._check(place.error_code)
        self._member, self._generation = place.member_id, place.generation_id
        leads = place.leader_id == place.member_id
        shares = await self._share_out(place.members) if leads else []
        synced = await self._tell(
            SyncGroupRequest(self.name, self._generation, self._member, NO_INSTANCE, shares),
            self._joining_ms / 1000 + COURTESY_SECONDS,
        )
        mine = ConsumerProtocolMemberAssignment.decode(synced.member_assignment)
        return frozenset(slot.partition for slot in mine.partitions())

    async def beat(self, seconds: float) -> bool:
        """Say that we are alive.

        Args:
            seconds: how long the answer may take.

        Returns:
            Whether all is as it was; if not, it is time to join again, holding what we hold.

        Raises:
            Evicted: the group went on without us.
            Again: the coordinator moved.
        """
        request = HeartbeatRequest(self.name, self._generation, self._member)
        return bool((await self._tell(request, seconds)).error_code != REBALANCE_IN_PROGRESS)

    async def leave(self, seconds: float) -> None:
        """Give everything back, so that nobody has to wait for the end of our session."""
        if self._member != NEW_MEMBER:
            await self._tell(LeaveGroupRequest(self.name, self._member), seconds)

    def forget(self) -> None:
        """Be a new member from now on."""
        self._member, self._generation = NEW_MEMBER, NO_GENERATION

    async def _take_place(self, metadata: bytes) -> Any:
        node = await self._wire.coordinator(Role.GROUP, self.name)
        protocols = [(PROTOCOL, metadata)]
        request = JoinGroupRequest(
            self.name,
            self._session_ms,
            self._joining_ms,
            self._member,
            NO_INSTANCE,
            PROTOCOL_TYPE,
            protocols,
        )
        return await self._wire.ask(node, request, seconds=self._joining_ms / 1000 + COURTESY_SECONDS)

    async def _share_out(self, members: list[Any]) -> list[tuple[str, bytes]]:
        held: dict[str, frozenset[int]] = {}
        wanted: frozenset[int] = frozenset()
        for member, _instance, metadata in members:
            claim = ConsumerProtocolMemberMetadata.decode(metadata).user_data.decode()
            held[member], known = (_numbers(part) for part in claim.split(";"))
            wanted |= known
        shares = share(await self._wire.partitions(self._topic), held, wanted)
        return [
            (member, ConsumerProtocolMemberAssignment(VERSION, [(self._topic, mine)], b"").encode())
            for member, mine in shares.items()
        ]

    async def _tell(self, request: Any, seconds: float) -> Any:
        node = await self._wire.coordinator(Role.GROUP, self.name)
        said = asyncio.get_running_loop().time()
        answer = await self._wire.ask(node, request, seconds=seconds)
        if answer.error_code != REBALANCE_IN_PROGRESS:
            self._check(answer.error_code)
        elif isinstance(request, SyncGroupRequest):
            raise Again(f"group {self.name} changed while it was joined", moved=False)
        self.contact = said
        return answer

    def _check(self, code: int) -> None:
        if code in (UNKNOWN_MEMBER_ID, ILLEGAL_GENERATION):
            raise Evicted(self.name)
        check(code, f"membership of group {self.name}", f"Read on group {self.name}")


def _numbers(text: str) -> frozenset[int]:
    return frozenset(int(number) for number in text.split(",") if number)
