"""A broker that starts again alone forgets marks of transactions; the next producer has them written."""

import asyncio
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from pipeline.kafka import Admin, KafkaSettings, Membership, Producer, Reader
from pipeline.kafka.local import LocalCluster
from schemas.topics import Topic

pytestmark = pytest.mark.kafka
TIMEOUT_MS = 1000
"""Of a transaction; the outage is longer, so that the broker finds it timed out when it is back."""
ID, GROUP, TOPIC = "owner.0", "group", "topic.v1"


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[LocalCluster]:
    one = LocalCluster(tmp_path / "kafka")
    yield one
    one.destroy()


async def committed(settings: KafkaSettings) -> Mapping[tuple[str, int], int]:
    async with Admin(settings) as admin:
        return await admin.group_offsets(GROUP)


async def test_what_was_aborted_while_nobody_led_is_not_committed_by_the_next(cluster: LocalCluster) -> None:
    settings = KafkaSettings(bootstrap_servers=cluster.start(), transaction_timeout_ms=TIMEOUT_MS)
    spec = Topic(TOPIC, "", "", {}, "", retention_days=1)
    async with Admin(settings) as admin:
        await admin.create([spec], "")
    first = await Producer.open(settings, ID, writes=[(TOPIC, 0)], group=GROUP)
    await first.begin()
    first.send(TOPIC, key=b"k", value=b"kept", headers=[])
    await first.commit(group=GROUP, offsets={(TOPIC, 0): 1})
    await first.begin()
    first.send(TOPIC, key=b"k", value=b"left open", headers=[])
    await first.flush()
    await first._transaction.add_offsets(GROUP, {(TOPIC, 0): 2}, first._wire.deadline())
    cluster.kill(1)
    await first._wire.close()
    await asyncio.sleep(TIMEOUT_MS / 1000)
    cluster.start()  # its log says "likely deleted already", unless it was slow
    next_one = await Producer.open(settings, ID, writes=[(TOPIC, 0)], group=GROUP)
    member = await Membership.open(settings, GROUP, TOPIC)
    try:
        assert await member.committed(0) == 1
        await next_one.begin()
        next_one.send(TOPIC, key=b"k", value=b"next", headers=[])
        await next_one.commit(group=GROUP, offsets={(TOPIC, 0): 2})
        reader = await Reader.open(settings, TOPIC, [0])
        try:
            found = [one.value async for some in reader.read_to_end(settled=True) for one in some]
        finally:
            await reader.close()
        assert found == [b"kept", b"next"]
        assert await member.committed(0) == 2
    finally:
        await member.close()
        await next_one.close()
