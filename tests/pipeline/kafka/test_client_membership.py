"""Who holds which partition, and that nobody holds one without knowing that it is still theirs."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.kafka import Admin, KafkaSettings, Membership, Producer, Refused
from pipeline.kafka.share import share

MakeTopic = Callable[..., Awaitable[str]]
Join = Callable[[str], Awaitable[Membership]]
SESSION_SECONDS = 6.0
NONE: frozenset[int] = frozenset()
pytestmark = [pytest.mark.kafka, pytest.mark.usefixtures("no_noise")]


@pytest.fixture
async def join(settings: KafkaSettings, topic_prefix: str) -> AsyncIterator[Join]:
    members = []

    async def one_more(topic: str) -> Membership:
        member = await Membership.open(settings, f"{topic_prefix}group", topic, heartbeat_ms=200)
        members.append(member)
        return member

    yield one_more
    await asyncio.gather(*(member.close() for member in members))


async def die(member: Membership) -> None:
    """Stop speaking, and do not say goodbye."""
    assert member._task is not None
    member._task.cancel()
    await asyncio.wait([member._task])
    member._group.forget()
    await member._wire.close()


async def test_a_second_member_gets_its_share_and_leaves_it(join: Join, make_topic: MakeTopic) -> None:
    topic = await make_topic(partitions=12)
    first = await join(topic)
    assert first.assigned == frozenset(range(12))
    second = await join(topic)
    async with asyncio.timeout(5):
        assert await first.changed() == NONE
        kept = await first.changed()
    assert len(kept) == len(second.assigned) == 6
    assert kept | second.assigned == frozenset(range(12))
    await second.close()
    async with asyncio.timeout(2):
        assert await first.changed() == NONE
        assert await first.changed() == frozenset(range(12))
    assert first.assigned == frozenset(range(12))


async def test_a_standby_takes_over_from_one_that_died(join: Join, make_topic: MakeTopic) -> None:
    topic = await make_topic()
    first, standby = await join(topic), await join(topic)
    assert first.assigned == {0}
    assert standby.assigned == NONE
    began = time.monotonic()
    await die(first)
    async with asyncio.timeout(SESSION_SECONDS + 2):
        assert await standby.changed() == {0}
    assert SESSION_SECONDS - 1 < time.monotonic() - began < SESSION_SECONDS + 1
    assert standby.assigned == {0}


async def test_others_that_come_and_go_do_not_disturb_the_holder(join: Join, make_topic: MakeTopic) -> None:
    topic = await make_topic()
    first = await join(topic)
    waiting = asyncio.create_task(first.changed())
    second, third = await asyncio.gather(join(topic), join(topic))
    await die(second)
    await third.close()
    await join(topic)
    assert not waiting.done()
    assert first.assigned == {0}
    waiting.cancel()
    await asyncio.wait([waiting])


async def test_a_newcomer_takes_idle_partitions_and_leaves_the_one_at_work(
    settings: KafkaSettings, topic_prefix: str, make_topic: MakeTopic
) -> None:
    topic, group = await make_topic(partitions=12), f"{topic_prefix}group"
    work = {8}
    async with AsyncExitStack() as leaving:
        members = []
        for count in (1, 2):
            member = await Membership.open(
                settings, group, topic, heartbeat_ms=200, wanted=lambda: frozenset(work)
            )
            leaving.push_async_callback(member.close)
            members.append(member)
            async with Admin(settings) as admin:
                assert len(await admin.members(group)) == count
        first, second = members
        assert 8 in first.assigned
        async with asyncio.timeout(5):
            while len(first.assigned) > 6:
                await first.changed()
        assert 8 in first.assigned
        work.add(next(iter(first.assigned - work)))  # more work, all of it with the first: it is shared anew
        async with asyncio.timeout(5):
            while not second.assigned & work or first.assigned & second.assigned:  # noqa: ASYNC110
                await asyncio.sleep(0.05)  # one hears of it a moment before the other
        assert len(first.assigned & work) == len(second.assigned & work) == 1
        async with Admin(settings) as admin:
            shares = {member.partitions for member in await admin.members(group)}
            assert shares == {first.assigned, second.assigned}
            assert {member.host for member in await admin.members(group)} == {"127.0.0.1"}
            assert await admin.members(f"{topic_prefix}nobody") == []


async def test_an_evicted_member_is_told_and_comes_back(join: Join, make_topic: MakeTopic) -> None:
    member = await join(await make_topic())
    old = member._group._member
    await member._group.leave(1)  # as if the broker had given up on it: it does not know that
    async with asyncio.timeout(3):
        while member._group._member in ("", old):
            member._news.clear()
            await member._news.wait()
        # All is back when we look, and yet somebody else may have had it meanwhile.
        assert await member.changed() == NONE
        assert await member.changed() == {0}


async def test_a_member_out_of_touch_stops_before_its_session_ends(
    join: Join, make_topic: MakeTopic, nobody: str
) -> None:
    member = await join(await make_topic())
    host, port = nobody.split(":")
    brokers = dict(member._wire._brokers)
    member._wire._brokers = dict.fromkeys(brokers, (host, int(port)))
    for connection in member._wire._connections.values():
        connection._writer.transport.abort()
    began = time.monotonic()
    assert await member.changed() == NONE
    assert SESSION_SECONDS / 2 < time.monotonic() - began < SESSION_SECONDS - 1
    assert member.assigned == NONE
    member._wire._brokers = brokers
    async with asyncio.timeout(12):
        assert await member.changed() == {0}


async def test_committed_is_what_the_group_committed(
    settings: KafkaSettings,
    topic_prefix: str,
    join: Join,
    make_topic: MakeTopic,
) -> None:
    topic = await make_topic(partitions=2)
    member = await join(topic)
    assert await member.committed(0) is None
    producer = await Producer.open(settings, topic_prefix)
    await producer.begin()
    await producer.commit(group=f"{topic_prefix}group", offsets={(topic, 1): 42})
    await producer.close()
    await (await Producer.open(settings, topic_prefix)).close()  # all is decided then
    assert [await member.committed(partition) for partition in (0, 1)] == [None, 42]


async def test_an_offset_in_a_transaction_that_has_not_ended_is_waited_for(
    settings: KafkaSettings,
    topic_prefix: str,
    join: Join,
    make_topic: MakeTopic,
) -> None:
    topic = await make_topic()
    member, group = await join(topic), f"{topic_prefix}group"
    producer = await Producer.open(settings, topic_prefix)
    try:
        await producer._transaction.add_offsets(group, {(topic, 0): 42}, producer._wire.deadline())
        async with Admin(settings) as admin:
            assert await admin.group_offsets(group) == {}
        asked = asyncio.create_task(member.committed(0))
        await asyncio.sleep(0.5)
        assert not asked.done()
        await producer._transaction.end(producer._wire.deadline(), commit=True)
        assert await asked == 42
    finally:
        await producer.close()


async def test_a_group_with_members_is_not_deleted(
    settings: KafkaSettings,
    topic_prefix: str,
    join: Join,
    make_topic: MakeTopic,
) -> None:
    member = await join(await make_topic())
    async with Admin(settings) as admin:
        with pytest.raises(Refused, match="has members: stop them first"):
            await admin.delete_group(f"{topic_prefix}group")
        await member.close()
        await admin.delete_group(f"{topic_prefix}group")
        await admin.delete_group(f"{topic_prefix}group")


@given(
    partitions=st.integers(0, 12),
    held=st.dictionaries(
        st.text(min_size=1, max_size=3), st.frozensets(st.integers(0, 14)), min_size=1, max_size=6
    ),
    wanted=st.frozensets(st.integers(0, 14)),
)
def test_work_is_shared_fairly_and_so_is_all(
    partitions: int, held: dict[str, frozenset[int]], wanted: frozenset[int]
) -> None:
    shares = share(partitions, held, wanted)
    assert sorted(partition for mine in shares.values() for partition in mine) == list(range(partitions))
    work = wanted & frozenset(range(partitions))
    for mine in shares.values():
        assert len(mine) <= -(-partitions // len(held))
        assert len(work & set(mine)) <= -(-len(work) // len(held))
    assert share(partitions, {member: frozenset(mine) for member, mine in shares.items()}, wanted) == shares


@given(
    partitions=st.integers(0, 12),
    held=st.dictionaries(
        st.text(min_size=1, max_size=3), st.frozensets(st.integers(0, 14)), min_size=1, max_size=6
    ),
)
def test_shares_are_whole_fair_and_kept(partitions: int, held: dict[str, frozenset[int]]) -> None:
    shares = share(partitions, held)
    assert sorted(partition for mine in shares.values() for partition in mine) == list(range(partitions))
    assert shares.keys() == held.keys()
    most = -(-partitions // len(held))
    assert all(len(mine) <= most for mine in shares.values())
    assert share(partitions, {member: frozenset(mine) for member, mine in shares.items()}) == shares
    if sum(map(len, held.values())) == len(frozenset().union(*held.values())):
        for member, mine in held.items():
            kept = {partition for partition in mine if partition < partitions}
            assert len(kept & set(shares[member])) == min(len(kept), most)
