"""Stages in this process, with whatever core a test wants."""

import asyncio
from typing import Any

import structlog
from prometheus_client import CollectorRegistry

from pipeline.core import Core
from pipeline.kafka import Admin, Producer
from pipeline.observe.health import Health
from pipeline.observe.metrics import StageMetrics
from pipeline.stage import Stage
from pipeline.transaction import Identity
from tests.scenarios.desk import Desk

WAIT_SECONDS = 60


def stage_of(desk: Desk, core: Core[Any], code: str = "code") -> Stage:
    """Give a stage; `code` is the fingerprint that its outputs carry."""
    return Stage(
        core,
        Identity(core.stage, desk.prefix, code, "config"),
        settings=desk.settings,
        metrics=StageMetrics(CollectorRegistry()),
        health=Health(core.stage),
        log=structlog.get_logger(),
    )


async def run(desk: Desk, core: Core[Any], code: str = "code") -> None:
    """Run a stage until it has read all that there is."""
    stop = asyncio.Event()
    task = asyncio.create_task(stage_of(desk, core, code).run(stop))
    offset = (await desk.records(core.reads))[-1].offset + 1
    await committed(desk, core, offset, task)
    stop.set()
    await task
    await readable(desk, f"{desk.prefix}{core.stage}.0")


async def readable(desk: Desk, transactional_id: str) -> None:
    """Wait until all that was committed under an id can be read: the broker answers a moment before that."""
    await (await Producer.open(desk.settings, transactional_id)).close()


async def committed(desk: Desk, core: Core[Any], offset: int, task: "asyncio.Task[None]") -> None:
    """Wait until a stage has committed an offset of its input; the task must not end meanwhile."""
    group, place = f"{desk.prefix}{core.stage}", (core.reads.full(desk.prefix), 0)
    async with asyncio.timeout(WAIT_SECONDS), Admin(desk.settings) as admin:
        while (await admin.group_offsets(group)).get(place, 0) < offset:
            assert not task.done(), task.exception()
            await asyncio.sleep(0.05)
