"""A recording through the real daemon: the same values as without Kafka, and nothing twice."""

import gzip
import os
import signal
from pathlib import Path

import pytest

from connectors.recording import Recording, RecordingConfig
from pipeline.backtest import Chain, Topics, play
from pipeline.daemon.compose import CORES, core_of
from pipeline.daemon.replay import Progress
from pipeline.daemon.supervise import Supervisor
from pipeline.demo import RECORDED_DAY
from pipeline.ingest.follow import Source
from pipeline.kafka import Admin
from schemas.topics import DEDUPLICATED, FLAGS, ITEMS, STORIES, STORY_CHANGES, TOPICS
from tests.scenarios.desk import Desk

pytestmark = pytest.mark.kafka
COMPARED = (ITEMS, DEDUPLICATED, STORY_CHANGES, STORIES, FLAGS)


async def backtested(recording: Path) -> Topics:
    config = RecordingConfig(name="recording", path=recording)
    connector = Recording(config)
    chain = Chain([core_of(stage) for stage in CORES], Source(config, connector))
    await play(chain, connector.observe(None))
    return chain.topics


async def assert_same_as_backtest(desk: Desk, recording: Path) -> None:
    expected = await backtested(recording)
    for topic in COMPARED:
        placed = expected.values(topic)
        if topic.compact:
            placed = sorted(placed, key=lambda one: one.key.encode())
        assert await desk.values(topic) == [one.value and one.value.dump() for one in placed], topic.name


async def test_the_recorded_day_gives_the_same_values_as_without_kafka_and_nothing_twice(
    desk: Desk, tmp_path: Path
) -> None:
    await desk.replay(RECORDED_DAY)
    await assert_same_as_backtest(desk, RECORDED_DAY)
    first = await desk.counts()
    await desk.replay(RECORDED_DAY)
    assert await desk.counts() == first, "replayed again"
    async with Admin(desk.settings) as admin:
        for stage in CORES:
            await admin.delete_group(f"{desk.prefix}{stage}")
    elsewhere = tmp_path / "moved.jsonl.gz"
    elsewhere.write_bytes(gzip.compress(RECORDED_DAY.read_bytes()))
    await desk.replay(elsewhere)
    assert await desk.counts() == first, "from another path, without the groups' offsets"


async def test_every_output_has_an_id_of_its_own(desk: Desk) -> None:
    await desk.replay(RECORDED_DAY)
    for topic in TOPICS:
        names = [dict(record.headers) for record in await desk.records(topic)]
        ids = [(name["ce_source"], name["ce_id"]) for name in names]
        assert len(set(ids)) == len(ids), topic.name


@pytest.mark.parametrize("role", ["ingest", "deduplicate", "cluster", "chronology"])
async def test_kill_9_in_the_middle_loses_and_doubles_nothing(desk: Desk, long_day: Path, role: str) -> None:
    killed: list[int] = []

    def kill(now: Progress, supervisor: Supervisor) -> None:
        middle = now.lines >= 1000 if role == "ingest" else now.lines >= 3000 or now.done
        if middle and not killed:
            killed.append(supervisor.pids[role])
            os.kill(killed[0], signal.SIGKILL)

    await desk.replay(long_day, kill)
    assert killed
    await assert_same_as_backtest(desk, long_day)
