"""What somebody may try to do on the bus; each raises what refused it."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Future
from typing import Any, TypeAlias

from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka import Producer as ForeignProducer

from pipeline.kafka import Admin, Membership, Producer, Reader
from schemas.topics import TOPICS, by_name
from tests.security.bus import PREFIX, Bus, foreign_admin

SECONDS = 20

Act: TypeAlias = Callable[[Bus], Awaitable[None]]
Asked: TypeAlias = Mapping[Any, "Future[Any]"]


def full(topic: str) -> str:
    return by_name(topic).full(PREFIX)


def writes(role: str, topic: str, transactional_id: str | None = None) -> Act:
    """Delivers a record in a transaction, and takes it back."""

    async def act(bus: Bus) -> None:
        producer = await Producer.open(bus.settings(role), PREFIX + (transactional_id or f"{role}.0"))
        try:
            await producer.begin()
            producer.send(full(topic), key=b"k", value=b"v", headers=[])
            await producer.flush()
            await producer.abort()
        finally:
            await producer.close()

    return act


def writes_alone(user: str, topic: str) -> Act:
    """Without a transaction, as any client may try."""

    async def act(bus: Bus) -> None:
        problems: list[Any] = []
        producer = ForeignProducer(bus.foreign(user))
        producer.produce(full(topic), b"v", b"k", on_delivery=lambda problem, _: problems.append(problem))
        await asyncio.to_thread(producer.flush, SECONDS)
        if problems[0] is not None:
            raise KafkaException(problems[0])

    return act


def reads(role: str, topic: str) -> Act:
    async def act(bus: Bus) -> None:
        reader = await Reader.open(bus.settings(role), full(topic), [0])
        try:
            await reader.fetch(max_records=1, wait_seconds=0.1)
        finally:
            await reader.close()

    return act


def consumes(user: str, group: str, topic: str) -> Act:
    """Polls once, as a subscriber's own client does."""

    async def act(bus: Bus) -> None:
        consumer = Consumer({**bus.foreign(user), "group.id": group, "auto.offset.reset": "earliest"})
        consumer.subscribe([full(topic)])
        try:
            message = await asyncio.to_thread(consumer.poll, SECONDS)
            if message is not None and message.error():
                raise KafkaException(message.error())
        finally:
            consumer.close()

    return act


def joins(role: str, group: str, topic: str) -> Act:
    async def act(bus: Bus) -> None:
        membership = await Membership.open(bus.settings(role), PREFIX + group, full(topic))
        await membership.close()

    return act


def commits(role: str, group: str, topic: str) -> Act:
    async def act(bus: Bus) -> None:
        producer = await Producer.open(bus.settings(role), f"{PREFIX}{role}.0")
        try:
            await producer.begin()
            await producer.commit(group=PREFIX + group, offsets={(full(topic), 0): 0})
        finally:
            await producer.close()

    return act


def creates(role: str, prefix: str) -> Act:
    async def act(bus: Bus) -> None:
        async with Admin(bus.settings(role)) as admin:
            await admin.create(TOPICS, prefix)

    return act


def verifies(role: str) -> Act:
    async def act(bus: Bus) -> None:
        async with Admin(bus.settings(role)) as admin:
            await admin.verify(TOPICS, PREFIX)

    return act


def asks(user: str, does: Callable[[Any], Asked]) -> Act:
    """Asks for something that our own client has no words for."""

    async def act(bus: Bus) -> None:
        admin = foreign_admin.AdminClient(bus.foreign(user))
        for done in does(admin).values():
            await asyncio.wait_for(asyncio.wrap_future(done), SECONDS)

    return act


def creates_one(user: str, name: str) -> Act:
    return asks(user, lambda admin: admin.create_topics([foreign_admin.NewTopic(PREFIX + name, 1)]))


def deletes(user: str, topic: str) -> Act:
    return asks(user, lambda admin: admin.delete_topics([full(topic)]))


def deletes_records(user: str, topic: str) -> Act:
    return asks(user, lambda admin: admin.delete_records([TopicPartition(full(topic), 0, 0)]))


def deletes_group(user: str, group: str) -> Act:
    return asks(user, lambda admin: admin.delete_consumer_groups([PREFIX + group]))


def adds_partitions(user: str, topic: str) -> Act:
    return asks(user, lambda admin: admin.create_partitions([foreign_admin.NewPartitions(full(topic), 2)]))


def reconfigures(user: str, topic: str) -> Act:
    entry = foreign_admin.ConfigEntry(
        "retention.ms", "1", incremental_operation=foreign_admin.AlterConfigOpType.SET
    )
    resource = foreign_admin.ConfigResource(
        foreign_admin.RESOURCE_TOPIC, full(topic), incremental_configs=[entry]
    )
    return asks(user, lambda admin: admin.incremental_alter_configs([resource]))


def gives_itself_rights(user: str) -> Act:
    right = foreign_admin.AclBinding(
        foreign_admin.ResourceType.TOPIC,
        PREFIX,
        foreign_admin.ResourcePatternType.PREFIXED,
        f"User:{user}",
        "*",
        foreign_admin.AclOperation.ALL,
        foreign_admin.AclPermissionType.ALLOW,
    )
    return asks(user, lambda admin: admin.create_acls([right]))


def sets_password_of(victim: str, user: str) -> Act:
    how = foreign_admin.ScramCredentialInfo(foreign_admin.ScramMechanism.SCRAM_SHA_512, 4096)
    change = foreign_admin.UserScramCredentialUpsertion(victim, how, b"mine")
    return asks(user, lambda admin: admin.alter_user_scram_credentials([change]))
