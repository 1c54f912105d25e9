"""The short form of `make chaos`: one round of faults on two machines, and what is on the topics after it."""

from pathlib import Path
from random import Random

import pytest
import structlog
from rich.console import Console

from pipeline.kafka.local import LocalCluster
from tests.chaos.campaign import QUICK, Campaign

pytestmark = pytest.mark.kafka


@pytest.mark.timeout(300)
async def test_faults_lose_double_and_change_nothing(tmp_path: Path) -> None:
    cluster = LocalCluster(tmp_path / "kafka")
    campaign = Campaign(1, Random(4), QUICK, tmp_path, structlog.get_logger(), Console(quiet=True))
    try:
        cluster.start()
        await campaign.processes(cluster, least=0, most_rounds=1)
    finally:
        cluster.destroy()
    assert campaign.found == []
    assert len(campaign.struck) >= 20
    assert all(one.seconds is not None for one in campaign.struck)
