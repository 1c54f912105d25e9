"""Batches there and back without a broker: partitions, holes, and which records are nobody's."""

import asyncio
import struct

import pytest
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.util import calc_crc32c
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.kafka import KafkaRecord, Refused
from pipeline.kafka.batches import BATCH_BYTES, Send, pack, place
from pipeline.kafka.records import Chunk

HEADER = 61
CONTROL = 0x20
ABORT, COMMIT = struct.pack(">hh", 0, 0), struct.pack(">hh", 0, 1)


def batch(
    base: int, deltas: list[int], producer: int, *, control: bytes | None = None, size: int = 0
) -> bytes:
    """A batch as the broker stores it: `deltas` is what compaction left, `size` how many offsets it spans."""
    builder = DefaultRecordBatchBuilder(2, 0, 1, producer, 0, 0, 1 << 20)
    for delta in deltas:
        builder.append(delta, 1, control or b"key", b"%d" % (base + delta), [])
    raw = bytearray(builder.build())
    struct.pack_into(">q", raw, 0, base)
    struct.pack_into(">i", raw, 23, max(size, max(deltas) + 1) - 1)
    if control is not None:
        raw[22] |= CONTROL
    struct.pack_into(">I", raw, 17, calc_crc32c(bytes(raw[21:])))
    return bytes(raw)


def read(
    data: bytes, aborted: list[tuple[int, int]], position: int = 0, step: int = 1000
) -> list[KafkaRecord]:
    chunk = Chunk("t", 0, position, data, aborted)
    found: list[KafkaRecord] = []
    while some := chunk.take(step):
        found += some
    return found


def test_holes_left_by_compaction_are_passed() -> None:
    data = batch(0, [0, 3], 1, size=5) + batch(5, [0], 1, control=COMMIT) + batch(9, [2], 1, size=4)
    chunk = Chunk("t", 0, 0, data, [])
    assert [record.offset for record in chunk.take(10)] == [0, 3, 11]
    assert chunk.position == 13


def test_a_fetch_may_begin_in_the_middle_of_a_batch() -> None:
    assert [record.offset for record in read(batch(0, [0, 1, 2, 3], 1), [], position=2)] == [2, 3]


def test_damaged_bytes_are_not_read() -> None:
    data = bytearray(batch(7, [0, 1], 1))
    data[-1] ^= 1
    with pytest.raises(Refused, match="damaged at offset 7"):
        read(bytes(data), [])


@settings(max_examples=150, deadline=None)
@given(
    # Producer, number of records, and whether its transaction goes on, is committed or aborted.
    parts=st.lists(st.tuples(st.integers(1, 3), st.integers(1, 4), st.sampled_from("gca")), max_size=25),
    start=st.integers(0, 40),
    step=st.integers(1, 7),
)
def test_interleaved_transactions_give_what_was_committed(
    parts: list[tuple[int, int, str]], start: int, step: int
) -> None:
    data, offset = b"", 0
    open_since: dict[int, int] = {}
    pending: dict[int, list[int]] = {}
    committed: list[int] = []
    aborted: list[tuple[int, int, int]] = []
    for producer, count, then in [*parts, (1, 1, "a"), (2, 1, "c"), (3, 1, "a")]:
        data += batch(offset, list(range(count)), producer)
        open_since.setdefault(producer, offset)
        pending.setdefault(producer, []).extend(range(offset, offset + count))
        offset += count
        if then != "g":
            data += batch(offset, [0], producer, control=COMMIT if then == "c" else ABORT)
            mine = pending.pop(producer)
            first = open_since.pop(producer)
            if then == "c":
                committed += mine
            else:
                aborted.append((producer, first, offset))
            offset += 1
    # As the broker does: only what reaches into the data that are asked for.
    told = [(producer, first) for producer, first, last in aborted if last >= start]
    found = read(data, told, position=start, step=step)
    assert [record.offset for record in found] == sorted(at for at in committed if at >= start)


@pytest.mark.parametrize(
    ("key", "hash32"),
    [(b"21", -973932308), (b"foobar", -790332482), (b"a-little-bit-long-string", -985981536)],
)
def test_keys_go_where_kafkas_own_producers_put_them(key: bytes, hash32: int) -> None:
    # The hashes are those of Kafka's UtilsTest.
    assert place(key, 12) == (hash32 & 0x7FFFFFFF) % 12
    assert place(key, 1) == 0
    assert place(None, 12) == 0


async def test_batches_keep_order_and_size() -> None:
    loop = asyncio.get_running_loop()
    sends: list[Send] = [
        ("ab"[number % 2], None, b"k", b"%d" % number + bytes(300_000), [], loop.create_future())
        for number in range(12)
    ] + [("a", 0, b"k", bytes(2_000_000), [], loop.create_future())]
    batches = pack(sends, {"a": 1, "b": 1}, 1)
    for topic in "ab":
        sealed = [bytes(each.seal(1, 0, 0)) for each in batches if each.slot == (topic, 0)]
        assert [len(raw) <= BATCH_BYTES for raw in sealed] == [True, True] + [False] * (topic == "a")
        records = [record for raw in sealed for record in read(raw, [])]
        assert [r.value for r in records] == [send[3] for send in sends if send[0] == topic]
    for base, each in enumerate(batches):
        each.settle(base * 100)
    assert [send[-1].result() for send in sends if send[0] == "a"] == [0, 1, 2, 200, 201, 202, 400]
