"""A group's offset that is behind the stage's own output: nothing is decided twice."""

import pytest

from pipeline.kafka import Producer
from schemas.topics import DEDUPLICATED, ITEMS
from tests.scenarios.desk import Desk
from tests.scenarios.test_poison import item, run_until_committed, write

pytestmark = pytest.mark.kafka


async def commit_offset(desk: Desk, offset: int) -> None:
    producer = await Producer.open(desk.settings, f"{desk.prefix}test")
    await producer.begin()
    await producer.commit(group=f"{desk.prefix}deduplicate", offsets={(ITEMS.full(desk.prefix), 0): offset})
    await producer.close()


async def test_what_stands_in_the_output_is_not_decided_again(desk: Desk) -> None:
    await write(desk, [item(n, f"text {n}") for n in range(5)])
    await run_until_committed(desk, 5)
    first = await desk.values(DEDUPLICATED)
    assert len(first) == 5
    await commit_offset(desk, 2)
    await write(desk, [item(5, "text 5")])
    await run_until_committed(desk, 7)
    then = await desk.values(DEDUPLICATED)
    assert then[:5] == first
    assert len(then) == 6
