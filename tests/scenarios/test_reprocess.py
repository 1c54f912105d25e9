"""`dateline reprocess`: the live topics stay as they are, and what came out otherwise is told."""

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.chronology.decide import Chronology
from pipeline.cluster.decide import Cluster
from pipeline.daemon.compose import ensure_topics
from pipeline.daemon.contrast import Span
from pipeline.daemon.reprocess import outcome
from pipeline.demo import RECORDED_DAY
from pipeline.kafka import Admin
from schemas.cloudevents import decode
from schemas.item import Deduplicated
from schemas.topics import DEDUPLICATED, ITEMS
from tests.scenarios.desk import Desk
from tests.scenarios.stages import run
from tests.scenarios.test_upgrade import Next, post, write

pytestmark = pytest.mark.kafka
ROOT = Path(__file__).parents[2]


def reprocess(desk: Desk, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    kafka = {"bootstrap_servers": desk.settings.bootstrap_servers}
    config = folder / "live.yaml"
    config.write_text(yaml.safe_dump({"kafka": kafka, "topics": {"prefix": desk.prefix}}))
    command = [sys.executable, "-m", "pipeline.cli", "reprocess", "-c", str(config), *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


async def test_the_same_rules_make_the_same_of_a_span(desk: Desk, tmp_path: Path) -> None:
    await desk.replay(RECORDED_DAY)
    before = await desk.counts()
    done = reprocess(desk, tmp_path, "--from", "2026-07-04T12:00", "--to", "2026-07-05", "--json")
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    assert told["items"] == 48, "what came before noon is lead-in"
    assert (told["counts"], told["differences"]) == ({}, [])
    assert await desk.counts() == before
    span = Span(datetime(2026, 7, 4, 12, tzinfo=UTC), datetime(2026, 7, 5, tzinfo=UTC))
    flags = (await outcome(desk.settings, desk.prefix, frozenset(), span)).flags
    assert flags, "there was something to compare"
    async with Admin(desk.settings) as admin:
        assert await admin.names("reprocess-") == []


async def test_other_rules_are_told_and_a_named_shadow_stays(desk: Desk, tmp_path: Path) -> None:
    await ensure_topics(desk.settings, desk.prefix, desk.log)
    await write(desk, [post(number) for number in range(1, 121)])
    for core in (Next(), Cluster(), Chronology()):
        await run(desk, core)
    records = await desk.records(DEDUPLICATED)
    told = [decode(one.headers, one.value, DEDUPLICATED.types).data for one in records]
    ruled = [one for one in told if isinstance(one, Deduplicated) and one.verdict.rule.endswith("/2")]
    assert len(ruled) == 120
    shadow = f"shadow-{desk.prefix}"
    words = ("--from", "2026-07-04T13:00", "--to", "2026-07-04T15:00", "--prefix", shadow)
    done = reprocess(desk, tmp_path, *words)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("40 item revisions, 40 differences.")
    assert "verdict" in done.stdout
    assert "rule" in done.stdout
    copied = await Desk(desk.settings, shadow).records(ITEMS)
    assert len(copied) == 59, "what came before the span is lead-in"
    again = reprocess(desk, tmp_path, *words)
    assert again.returncode == 1
    assert "is not empty: choose another --prefix" in again.stderr
    wrong = reprocess(desk, tmp_path, *words[:4], "--prefix", desk.prefix)
    assert (wrong.returncode, "are the live topics" in wrong.stderr) == (1, True)
    assert len(await desk.records(DEDUPLICATED)) == len(records)
