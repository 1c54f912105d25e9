"""The reader: committed records and nothing else, from where one wants to where the log ended."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.structs import TopicPartition

from pipeline.kafka import KafkaRecord, KafkaSettings, Producer, Reader, Refused
from pipeline.kafka.wire import Role

MakeTopic = Callable[..., Awaitable[str]]
Settle = Callable[[Reader, int], Awaitable[None]]
pytestmark = [pytest.mark.kafka, pytest.mark.usefixtures("no_noise")]


@pytest.fixture
async def producer(settings: KafkaSettings, topic_prefix: str) -> AsyncIterator[Producer]:
    producer = await Producer.open(settings, topic_prefix)
    yield producer
    await producer.close()


@pytest.fixture
async def topic(make_topic: MakeTopic) -> str:
    return await make_topic()


@pytest.fixture
async def reader(settings: KafkaSettings, topic: str) -> AsyncIterator[Reader]:
    reader = await Reader.open(settings, topic)
    yield reader
    await reader.close()


async def write(producer: Producer, topic: str, *values: bytes, commit: bool = True) -> None:
    await producer.begin()
    for value in values:
        producer.send(topic, key=b"k", value=value, headers=[])
    if commit:
        await producer.commit()
    else:
        await producer.flush()
        await producer.abort()


async def to_end(reader: Reader, start: int | dict[int, int] | None = None) -> list[KafkaRecord]:
    return [record async for records in reader.read_to_end(start=start) for record in records]


def values(records: list[KafkaRecord]) -> list[bytes | None]:
    return [record.value for record in records]


async def test_reading_to_the_end_passes_over_marks_and_aborted_records(
    producer: Producer, topic: str, reader: Reader, settle: Settle
) -> None:
    await write(producer, topic, b"a", b"b")  # 0, 1, mark 2
    await write(producer, topic, b"x", b"y", b"z", commit=False)  # 3 to 5, mark 6
    await write(producer, topic, b"c")  # 7, mark 8
    await write(producer, topic, b"x", commit=False)  # 9, mark 10
    await settle(reader, 11)
    records = await to_end(reader)
    assert [(record.offset, record.value) for record in records] == [(0, b"a"), (1, b"b"), (7, b"c")]
    assert (reader.position(), await reader.end_offset(), await reader.lag()) == (11, 11, 0)
    assert values(await to_end(reader, start=1)) == [b"b", b"c"]
    assert values(await to_end(reader, start={0: 4})) == [b"c"]
    assert values(await to_end(reader, start=8)) == []
    await write(producer, topic, b"d")
    assert values(await reader.fetch(max_records=5, wait_seconds=5)) == [b"d"]


async def test_what_is_not_settled_yet_can_be_waited_for(
    producer: Producer, topic: str, reader: Reader
) -> None:
    await producer.begin()
    producer.send(topic, key=b"k", value=b"a", headers=[])
    await producer.flush()
    assert values(await to_end(reader)) == []

    async def settled() -> list[KafkaRecord]:
        return [record async for records in reader.read_to_end(settled=True) for record in records]

    reading = asyncio.create_task(settled())
    await asyncio.sleep(0.5)
    assert not reading.done()
    await producer.commit()
    assert values(await reading) == [b"a"]
    assert reader.position() == 1  # the mark behind it came later
    await write(producer, topic, b"b")
    assert values(await settled()) == [b"a", b"b"]  # at once, whether its mark is written or not


async def test_a_moment_leads_to_the_first_record_appended_then_or_later(
    producer: Producer, topic: str, reader: Reader, settle: Settle
) -> None:
    assert await reader.offset_at(0) == 0
    await write(producer, topic, b"a", b"b")  # 0, 1, mark 2
    await asyncio.sleep(0.05)
    await write(producer, topic, b"c")  # 3, mark 4
    await settle(reader, 5)
    first, second = (record.timestamp_ms for record in await to_end(reader) if record.value != b"b")
    moments = (-1, first, second, second + 60_000)
    assert [await reader.offset_at(moment) for moment in moments] == [0, 0, 3, 5]


async def test_an_empty_topic_ends_at_once(reader: Reader) -> None:
    assert await to_end(reader) == []
    assert (reader.position(), await reader.lag()) == (0, 0)
    assert await reader.last() == []
    began = time.monotonic()
    assert await reader.fetch(max_records=5, wait_seconds=0.2) == []
    assert 0.2 <= time.monotonic() - began < 2


async def test_the_end_is_that_of_the_call(
    producer: Producer, topic: str, reader: Reader, settle: Settle, monkeypatch: pytest.MonkeyPatch
) -> None:
    await write(producer, topic, b"before")
    await settle(reader, 2)
    look = reader._bounds

    async def slowly(*asked: Any) -> Any:
        bounds = await look(*asked)
        await write(producer, topic, b"after")
        await settle(reader, 4)
        return bounds

    monkeypatch.setattr(reader, "_bounds", slowly)
    assert values(await to_end(reader)) == [b"before"]
    assert reader.position() == 2
    assert values(await reader.fetch(max_records=5, wait_seconds=5)) == [b"after"]


async def test_an_open_transaction_hides_what_came_behind_it(
    settings: KafkaSettings, producer: Producer, topic: str, reader: Reader, settle: Settle
) -> None:
    await write(producer, topic, b"first")
    await settle(reader, 2)
    slow = await Producer.open(settings, f"{topic}.slow")
    await slow.begin()
    slow.send(topic, key=b"k", value=b"slow", headers=[])
    await slow.flush()
    await write(producer, topic, b"quick")
    assert values(await to_end(reader)) == [b"first"]
    await slow.commit()
    await slow.close()
    await settle(reader, 6)
    assert values(await to_end(reader)) == [b"first", b"slow", b"quick"]


async def test_all_partitions_are_read(
    settings: KafkaSettings, topic_prefix: str, producer: Producer, make_topic: MakeTopic
) -> None:
    topic = await make_topic("four.v1", partitions=4)
    await producer.begin()
    for number in range(40):
        producer.send(topic, key=b"%d" % number, value=b"%d" % number, headers=[])
    await producer.commit()
    await (await Producer.open(settings, topic_prefix)).close()  # all is decided then
    reader, half = await Reader.open(settings, topic), await Reader.open(settings, topic, [1, 3])
    records = await to_end(reader)
    assert sorted(int(record.value or b"") for record in records) == list(range(40))
    assert values(await to_end(half)) == values([record for record in records if record.partition in (1, 3)])
    for partition in range(4):
        reader.seek(partition, 0)
    again: list[KafkaRecord] = []
    while len(again) < 40:
        again += await reader.fetch(max_records=7, wait_seconds=5)
    assert sorted(again, key=lambda r: (r.partition, r.offset)) == records
    await reader.close()
    await half.close()


async def test_fetch_gives_no_more_than_asked_and_loses_nothing(
    producer: Producer, topic: str, reader: Reader
) -> None:
    await write(producer, topic, *(b"%d" % number for number in range(10)))
    parts = [values(await reader.fetch(max_records=4, wait_seconds=5)) for _ in range(3)]
    assert parts == [[b"0", b"1", b"2", b"3"], [b"4", b"5", b"6", b"7"], [b"8", b"9"]]
    for offset in (6, 3):
        reader.seek(0, offset)
        found = values(await reader.fetch(max_records=2, wait_seconds=5))
        assert found == [b"%d" % offset, b"%d" % (offset + 1)]
        assert reader.position() == offset + 2


async def test_a_waiting_fetch_wakes_up_and_may_be_cancelled(
    producer: Producer, topic: str, reader: Reader
) -> None:
    waiting = asyncio.create_task(reader.fetch(max_records=5, wait_seconds=60))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    waiting = asyncio.create_task(reader.fetch(max_records=5, wait_seconds=60))
    await write(producer, topic, b"v")
    async with asyncio.timeout(5):
        assert values(await waiting) == [b"v"]


async def test_a_cut_connection_is_mended(producer: Producer, topic: str, reader: Reader) -> None:
    await write(producer, topic, b"a")
    assert values(await reader.fetch(max_records=5, wait_seconds=5)) == [b"a"]
    waiting = asyncio.create_task(reader.fetch(max_records=5, wait_seconds=60))
    await asyncio.sleep(0)
    for connection in [*reader._wire._connections.values(), *producer._wire._connections.values()]:
        connection._writer.transport.abort()
    await write(producer, topic, b"b")
    async with asyncio.timeout(5):
        assert values(await waiting) == [b"b"]


async def test_the_last_records_are_found_behind_marks(
    producer: Producer, topic: str, reader: Reader, settle: Settle
) -> None:
    await write(producer, topic, b"a", b"b", b"c")
    for _ in range(10):
        await write(producer, topic, b"x", commit=False)  # 20 offsets: more than the first look reaches
    await settle(reader, 24)
    assert values(await reader.last()) == [b"c"]
    assert values(await reader.last(count=2)) == [b"b", b"c"]
    assert values(await reader.last(count=9)) == [b"a", b"b", b"c"]
    assert reader.position() == 0


async def test_a_topic_of_aborted_records_only_has_no_last(
    producer: Producer, topic: str, reader: Reader, settle: Settle
) -> None:
    await write(producer, topic, b"x", commit=False)
    await settle(reader, 2)
    assert await reader.last() == []
    assert await to_end(reader) == []


async def test_expired_records_are_passed_over_and_told(
    kafka: str, producer: Producer, topic: str, reader: Reader, caplog: pytest.LogCaptureFixture
) -> None:
    await write(producer, topic, *(b"%d" % number for number in range(6)))
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    await admin.delete_records({TopicPartition(topic, 0): RecordsToDelete(before_offset=4)})
    await admin.close()
    with caplog.at_level(logging.WARNING):
        assert values(await reader.fetch(max_records=9, wait_seconds=5)) == [b"4", b"5"]
    assert "offsets 0 to 4 have expired unread" in caplog.text
    assert values(await to_end(reader, start=2)) == [b"4", b"5"]
    assert values(await to_end(reader)) == [b"4", b"5"]


async def test_a_position_beyond_the_end_is_told(reader: Reader) -> None:
    reader.seek(0, 1000)
    with pytest.raises(Refused, match="created anew"):
        await reader.fetch(max_records=1, wait_seconds=1)


async def test_what_moved_is_found_again(producer: Producer, topic: str, reader: Reader) -> None:
    for wire in (producer._wire, reader._wire):
        wire._leaders = {topic: {0: 999}}
        wire._coordinators = {(Role.TRANSACTION, producer._transaction._id): 999, (Role.GROUP, topic): 999}
    await producer.begin()
    producer.send(topic, key=b"k", value=b"v", headers=[])
    await producer.commit(group=topic, offsets={(topic, 0): 1})
    assert values(await reader.fetch(max_records=2, wait_seconds=5)) == [b"v"]


async def test_a_missing_partition_is_told_among_others(
    settings: KafkaSettings, topic_prefix: str, make_topic: MakeTopic
) -> None:
    topic = await make_topic(partitions=4)
    producer = await Producer.open(settings.model_copy(update={"deadline_seconds": 0.5}), topic_prefix)
    await producer.begin()
    for partition in (0, 1, 9, 2, 3):
        producer.send(topic, key=b"k", value=b"v", headers=[], partition=partition)
    with pytest.raises(Refused, match=f"writing to {topic}.*create the topics"):
        await producer.commit()
    await producer.close()


async def test_a_missing_topic_is_named(settings: KafkaSettings, topic_prefix: str) -> None:
    hasty = settings.model_copy(update={"deadline_seconds": 0.5})
    with pytest.raises(Refused, match=rf"no topic {topic_prefix}none.*create the topics"):
        await Reader.open(hasty, f"{topic_prefix}none")
    producer = await Producer.open(hasty, topic_prefix)
    await producer.begin()
    producer.send(f"{topic_prefix}none", key=None, value=b"", headers=[])
    with pytest.raises(Refused, match="create the topics"):
        await producer.commit()
    await producer.close()
