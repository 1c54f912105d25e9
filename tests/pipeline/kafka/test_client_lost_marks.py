"""A broker that starts again alone forgets marks of transactions; the next producer has them written."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.kafka import Admin, KafkaSettings, Membership, Producer, Reader
from pipeline.kafka.local import LocalCluster
from schemas.topics import Topic

pytestmark = pytest.mark.kafka
TIMEOUT_MS = 1000
"""Of a transaction; the outage is longer, so that the broker finds it timed out when it is back."""
OUTAGES = 6
"""A slow broker may write its marks; one of so many forgets them."""
FORGETS = "likely deleted already"
ID, GROUP, TOPIC = "owner.0", "group", "topic.v1"


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[LocalCluster]:
    one = LocalCluster(tmp_path / "kafka")
    yield one
    one.destroy()


async def opened(settings: KafkaSettings) -> Producer:
    return await Producer.open(settings, ID, writes=[(TOPIC, 0)], group=GROUP)


async def write(producer: Producer, value: bytes, following: int) -> None:
    await producer.begin()
    producer.send(TOPIC, key=b"k", value=value, headers=[])
    await producer.commit(group=GROUP, offsets={(TOPIC, 0): following})


async def leave_open(producer: Producer, value: bytes, following: int) -> None:
    """Write a record and an offset, and never end the transaction."""
    await producer.begin()
    producer.send(TOPIC, key=b"k", value=value, headers=[])
    await producer.flush()
    await producer._transaction.add_offsets(GROUP, {(TOPIC, 0): following}, producer._wire.deadline())


async def told(settings: KafkaSettings) -> tuple[list[bytes | None], int | None]:
    """Give what readers of committed records see, and what the group committed."""
    member = await Membership.open(settings, GROUP, TOPIC)
    reader = await Reader.open(settings, TOPIC, [0])
    try:
        found = [one.value async for some in reader.read_to_end(settled=True) for one in some]
        return found, await member.committed(0)
    finally:
        await reader.close()
        await member.close()


async def test_what_was_aborted_while_nobody_led_is_not_committed_by_the_next(cluster: LocalCluster) -> None:
    settings = KafkaSettings(bootstrap_servers=cluster.start(), transaction_timeout_ms=TIMEOUT_MS)
    async with Admin(settings) as admin:
        await admin.create([Topic(TOPIC, "", "", {}, "", retention_days=1)], "")
    log = cluster.log_files()[1].with_name("broker.log")
    kept = [b"first"]
    producer = await opened(settings)
    await write(producer, b"first", 1)
    for outage in range(OUTAGES):
        await leave_open(producer, b"left open", 99)
        cluster.kill(1)
        await producer._wire.close()
        await asyncio.sleep(TIMEOUT_MS / 1000)
        cluster.start()
        producer = await opened(settings)
        assert await told(settings) == (kept, len(kept))
        kept.append(b"behind outage %d" % outage)
        await write(producer, kept[-1], len(kept))
        assert await told(settings) == (kept, len(kept))
        if FORGETS in log.read_text():
            break
    else:
        pytest.fail(f"in {OUTAGES} outages this Kafka forgot no mark: is the cure still needed?")
    await producer.close()
