"""Writers of control.v1 cannot both win, and who follows it misses nothing."""

import asyncio
from typing import Any

import pytest
import structlog

from pipeline.control.changes import Hand, applied
from pipeline.control.following import Following
from pipeline.control.orders import Orders
from pipeline.control.topic import change, read_orders
from pipeline.daemon.compose import ensure_topics
from pipeline.daemon.settle import put_in_force
from pipeline.kafka import KafkaSettings, Producer
from schemas.records import Control
from schemas.topics import CONTROL

pytestmark = pytest.mark.kafka


@pytest.fixture
async def settings(kafka: str, topic_prefix: str) -> KafkaSettings:
    settings = KafkaSettings(bootstrap_servers=kafka)
    await ensure_topics(settings, topic_prefix, structlog.get_logger())
    return settings


async def test_of_writers_at_the_same_time_each_decides_on_what_the_one_before_wrote(
    settings: KafkaSettings, topic_prefix: str, config: Any, hand: Hand
) -> None:
    decided: list[int] = []

    async def write(name: str) -> None:
        def decide(orders: Orders) -> list[Control]:
            return applied(orders, config(name), hand)

        (record,) = [one for one in await change(settings, topic_prefix, decide) if one.name == "config"]
        decided.append(record.generation)

    await asyncio.gather(*(write(name) for name in "abc"))
    assert sorted(decided) == [1, 2, 3]
    assert (await read_orders(settings, topic_prefix)).generation == 3


async def test_who_decided_on_what_is_out_of_date_changes_nothing(
    settings: KafkaSettings, topic_prefix: str, config: Any
) -> None:
    nothing = await read_orders(settings, topic_prefix)
    assert await put_in_force(settings, topic_prefix, config("a"), basis=nothing)
    assert not await put_in_force(settings, topic_prefix, config("b"), basis=nothing)
    assert not await put_in_force(settings, topic_prefix, config("a"))
    assert await put_in_force(settings, topic_prefix, config("b"))


async def test_a_follower_hears_every_change_and_passes_over_what_it_cannot_read(
    settings: KafkaSettings, topic_prefix: str, config: Any
) -> None:
    await put_in_force(settings, topic_prefix, config("a"))
    following = await Following.open(settings, topic_prefix)
    try:
        first = following.orders
        assert first.shared == config("a")
        waiting = [asyncio.create_task(following.after(first)) for _ in range(2)]
        producer = await Producer.open(settings, f"{topic_prefix}stranger")
        await producer.begin()
        producer.send(CONTROL.full(topic_prefix), key=b"config", value=b"{", headers=[], partition=0)
        await producer.commit()
        await producer.close()
        await put_in_force(settings, topic_prefix, config("b"))
        async with asyncio.timeout(10):
            assert {orders.generation for orders in await asyncio.gather(*waiting)} == {2}
        await put_in_force(settings, topic_prefix, config("c"))
        await (await Producer.open(settings, f"{topic_prefix}control")).close()  # now readers can see it
        await following.catch_up()
        assert following.orders.shared == config("c")
    finally:
        await following.close()
