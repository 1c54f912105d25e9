"""Topics as an operator handles them."""

import logging
from collections.abc import Callable

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from pipeline.kafka import Admin, Difference, KafkaSettings, Producer, Refused
from schemas.topics import ORIGINALS, TOPICS, Topic

Spec = Callable[..., Topic]
pytestmark = [pytest.mark.kafka, pytest.mark.usefixtures("no_noise")]


async def test_every_topic_of_the_registry_is_created_once_and_as_it_says(
    settings: KafkaSettings, topic_prefix: str
) -> None:
    async with Admin(settings) as admin:
        created = await admin.create(TOPICS, topic_prefix)
        assert sorted(created) == sorted(topic.full(topic_prefix) for topic in TOPICS)
        assert await admin.create(TOPICS, topic_prefix) == []
        assert await admin.verify(TOPICS, topic_prefix) == []
        assert await admin.names(topic_prefix) == sorted(created)
        await admin.delete(topic_prefix)
        assert await admin.names(topic_prefix) == []
        await admin.delete(topic_prefix)


async def test_verify_finds_what_differs_and_nothing_else(
    settings: KafkaSettings, topic_prefix: str, spec: Spec
) -> None:
    kept, altered, grown, gone = (
        spec("kept.v1"),
        spec("altered.v1"),
        spec("grown.v1", partitions=3),
        spec("gone.v1"),
    )
    async with Admin(settings) as admin:
        await admin.create([kept, altered, ORIGINALS, spec("grown.v1", partitions=4)], topic_prefix)
        changes = {**altered.settings(), "retention.ms": "5000"}
        library = AIOKafkaAdminClient(bootstrap_servers=settings.bootstrap_servers)
        await library.start()
        await library.alter_configs(
            [ConfigResource(ConfigResourceType.TOPIC, altered.full(topic_prefix), configs=changes)]
        )
        await library.close()
        wanted = [kept, altered, grown, gone, ORIGINALS]
        expected = [
            Difference(f"{topic_prefix}altered.v1", "retention.ms", "86400000", "5000"),
            Difference(f"{topic_prefix}grown.v1", "partitions", "3", "4"),
            Difference(f"{topic_prefix}gone.v1", "topic", "present", "missing"),
        ]
        found = await admin.verify(wanted, topic_prefix)
        assert sorted(found, key=str) == sorted(expected, key=str)
        assert await admin.verify(wanted, topic_prefix) == found


async def test_replicas_are_verified_too(settings: KafkaSettings, topic_prefix: str, spec: Spec) -> None:
    async with Admin(settings) as admin:
        await admin.create([spec()], topic_prefix)
    larger = settings.model_copy(update={"replication_factor": 3, "min_insync_replicas": 2})
    async with Admin(larger) as admin:
        assert {
            (each.setting, each.wanted, each.found) for each in await admin.verify([spec()], topic_prefix)
        } == {
            ("replication.factor", "3", "1"),
            ("min.insync.replicas", "2", "1"),
        }
        with pytest.raises(Refused, match="replication factor"):
            await admin.create([spec("more.v1")], topic_prefix)


async def test_a_new_topic_can_be_written_at_once(
    settings: KafkaSettings, topic_prefix: str, spec: Spec, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Admin(settings) as admin:
        producer = await Producer.open(settings, topic_prefix)
        delivered = []
        deliver = producer._transaction._deliver_to

        async def watch(*args: object) -> None:
            delivered.append(args)
            await deliver(*args)  # type: ignore[arg-type]

        monkeypatch.setattr(producer._transaction, "_deliver_to", watch)
        for number in range(3):
            (name,) = await admin.create([spec(f"new{number}.v1", partitions=12)], topic_prefix)
            await producer.begin()
            for partition in range(12):
                producer.send(name, key=None, value=b"v", headers=[], partition=partition)
            await producer.commit()
        await producer.close()
        assert len(delivered) == 3


async def test_an_empty_prefix_deletes_nothing(settings: KafkaSettings) -> None:
    async with Admin(settings) as admin:
        with pytest.raises(ValueError, match="every topic"):
            await admin.delete("")


async def test_nothing_is_logged_when_all_is_well(
    settings: KafkaSettings, topic_prefix: str, spec: Spec, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        async with Admin(settings) as admin:
            (name,) = await admin.create([spec()], topic_prefix)
        producer = await Producer.open(settings, topic_prefix)
        await producer.begin()
        producer.send(name, key=b"k", value=b"v", headers=[])
        await producer.commit()
        await producer.close()
    assert [record.getMessage() for record in caplog.records if "kafka" in record.name] == []
