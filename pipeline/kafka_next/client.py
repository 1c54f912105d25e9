"""What producer, reader, member and admin share: opening, persisting until a deadline, and ending."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any, Final, TypeAlias, TypeVar

from aiokafka.client import AIOKafkaClient, CoordinationType
from aiokafka.conn import collect_hosts, create_conn
from aiokafka.errors import (
    AuthenticationFailedError,
    BrokerNotAvailableError,
    KafkaConnectionError,
    KafkaError,
    KafkaTimeoutError,
    ReplicaNotAvailableError,
    SaslAuthenticationFailed,
    UnknownTopicOrPartitionError,
    UnsupportedSaslMechanismError,
    for_code,
)
from aiokafka.helpers import create_ssl_context
from aiokafka.protocol.commit import OffsetFetchRequest

from pipeline.kafka_next.errors import Refused, Unreachable
from pipeline.kafka_next.settings import KafkaSettings

T = TypeVar("T")
Slot: TypeAlias = tuple[str, int]
"""A topic's full name and a partition."""

FIRST_PAUSE: Final = 0.01
LONGEST_PAUSE: Final = 0.25
"""Seconds between attempts; each pause is twice the last one."""

REQUESTS_PER_DEADLINE: Final = 3
"""A request gets this part of the deadline, so that a dead leader's successor can still be asked."""

ENDING_SECONDS: Final = 0.5
NO_OFFSET: Final = -1

_LOGIN = (AuthenticationFailedError, SaslAuthenticationFailed, UnsupportedSaslMechanismError)
_PASSING = (OSError, KafkaTimeoutError, BrokerNotAvailableError, ReplicaNotAvailableError)


def options(settings: KafkaSettings) -> dict[str, Any]:
    """Give what aiokafka's classes want to know of the cluster.

    Raises:
        Refused: a file that the settings name cannot be read.
    """
    # It logs every attempt, up to a hundred in a second; our errors say the same once.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    context = None
    try:
        password = settings.password()
        if settings.security_protocol.endswith("SSL"):
            context = create_ssl_context(
                cafile=settings.ssl_cafile, certfile=settings.ssl_certfile, keyfile=settings.ssl_keyfile
            )
    except OSError as problem:
        raise Refused(f"a password, certificate or key cannot be read: {problem}") from problem
    return {
        "bootstrap_servers": settings.bootstrap_servers,
        "client_id": "dateline",
        "request_timeout_ms": int(settings.deadline_seconds * 1000 / REQUESTS_PER_DEADLINE),
        "security_protocol": settings.security_protocol,
        "ssl_context": context,
        "sasl_mechanism": settings.sasl_mechanism,
        "sasl_plain_username": settings.sasl_username,
        "sasl_plain_password": password,
    }


def deadline(settings: KafkaSettings) -> float:
    """Give the moment, on the loop's clock, at which a call that begins now must end."""
    return asyncio.get_running_loop().time() + settings.deadline_seconds


def unreachable(settings: KafkaSettings, doing: str, cause: BaseException | None = None) -> Unreachable:
    """Give the error that says that Kafka did not do something in time."""
    return Unreachable(
        f"Kafka at {settings.bootstrap_servers} did not {doing} within {settings.deadline_seconds:.3g} s "
        f"({str(cause or '') or 'no answer'}). Is it running, and are address and login right?"
    )


def refused(doing: str, problem: KafkaError) -> Refused:
    """Give the error that says that Kafka will not do something, however often it is asked."""
    if isinstance(problem, UnknownTopicOrPartitionError):
        return Refused(f"Kafka did not {doing}: {problem}: create the topics first, or mend the prefix")
    return Refused(f"Kafka did not {doing}: {type(problem).__name__.removesuffix('Error')}: {problem}")


def is_passing(problem: BaseException) -> bool:
    """Tell whether a later attempt may succeed."""
    return isinstance(problem, _PASSING) or (isinstance(problem, KafkaError) and problem.retriable)


def check(code: int, about: str) -> None:
    """Raise the error of a code in an answer, if it is one.

    Raises:
        aiokafka.errors.KafkaError: the broker's complaint.
    """
    if code:
        raise for_code(code)(about)


async def persist(
    settings: KafkaSettings, doing: str, attempt: Callable[[], Awaitable[T]], until: float | None = None
) -> T:
    """Attempt until it succeeds or the deadline is over.

    Args:
        settings: with the deadline.
        doing: completes "Kafka did not ..." in the message.
        attempt: what of aiokafka's errors may pass is tried again.
        until: the deadline on the loop's clock; by default that of a call that begins now.

    Raises:
        Unreachable: the deadline is over.
        Refused: trying again will not help, or the last word was that the topic does not exist.
    """
    cause: BaseException | None = None
    pause = FIRST_PAUSE
    try:
        async with asyncio.timeout_at(until or deadline(settings)):
            while True:
                try:
                    return await attempt()
                except (KafkaError, OSError) as problem:
                    if not is_passing(problem):
                        raise
                    cause = problem
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
    except TimeoutError:
        if isinstance(cause, UnknownTopicOrPartitionError):
            raise refused(doing, cause) from cause
        raise unreachable(settings, doing, cause) from cause
    except KafkaError as problem:
        raise refused(doing, problem) from problem


async def started(settings: KafkaSettings, make: Callable[[], T], doing: str, until: float) -> T:
    """Make one of aiokafka's objects and start it, anew until that succeeds.

    Raises:
        Unreachable: the deadline is over.
        Refused: a login failed, or the broker does not allow what we want.
    """

    async def attempt() -> T:
        owner = make()
        try:
            await owner.start()  # type: ignore[attr-defined] # aiokafka has no types
        except BaseException as problem:
            await end(owner)
            if isinstance(problem, KafkaConnectionError):
                await _try_login(settings)
            raise
        return owner

    return await persist(settings, doing, attempt, until)


async def _try_login(settings: KafkaSettings) -> None:
    # aiokafka logs why it could not connect, and then says nothing but that.
    access = options(settings)
    for host, port, _ in collect_hosts(access.pop("bootstrap_servers")):
        try:
            (await create_conn(host, port, **access)).close()
        except _LOGIN as problem:
            raise Refused(f"{host}:{port} refused the login: {problem}. Mend user or password") from problem
        except (OSError, KafkaError):
            continue


async def partitions_of(client: AIOKafkaClient, topic: str) -> list[int]:
    """Give the partitions of a topic, without asking for it by name: that could create it.

    Raises:
        aiokafka.errors.KafkaError: no broker answered, or there is no such topic.
    """
    try:
        cluster = await client.fetch_all_metadata()
    except KafkaError as problem:
        raise KafkaConnectionError("no broker answered") from problem
    partitions = cluster.partitions_for_topic(topic)
    if not partitions:
        raise UnknownTopicOrPartitionError(f"no topic {topic}")
    await client.add_topic(topic)
    return sorted(partitions)


async def committed(client: AIOKafkaClient, group: str, slots: Iterable[Slot] | None) -> dict[Slot, int]:
    """Find what a group committed; `slots` is none for everything.

    aiokafka's own calls overlook the error of an answer as a whole, as of a coordinator that still loads,
    and say then that nothing was committed.

    Raises:
        aiokafka.errors.KafkaError: the broker's complaint.
    """
    wanted: dict[str, list[int]] = {}
    for topic, partition in slots or ():
        wanted.setdefault(topic, []).append(partition)
    node = await client.coordinator_lookup(CoordinationType.GROUP, group)
    answer = await client.send(
        node, OffsetFetchRequest(group, None if slots is None else list(wanted.items()))
    )
    check(answer.error_code, f"offsets of group {group}")
    found = {}
    for topic, told in answer.topics:
        for partition, offset, _metadata, code in told:
            check(code, f"offset of group {group} in {topic}")
            if offset != NO_OFFSET:
                found[topic, partition] = offset
    return found


async def end(owner: Any, farewell: Coroutine[Any, Any, None] | None = None, seconds: float = 0) -> None:
    """End a producer, consumer or admin client of aiokafka whatever state it is in; never raises.

    Its own `stop` waits for brokers that may be silent, and leaves tasks behind when a producer was fenced.

    Args:
        owner: what to end.
        farewell: what to do before.
        seconds: how long that may take.
    """
    try:
        if farewell is not None:
            parting = asyncio.ensure_future(farewell)
            try:
                await asyncio.wait([parting], timeout=seconds)
            finally:
                await _cancelled([parting])
    finally:
        owner._closed = True  # noqa: SLF001 # or its destructor complains
        client = next(part for part in vars(owner).values() if isinstance(part, AIOKafkaClient))
        for _ in range(3):  # a task that ends may have begun another one, or a connection
            tasks = [task for task in asyncio.all_tasks() if _works_for(task, owner)]
            closing = _disconnect(client)
            await _cancelled(tasks)
            if closing:
                await asyncio.wait(closing, timeout=ENDING_SECONDS)


def _works_for(task: asyncio.Task[Any], owner: object) -> bool:
    # aiokafka keeps no list of its tasks. Each runs a method of the owner or of one of its parts.
    frame = getattr(task.get_coro(), "cr_frame", None)
    me = frame and frame.f_locals.get("self")
    return me is not None and any(me is part for part in (owner, *vars(owner).values()))


async def _cancelled(tasks: list[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks, timeout=ENDING_SECONDS)
    for task in tasks:
        heed(task)


def _disconnect(client: Any) -> "list[asyncio.Future[None]]":
    closing = []
    for connection in list(client._conns.values()):  # noqa: SLF001 # there is no other way to the transports
        # close() alone waits until the peer has read what we sent, and a frozen one never does.
        if connection._writer is not None:  # noqa: SLF001
            connection._writer.transport.abort()  # noqa: SLF001
        closing.append(connection.close())
    client._conns.clear()  # noqa: SLF001
    return closing


def heed(future: "asyncio.Future[Any] | None") -> None:
    """Take note of a future's exception, or asyncio complains that nobody did."""
    if future is not None and future.done() and not future.cancelled():
        future.exception()
