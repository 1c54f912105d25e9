"""The one place where the parts of a process are put together."""

import asyncio
import gc
import hashlib
import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from structlog.typing import FilteringBoundLogger

from connectors.seam import Lent, SourceConfig
from pipeline.config import Config, ConfigProblem, fingerprint, hosts, with_shared
from pipeline.control.following import Following
from pipeline.control.orders import Orders
from pipeline.core import Core
from pipeline.daemon.connections import Connections
from pipeline.failpoints import from_environment
from pipeline.ingest.clock import Clock
from pipeline.ingest.follow import Source
from pipeline.ingest.ingest import Ingest
from pipeline.ingest.plan import Unusable
from pipeline.kafka import Admin, KafkaProblem, KafkaSettings
from pipeline.observe.health import Health
from pipeline.observe.metrics import IngestMetrics, StageMetrics, registry_of_process
from pipeline.observe.server import serve
from pipeline.stage import Stage
from pipeline.transaction import Identity
from pipeline.waiting import delay_seconds, first_of
from schemas.topics import TOPICS

CORES: Mapping[str, str] = {
    "deduplicate": "pipeline.deduplicate.decide:Deduplicate",
    "cluster": "pipeline.cluster.decide:Cluster",
    "chronology": "pipeline.chronology.decide:Chronology",
}
"""Where each stage's core is; imported only by the process that runs it."""

ROLES = ("ingest", *CORES)
AGAIN_SECONDS = 5.0

NICENESS: Mapping[str, int] = {"ingest": 10, "deduplicate": 5, "cluster": 0, "chronology": 0}
"""Where processors are short, what is in hand is finished before more is taken in. Without it the first
stages run ahead and then leave the clusterer alone: two cores were busy 86 % of the time, with it 95 %."""


def core_of(stage: str) -> Core[Any]:
    """Give a new core of a stage."""
    module, _, name = CORES[stage].partition(":")
    core: Callable[[], Core[Any]] = getattr(import_module(module), name)
    return core()


def in_force(own: Config, orders: Orders, folder: Path) -> Config:
    """Give a host's config with what is in force for all; with its own file's while nothing is.

    Raises:
        Unusable: this machine cannot use what is in force.
    """
    if orders.shared is None:
        return own
    try:
        return with_shared(own, orders.shared, folder)
    except ConfigProblem as problem:
        raise Unusable(f"generation {orders.generation}: {problem}") from None


def code_fingerprint(stage: str) -> str:
    """Hash the code that a stage's decisions depend on: the messages, the engine and its own package."""
    root = Path(__file__).parents[2]
    files = [root / "pipeline" / name for name in ("engine.py", "core.py", "retries.py")]
    files += [*sorted((root / "schemas").glob("*.py")), *sorted((root / "pipeline" / stage).glob("**/*.py"))]
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


async def ensure_topics(settings: KafkaSettings, prefix: str, log: FilteringBoundLogger) -> None:
    """Create the topics that are missing, and report those whose settings are not the registry's."""
    async with Admin(settings) as admin:
        if created := await admin.create(TOPICS, prefix):
            log.info("topics created", count=len(created), prefix=prefix)
        for difference in await admin.verify(TOPICS, prefix):
            log.error("a topic differs from the registry", difference=str(difference))


async def topics_at_last(
    settings: KafkaSettings, prefix: str, log: FilteringBoundLogger, health: Health, stop: asyncio.Event
) -> None:
    """Wait for Kafka, for as long as it takes, and see to the topics; a host may start us before it."""
    failures = 0
    while not stop.is_set():
        try:
            await ensure_topics(settings, prefix, log)
        except KafkaProblem as problem:
            failures += 1
            delay = delay_seconds(failures, cap=30)
            health.set("kafka", ready=False, note=str(problem))
            log.warning("kafka cannot be used yet", reason=str(problem), next_seconds=round(delay, 1))
            await first_of(stop.wait(), asyncio.sleep(delay))
        else:
            health.set("kafka", ready=True, note="topics are there")
            return


def settle_garbage() -> None:
    """Let the collector look seldom: a window is long-lived objects in no cycles, and a look at all stalls.

    Measured: single records of 100 ms and more without this.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 50, 100)


async def run_role(
    config: Config,
    role: str,
    settings: KafkaSettings,
    *,
    folder: Path,
    port: int,
    log: FilteringBoundLogger,
    stop: asyncio.Event,
) -> None:
    """Run ingest or one stage until `stop`.

    What is the host's own comes from `config`; what holds for all from control.v1, paths from `folder` on.

    Raises:
        StageBroken: the stage cannot go on.
        PortInUse: the port for metrics is taken.
        MalformedOrders: the process is armed with failpoints that there are not.
    """
    reach = from_environment(os.environ, role, log, KafkaProblem)
    settle_garbage()
    os.nice(NICENESS[role])
    registry, health, prefix = registry_of_process(), Health(role), config.topics.prefix
    async with serve(registry, health, host=config.observe.host, port=port):
        if role == "ingest":
            async with connected(config, Lent(registry, log)) as connect:
                ingest = Ingest(
                    lambda orders: in_force(config, orders, folder).sources,
                    connect,
                    settings=settings,
                    prefix=prefix,
                    metrics=IngestMetrics(registry),
                    health=health,
                    log=log,
                    clock=Clock(),
                    reach=reach,
                )
                await ingest.run(stop)
            return
        stage = Stage(
            core_of(role),
            Identity(role, prefix, code_fingerprint(role), fingerprint(config)),
            settings=settings,
            metrics=StageMetrics(registry),
            health=health,
            log=log,
            reach=reach,
        )
        async with kept_current(stage, config, folder, settings, log):
            await stage.run(stop)


@asynccontextmanager
async def connected(config: Config, lent: Lent) -> AsyncIterator[Callable[[SourceConfig], Source]]:
    """Give what makes a source of its settings; what sources share is let go when the block is left."""
    connections = Connections(lent, hosts(config))
    try:
        yield lambda source: Source(source, connections.connector(source))
    finally:
        await connections.close()


@asynccontextmanager
async def kept_current(
    stage: Stage, config: Config, folder: Path, settings: KafkaSettings, log: FilteringBoundLogger
) -> AsyncIterator[None]:
    """Let what the stage writes name the config that is in force, while the block runs."""
    task = asyncio.create_task(_keep_current(stage, config, folder, settings, log))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _keep_current(
    stage: Stage, config: Config, folder: Path, settings: KafkaSettings, log: FilteringBoundLogger
) -> None:
    told = ""
    while True:
        try:
            following = await Following.open(settings, config.topics.prefix)
        except KafkaProblem as problem:
            if str(problem) != told:
                told = str(problem)
                log.warning("the config in force cannot be read; the last one known is named", reason=told)
            await asyncio.sleep(AGAIN_SECONDS)
            continue
        try:
            orders = following.orders
            while True:
                with suppress(Unusable):
                    stage.decides_under(fingerprint(in_force(config, orders, folder)))
                orders = await following.after(orders)
        finally:
            await following.close()
