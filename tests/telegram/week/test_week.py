"""The week in short: nothing lost, nothing invented."""

from tests.telegram.week.run import week
from tests.telegram.week.script import Size


async def test_a_short_week() -> None:
    outcome = await week(Size(3, 320, 5, (1, 101, 130)), seed=7)
    assert not outcome.wrong
    assert outcome.items >= 280
