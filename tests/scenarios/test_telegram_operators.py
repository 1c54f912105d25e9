"""What an operator must see: a channel that is lost, a dead session, a takeover while posts go on."""

from pathlib import Path

import pytest

from tests.scenarios.desk import Desk
from tests.telegram.operators.cases import play

pytestmark = pytest.mark.kafka


@pytest.mark.parametrize("number", [1, 3, 4, 6])
async def test_an_operator_sees_it(number: int, desk: Desk, tmp_path: Path) -> None:
    name, seen, missed = await play(number, desk, tmp_path)
    assert missed is None, f"{name}: {missed}\n{seen}"
