"""The producer: what it writes, and what it makes of a broker that does not play along."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiokafka.protocol.transaction import EndTxnRequest

from pipeline.kafka import (
    Admin,
    Fenced,
    KafkaRecord,
    KafkaSettings,
    OutcomeUnknown,
    Producer,
    Reader,
    Refused,
)
from pipeline.kafka.transaction import LAST_SEQUENCE

MakeTopic = Callable[..., Awaitable[str]]
pytestmark = [pytest.mark.kafka, pytest.mark.usefixtures("no_noise")]


async def read(settings: KafkaSettings, topic: str, count: int) -> list[KafkaRecord]:
    reader = await Reader.open(settings, topic)
    try:
        records: list[KafkaRecord] = []
        async with asyncio.timeout(10):
            while len(records) < count:
                records += await reader.fetch(max_records=100_000, wait_seconds=1)
        return records + await reader.fetch(max_records=1, wait_seconds=0)
    finally:
        await reader.close()


async def write(producer: Producer, topic: str, *values: bytes) -> list[int]:
    await producer.begin()
    sent = [producer.send(topic, key=b"k", value=value, headers=[]) for value in values]
    await producer.commit()
    return [future.result() for future in sent]


async def test_a_record_comes_back_as_it_went(
    settings: KafkaSettings, topic_prefix: str, make_topic: MakeTopic
) -> None:
    topic = await make_topic()
    before = time.time()
    producer = await Producer.open(settings, topic_prefix)
    await producer.begin()
    producer.send(topic, key=b"k", value=b"v", headers=[("ce_id", b"\xc3\xa9"), ("empty", b"")])
    producer.send(topic, key=None, value=b"keyless", headers=[])
    producer.send(topic, key=b"gone", value=None, headers=[])
    await producer.commit()
    await producer.close()
    records = await read(settings, topic, 3)
    assert [(record.offset, record.key, record.value, record.headers) for record in records] == [
        (0, b"k", b"v", [("ce_id", b"\xc3\xa9"), ("empty", b"")]),
        (1, None, b"keyless", []),
        (2, b"gone", None, []),
    ]
    assert all(before - 5 < record.timestamp_ms / 1000 < time.time() + 5 for record in records)


async def test_every_send_learns_its_own_offset(
    settings: KafkaSettings, topic_prefix: str, make_topic: MakeTopic
) -> None:
    topics = [
        await make_topic("one.v1"),
        await make_topic("two.v1"),
        await make_topic("four.v1", partitions=4),
    ]
    producer = await Producer.open(settings, topic_prefix)
    sent = []
    for _ in range(2):
        await producer.begin()
        for number in range(900):
            value = b"%d" % number + bytes(2000)  # more than a batch holds, together
            topic = topics[number % 3]
            future = producer.send(topic, key=b"%d" % (number % 50), value=value, headers=[])
            sent.append((topic, value, future))
        await producer.commit()
    await producer.close()
    for topic in topics:
        mine = [(value, future.result()) for name, value, future in sent if name == topic]
        found = await read(settings, topic, 600)
        assert sorted((record.offset, record.value) for record in found) == sorted(
            (offset, value) for value, offset in mine
        )
        # Of one key, and so of one partition, in the order in which they were sent.
        assert [r.value for r in found if r.key == b"7"] == [
            v for v, _ in mine if int(v.rstrip(b"\0")) % 50 == 7
        ]


async def test_a_partition_may_be_given(
    settings: KafkaSettings, topic_prefix: str, make_topic: MakeTopic
) -> None:
    topic = await make_topic(partitions=3)
    producer = await Producer.open(settings, topic_prefix)
    await producer.begin()
    for partition in (2, 0, 2):
        producer.send(topic, key=b"k", value=b"%d" % partition, headers=[], partition=partition)
    await producer.commit()
    await producer.close()
    assert sorted((r.partition, r.offset, r.value) for r in await read(settings, topic, 3)) == [
        (0, 0, b"0"),
        (2, 0, b"2"),
        (2, 1, b"2"),
    ]


async def test_nobody_sees_what_was_aborted(
    settings: KafkaSettings, topic_prefix: str, make_topic: MakeTopic
) -> None:
    topic = await make_topic()
    producer = await Producer.open(settings, topic_prefix)
    await producer.begin()
    flushed = producer.send(topic, key=b"k", value=b"flushed", headers=[])
    await producer.flush()
    queued = producer.send(topic, key=b"k", value=b"queued", headers=[])
    await producer.abort()
    await write(producer, topic, b"kept")
    await producer.close()
    assert flushed.result() == 0
    assert queued.exception() is not None
    assert [record.value for record in await read(settings, topic, 1)] == [b"kept"]


async def test_an_older_producer_is_fenced(
    settings: KafkaSettings, topic_prefix: str, make_topic: MakeTopic
) -> None:
    topic = await make_topic()
    old = await Producer.open(settings, topic_prefix)
    await old.begin()
    old.send(topic, key=b"k", value=b"flushed before", headers=[])
    await old.flush()
    zombie = old.send(topic, key=b"k", value=b"sent after", headers=[])
    new = await Producer.open(settings, topic_prefix)
    with pytest.raises(Fenced, match="open a new one"):
        await old.commit(group=topic_prefix, offsets={(topic, 0): 1})
    assert isinstance(zombie.exception(), Fenced)
    await old.abort()
    with pytest.raises(Fenced):
        await old.begin()
    async with asyncio.timeout(1):
        await old.close()
    await write(new, topic, b"the new one's")
    await new.close()
    assert [record.value for record in await read(settings, topic, 1)] == [b"the new one's"]


async def test_a_groups_offsets_belong_to_the_transaction(
    settings: KafkaSettings, topic_prefix: str, make_topic: MakeTopic
) -> None:
    topic = await make_topic(partitions=2)
    producer = await Producer.open(settings, topic_prefix)
    await producer.begin()
    producer.send(topic, key=b"k", value=b"v", headers=[])
    await producer.commit(group=topic_prefix, offsets={(topic, 0): 7, (topic, 1): 3})
    await producer.begin()
    await producer.commit(group=topic_prefix, offsets={(topic, 1): 4})  # and nothing else
    await producer.begin()
    await producer._transaction.add_offsets(topic_prefix, {(topic, 0): 99}, producer._wire.deadline())
    await producer.abort()
    await producer.close()
    await (await Producer.open(settings, topic_prefix)).close()  # all is decided then
    async with Admin(settings) as admin:
        assert await admin.group_offsets(topic_prefix) == {(topic, 0): 7, (topic, 1): 4}


async def test_after_a_refused_record_the_producer_goes_on(
    settings: KafkaSettings, topic_prefix: str, make_topic: MakeTopic
) -> None:
    small, large = await make_topic("small.v1"), await make_topic("large.v1", max_bytes=4_194_304)
    producer = await Producer.open(settings, topic_prefix)
    await producer.begin()
    future = producer.send(small, key=b"k", value=bytes(3_000_000), headers=[])
    producer.send(large, key=b"k", value=b"with it", headers=[])
    with pytest.raises(Refused, match=r"max\.message\.bytes of .*small"):
        await producer.commit()
    assert isinstance(future.exception(), Refused)
    await producer.abort()
    await write(producer, large, bytes(3_000_000))
    await write(producer, small, b"small")
    await producer.close()
    assert [len(record.value or b"") for record in await read(settings, large, 1)] == [3_000_000]
    assert [record.value for record in await read(settings, small, 1)] == [b"small"]


async def test_sequence_numbers_begin_again_after_the_last(
    settings: KafkaSettings, topic_prefix: str, make_topic: MakeTopic
) -> None:
    topic = await make_topic()
    producer = await Producer.open(settings, topic_prefix)
    producer._transaction._sequences[topic, 0] = LAST_SEQUENCE - 1
    for number in range(3):
        await write(producer, topic, b"%d" % number, b"and %d" % number)
    await producer.close()
    assert len(await read(settings, topic, 6)) == 6


@pytest.mark.parametrize("lost", [1, 1000])
async def test_a_commit_without_an_answer(
    settings: KafkaSettings,
    topic_prefix: str,
    make_topic: MakeTopic,
    lost: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    topic = await make_topic()
    hasty = settings.model_copy(update={"deadline_seconds": 1})
    producer = await Producer.open(hasty, topic_prefix)
    ask, answers = producer._wire.ask, 0

    async def deaf(node: int, request: Any, **how: Any) -> Any:
        nonlocal answers
        answer = await ask(node, request, **how)
        if isinstance(request, EndTxnRequest) and answers < lost:
            answers += 1
            raise ConnectionResetError("gone")
        return answer

    monkeypatch.setattr(producer._wire, "ask", deaf)
    if lost == 1:
        await write(producer, topic, b"v")
    else:
        with pytest.raises(OutcomeUnknown, match="read where things stand"):
            await write(producer, topic, b"v")
        with pytest.raises(OutcomeUnknown):
            await producer.begin()
    await producer.close()
    assert [record.value for record in await read(settings, topic, 1)] == [b"v"]


async def test_records_sent_again_are_there_once(
    settings: KafkaSettings, topic_prefix: str, make_topic: MakeTopic
) -> None:
    topic = await make_topic()
    producer = await Producer.open(settings.model_copy(update={"deadline_seconds": 3}), topic_prefix)
    await write(producer, topic, b"first")
    await producer.begin()
    producer.send(topic, key=b"k", value=b"second", headers=[])
    await producer._transaction.add_partitions([(topic, 0)], producer._wire.deadline())
    for connection in producer._wire._connections.values():
        connection._writer.transport.pause_reading()  # the broker hears us, we do not hear it
    await producer.commit()
    await producer.close()
    assert [record.value for record in await read(settings, topic, 2)] == [b"first", b"second"]


async def test_a_cancelled_commit_ends_at_once_and_for_good(
    settings: KafkaSettings, topic_prefix: str, make_topic: MakeTopic
) -> None:
    topic = await make_topic()
    producer = await Producer.open(settings, topic_prefix)
    await write(producer, topic, b"kept")
    for connection in producer._wire._connections.values():
        connection._writer.transport.pause_reading()
    writing = asyncio.create_task(write(producer, topic, b"cancelled"))
    await asyncio.sleep(0)
    async with asyncio.timeout(0.5):
        writing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await writing
    with pytest.raises(OutcomeUnknown):
        await producer.begin()
    async with asyncio.timeout(3):
        await producer.close()
    assert [record.value for record in await read(settings, topic, 1)] == [b"kept"]


async def test_calls_out_of_order_are_mistakes(settings: KafkaSettings, topic_prefix: str) -> None:
    producer = await Producer.open(settings, topic_prefix)
    with pytest.raises(RuntimeError, match="between begin and commit"):
        producer.send("t", key=None, value=None, headers=[])
    with pytest.raises(RuntimeError, match="no transaction"):
        await producer.commit()
    await producer.begin()
    with pytest.raises(RuntimeError, match="neither committed nor aborted"):
        await producer.begin()
    await producer.commit()  # empty: the broker never hears of it
    await producer.close()
