"""The baseline: what this machine does with aiokafka alone, exactly once, and nothing of ours in between."""

import asyncio
import logging
from collections import deque
from dataclasses import dataclass
from secrets import token_hex
from time import perf_counter

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from pipeline.kafka import Admin
from schemas.topics import Topic
from tests.bench.place import Broker
from tests.bench.processes import apart, cpu_seconds

RECORD_BYTES = 900
TRANSACTION_RECORDS = 1000
BATCH_BYTES = 1_048_576
BACKOFF_MS = 10
"""The settings with which aiokafka is fastest; by default it is several times slower."""

COPY = "bare copy"
HOP = "one hop"

SOURCE = Topic("bare-source.v1", "What is copied.", "a number", {}, "bench")
TARGET = Topic("bare-target.v1", "The copy.", "a number", {}, "bench")


@dataclass(frozen=True, slots=True)
class Copied:
    """What a bare copy came to.

    Attributes:
        per_second: records.
        cpu_us: processor time of its process, microseconds a record.
        broker_us: processor time of the broker meanwhile, microseconds a record.
        peak_mb: memory of its process.
    """

    per_second: float
    cpu_us: float
    broker_us: float
    peak_mb: float


async def copied(broker: Broker, records: int) -> Copied:
    """Copy records from topic to topic, exactly once, in a process of its own."""
    bootstrap = broker.settings.bootstrap_servers
    async with Admin(broker.settings) as admin:
        await admin.create([SOURCE, TARGET], prefix := f"bare-{token_hex(3)}.")
        await _fill(bootstrap, SOURCE.full(prefix), records)
        before = cpu_seconds(broker.pid)
        outcome = await apart(_copy_all, bootstrap, prefix, records)
        broker_us = (cpu_seconds(broker.pid) - before) / records * 1e6
        await admin.delete(prefix)
    return Copied(records / outcome.result, outcome.cpu_seconds / records * 1e6, broker_us, outcome.peak_mb)


async def hops(broker: Broker, per_second: int, seconds: float) -> list[float]:
    """Copy records that come one by one at a steady pace.

    Returns:
        For each record the time between its appends on both topics, in ms.
    """
    bootstrap = broker.settings.bootstrap_servers
    async with Admin(broker.settings) as admin:
        await admin.create([SOURCE, TARGET], prefix := f"bare-{token_hex(3)}.")
        outcome = await apart(_pace, bootstrap, prefix, per_second, seconds)
        await admin.delete(prefix)
    return outcome.result


def _hush() -> None:
    """Keep aiokafka from telling of every retry: they belong to what is measured."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)


def _producer(bootstrap: str, name: str) -> AIOKafkaProducer:
    _hush()
    return AIOKafkaProducer(
        bootstrap_servers=bootstrap,
        transactional_id=name,
        max_batch_size=BATCH_BYTES,
        retry_backoff_ms=BACKOFF_MS,
    )


def _consumer(bootstrap: str, topic: str, group: str | None = None) -> AIOKafkaConsumer:
    _hush()
    return AIOKafkaConsumer(
        topic,
        bootstrap_servers=bootstrap,
        group_id=group,
        isolation_level="read_committed",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )


async def _fill(bootstrap: str, topic: str, records: int) -> None:
    async with _producer(bootstrap, f"{topic}.fill") as producer:
        for start in range(0, records, TRANSACTION_RECORDS):
            async with producer.transaction():
                for number in range(start, min(start + TRANSACTION_RECORDS, records)):
                    await producer.send(topic, key=b"%d" % number, value=bytes(RECORD_BYTES), partition=0)


async def _copy_all(bootstrap: str, prefix: str, records: int) -> float:
    """Copy so many records and give the seconds from the first fetch to the last commit."""
    topic, name = SOURCE.full(prefix), f"{prefix}copy"
    async with _consumer(bootstrap, topic, name) as consumer, _producer(bootstrap, name) as producer:
        await consumer.seek_to_beginning()
        started = perf_counter()
        await _copy(consumer, producer, prefix, records)
        return perf_counter() - started


async def _copy(consumer: AIOKafkaConsumer, producer: AIOKafkaProducer, prefix: str, records: int) -> None:
    left = records
    while left:
        found = await consumer.getmany(timeout_ms=1000, max_records=TRANSACTION_RECORDS)
        for slot, some in found.items():
            async with producer.transaction():
                for one in some:
                    await producer.send(TARGET.full(prefix), key=one.key, value=one.value, partition=0)
                await producer.send_offsets_to_transaction({slot: some[-1].offset + 1}, f"{prefix}copy")
            left -= len(some)


async def _pace(bootstrap: str, prefix: str, per_second: int, seconds: float) -> list[float]:
    records = int(per_second * seconds)
    group, topics = f"{prefix}copy", (SOURCE.full(prefix), TARGET.full(prefix))
    async with (
        _consumer(bootstrap, topics[0], group) as consumer,
        _producer(bootstrap, group) as producer,
        _producer(bootstrap, f"{prefix}pace") as source,
        asyncio.TaskGroup() as both,
    ):
        both.create_task(_copy(consumer, producer, prefix, records))
        both.create_task(_write_steadily(source, topics[0], records, per_second))
    before, after = [await _times(bootstrap, topic, records) for topic in topics]
    return [float(after[key] - time) for key, time in before.items()]


async def _write_steadily(producer: AIOKafkaProducer, topic: str, records: int, per_second: int) -> None:
    """Write what has fallen due since the last transaction, as ingest does."""
    loop = asyncio.get_running_loop()
    start = loop.time()
    due = deque(range(records))
    while due:
        await asyncio.sleep(max(0.0, start + due[0] / per_second - loop.time()))
        async with producer.transaction():
            while due and start + due[0] / per_second <= loop.time():
                number = due.popleft()
                await producer.send(topic, key=b"%d" % number, value=bytes(RECORD_BYTES), partition=0)


async def _times(bootstrap: str, topic: str, records: int) -> dict[bytes, int]:
    times: dict[bytes, int] = {}
    async with _consumer(bootstrap, topic) as consumer:
        while len(times) < records:
            for some in (await consumer.getmany(timeout_ms=1000)).values():
                times.update((one.key, one.timestamp) for one in some)
    return times
