"""Connections to the cluster: one request, one answer, in the caller's own task and in its own time."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from enum import IntEnum
from typing import Any, Final, TypeVar

from aiokafka.conn import AIOKafkaConnection, collect_hosts
from aiokafka.errors import IncompatibleBrokerVersion, KafkaError
from aiokafka.protocol.coordination import FindCoordinatorRequest
from aiokafka.protocol.metadata import MetadataRequest

from pipeline.kafka.access import access, meaning
from pipeline.kafka.codes import UNKNOWN_TOPIC_OR_PARTITION, Again, check
from pipeline.kafka.errors import Refused, Unreachable
from pipeline.kafka.settings import KafkaSettings

LOG = logging.getLogger(__name__)
T = TypeVar("T")

FIRST_PAUSE: Final = 0.004
LONGEST_PAUSE: Final = 0.25
"""Seconds between attempts; each pause is twice the last one."""

PARTING_SECONDS: Final = 1.0

REQUESTS_PER_DEADLINE: Final = 3
"""A request gets this part of the deadline, so that a dead leader's successor can still be asked."""

PASSING: Final = (Again, OSError, KafkaError)
"""What a later attempt may cure."""


class Role(IntEnum):
    """Whose coordinator is looked for; the numbers are the protocol's."""

    GROUP = 0
    TRANSACTION = 1

    def __str__(self) -> str:
        return "group" if self is Role.GROUP else "transactional id"


class Wire:
    """The connections of one producer, reader, member or admin, opened as they are needed.

    aiokafka's client keeps background tasks that outlive their owner when a broker falls silent, and its
    attempts have no end. Here nothing runs but the call that is waited for, and that call has a deadline.

    Args:
        settings: where the cluster is.

    Raises:
        Refused: a file that the settings name cannot be read.
    """

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self.patience = settings.deadline_seconds / REQUESTS_PER_DEADLINE
        """Seconds that a broker may take over one answer."""
        self._access = access(settings)
        # The addresses we were given are brokers with negative numbers, asked when no other answers.
        self._brokers: dict[int, tuple[str, int]] = {
            -place: (host, port)
            for place, (host, port, _) in enumerate(collect_hosts(settings.bootstrap_servers), start=1)
        }
        self._connections: dict[tuple[int, bool], Any] = {}
        self._connecting = asyncio.Lock()
        self._silent: set[int] = set()
        self._leaders: dict[str, dict[int, int]] = {}
        self._coordinators: dict[tuple[Role, str], int] = {}
        self._closed = False

    def deadline(self, seconds: float | None = None) -> float:
        """Give the moment, on the loop's clock, at which a call that begins now must end."""
        return asyncio.get_running_loop().time() + (seconds or self._settings.deadline_seconds)

    async def persist(self, doing: str, attempt: Callable[[], Awaitable[T]], until: float) -> T:
        """Attempt until it succeeds or the deadline is over.

        Args:
            doing: completes "Kafka did not ..." in the message.
            attempt: may raise Again or a connection's error; anything else ends the attempts.
            until: the deadline on the loop's clock.

        Raises:
            Unreachable: the deadline is over.
            Refused: the same, and the last word was that the topic does not exist.
        """
        began = asyncio.get_running_loop().time()
        cause: BaseException | None = None
        pause = FIRST_PAUSE
        try:
            async with asyncio.timeout_at(until):
                while True:
                    try:
                        return await attempt()
                    except PASSING as problem:
                        cause = problem
                    if not isinstance(cause, Again) or cause.moved:
                        self._leaders.clear()
                        self._coordinators.clear()
                    await asyncio.sleep(pause)
                    pause = min(2 * pause, LONGEST_PAUSE)
        except TimeoutError:
            if isinstance(cause, Again) and cause.code == UNKNOWN_TOPIC_OR_PARTITION:
                raise Refused(f"{cause}: create the topics first, or mend the prefix") from None
            raise Unreachable(
                f"Kafka at {self._settings.bootstrap_servers} did not {doing} within {until - began:.3g} s "
                f"({cause or 'no answer'}). "
                "Is it running, and are address, security_protocol and login right?"
            ) from cause

    async def ask(self, node: int, request: Any, *, apart: bool = False, seconds: float | None = None) -> Any:
        """Send one request to one broker and wait for its answer.

        Args:
            node: the broker's number.
            request: one of aiokafka's.
            apart: on a second connection, so as not to wait behind a long poll on the first.
            seconds: how long the answer may take; by default the usual patience.

        Raises:
            OSError: no connection, or no answer in time.
            aiokafka.errors.KafkaError: the connection broke.
            Refused: the login failed, or the broker is too old.
        """
        if self._closed:
            raise RuntimeError("closed")
        try:
            connection = await self._connect(node, apart=apart)
            answer = await _exchange(connection, request, seconds or self.patience)
        except (OSError, KafkaError):
            self._silent.add(node)
            raise
        self._silent.discard(node)
        return answer

    async def ask_any(self, request: Any) -> Any:
        """Send a request that every broker can answer, to one after the other until one does.

        Those that failed to answer before are asked last.

        Raises:
            Again: none did.
            Refused: as for `ask`, and no other broker answered.
        """
        connected = {node for node, _ in self._connections}
        problems: list[str] = []
        refusal: Refused | None = None
        for node in sorted(self._brokers, key=lambda n: (n in self._silent, n not in connected, n < 0, n)):
            try:
                return await self.ask(node, request)
            except (OSError, KafkaError) as problem:
                problems.append(str(problem) or type(problem).__name__)
            except Refused as problem:
                refusal = problem
        raise refusal or Again("; ".join(problems))

    async def describe(self, topics: Sequence[str] | None) -> dict[str, dict[str, Any]]:
        """Learn where topics are.

        Args:
            topics: their full names; none means all.

        Returns:
            The metadata of each topic that exists, by name: `partitions` with `partition`, `leader` and
            `replicas`.

        Raises:
            Again: no broker answered.
            Refused: we may not know.
        """
        names = None if topics is None else list(topics)
        answer = await self.ask_any(MetadataRequest(names, allow_auto_topic_creation=False))
        told = answer.to_object()
        self._brokers = {node: address for node, address in self._brokers.items() if node < 0}
        self._brokers |= {broker["node_id"]: (broker["host"], broker["port"]) for broker in told["brokers"]}
        found = {}
        for topic in told["topics"]:
            if topic["error_code"] == UNKNOWN_TOPIC_OR_PARTITION:
                continue
            name = topic["topic"]
            check(topic["error_code"], f"topic {name}", f"Describe on topic {name}")
            self._leaders[name] = {each["partition"]: each["leader"] for each in topic["partitions"]}
            found[name] = topic
        for key in [key for key in self._connections if key[0] < 0 and told["brokers"]]:
            _release(self._connections.pop(key))
        return found

    async def leader(self, topic: str, partition: int) -> int:
        """Give the number of the broker that leads a partition.

        Raises:
            Again: there is none, or no such partition.
        """
        await self._know(topic)
        leader = self._leaders[topic].get(partition)
        if leader is None:
            raise Again(f"{topic} has no partition {partition}", code=UNKNOWN_TOPIC_OR_PARTITION)
        if leader < 0:
            raise Again(f"{topic}, partition {partition} has no leader")
        return leader

    async def partitions(self, topic: str) -> int:
        """Give the number of a topic's partitions.

        Raises:
            Again: there is no such topic.
        """
        await self._know(topic)
        return len(self._leaders[topic])

    async def coordinator(self, role: Role, key: str) -> int:
        """Give the number of the broker that coordinates a group or a transactional id.

        Raises:
            Again: there is none at the moment.
            Refused: we may not know.
        """
        known = self._coordinators.get((role, key))
        if known is not None:
            return known
        answer = await self.ask_any(FindCoordinatorRequest(key, int(role)))
        check(answer.error_code, f"coordinator of {role} {key}", f"Describe on {role} {key}")
        self._brokers[answer.coordinator_id] = (answer.host, answer.port)
        self._coordinators[role, key] = answer.coordinator_id
        return int(answer.coordinator_id)

    async def close(self) -> None:
        """Let go of all connections at once; never raises, never waits for a broker."""
        self._closed = True
        gone = [_release(connection) for connection in self._connections.values()]
        self._connections.clear()
        if gone:
            await asyncio.wait(gone, timeout=1)

    async def _know(self, topic: str) -> None:
        if topic not in self._leaders and topic not in await self.describe([topic]):
            raise Again(f"there is no topic {topic}", code=UNKNOWN_TOPIC_OR_PARTITION)

    async def _connect(self, node: int, *, apart: bool) -> Any:
        async with self._connecting:
            connection = self._connections.get((node, apart))
            if connection is not None and connection.connected():
                return connection
            if connection is not None:
                _release(self._connections.pop((node, apart)))
            if node not in self._brokers:
                raise Again(f"broker {node} has left the cluster")
            host, port = self._brokers[node]
            try:
                async with asyncio.timeout(self.patience):
                    connection = await create_conn(host, port, **self._access)
            except (OSError, KafkaError) as problem:
                told = meaning(problem, f"{host}:{port}", self._settings)
                if told is None:
                    raise
                raise told from problem
            if self._closed:
                _release(connection)
                raise Again("closed meanwhile")
            self._connections[node, apart] = connection
            return connection


async def create_conn(host: str, port: int, **access: Any) -> Any:
    """Connect; an attempt that failed leaves no socket behind, which aiokafka's own may."""
    connection = AIOKafkaConnection(host, port, **access)
    try:
        await connection.connect()
    except BaseException:
        if connection._protocol is not None:  # noqa: SLF001 # else there was no socket, and nobody would tell
            await asyncio.wait([connection.close()], timeout=PARTING_SECONDS)
        raise
    return connection


async def _exchange(connection: Any, request: Any, seconds: float) -> Any:
    try:
        async with asyncio.timeout(seconds):
            return await connection.send(request)
    except TimeoutError:
        # Whatever we asked next would wait in line behind this.
        _release(connection)
        raise TimeoutError(f"{connection.host}:{connection.port} does not answer") from None
    except (IncompatibleBrokerVersion, NotImplementedError) as problem:
        raise Refused(f"the broker is of a version that we do not speak: {problem}") from problem


def _release(connection: Any) -> "asyncio.Future[None]":
    # close() alone waits until the peer has read what we sent, and a frozen one never does.
    writer = connection._writer  # noqa: SLF001 # there is no other way to the transport
    if writer is not None:
        writer.transport.abort()
    gone: asyncio.Future[None] = connection.close()
    return gone
