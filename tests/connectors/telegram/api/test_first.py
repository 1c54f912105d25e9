"""Where a long backlog begins."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.telegram.albums import Part
from connectors.telegram.api.asks import Back, Older, Page
from connectors.telegram.api.first import Start
from connectors.telegram.api.walks import ALBUM
from tests.connectors.telegram.api.small import Channel


def found(channel: Channel, count: int) -> Start:
    start = Start(count)
    while start.low is None and not start.failed:
        answer = channel.answer(start.ask())
        assert isinstance(answer, Page)
        start.take(answer)
    return start


@given(
    st.lists(st.integers(1, ALBUM), max_size=60), st.integers(2 * ALBUM, 120), st.sets(st.integers(1, 300))
)
def test_so_many_messages_are_behind_it_and_it_cuts_no_album(
    sizes: list[int], count: int, deleted: set[int]
) -> None:
    channel = Channel()
    for size in sizes:
        channel.publish(size)
    for number in deleted & channel.messages.keys():
        del channel.messages[number]
    start = found(channel, count)
    if start.failed:  # too near the beginning
        assert len(channel.messages) < count + ALBUM
        return
    low = start.low or 0
    behind = [one for one in channel.messages if one >= low]
    assert len(behind) >= min(count, len(channel.messages))
    groups = {channel.messages[one].group for one in behind} - {None}
    assert not groups & {part.group for number, part in channel.messages.items() if number < low}
    if len(behind) > count:  # for the sake of one album
        assert len({channel.messages[one].group for one in sorted(behind)[: len(behind) - count + 1]}) == 1


@pytest.mark.parametrize(
    ("pages", "failed"),
    [
        ([Page((Part(900),))], True),  # no total
        ([Page((Part(900),), total=900), Page(())], True),
        ([Page((Part(900),), total=900), Page(tuple(Part(n) for n in range(950, 970)))], True),
        ([Page((Part(900),), total=300)], False),
        ([Page((), total=0)], False),
    ],
)
def test_what_was_not_asked_for_is_not_believed(pages: list[Page], *, failed: bool) -> None:
    start = Start(300)
    for page in pages:
        assert isinstance(start.ask(), (Older, Back))
        start.take(page)
    assert start.failed is failed
    assert failed or start.low == 1
