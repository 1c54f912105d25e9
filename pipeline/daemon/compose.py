"""The one place where the parts of a process are put together."""

import asyncio
import gc
import hashlib
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from structlog.typing import FilteringBoundLogger

from connectors.registry import KINDS
from pipeline.config import Config, fingerprint
from pipeline.core import Core
from pipeline.ingest.clock import Clock
from pipeline.ingest.follow import Source
from pipeline.ingest.ingest import Ingest
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


def core_of(stage: str) -> Core[Any]:
    """Give a new core of a stage."""
    module, _, name = CORES[stage].partition(":")
    core: Callable[[], Core[Any]] = getattr(import_module(module), name)
    return core()


def sources_of(config: Config) -> list[Source]:
    """Give the configured sources with their connectors."""
    return [Source(one, KINDS[one.kind].connector(one)) for one in config.sources]


def code_fingerprint(stage: str) -> str:
    """Hash the code that a stage's decisions depend on: the messages, the engine and its own package."""
    root = Path(__file__).parents[2]
    files = [root / "pipeline/engine.py", root / "pipeline/core.py"]
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
    port: int,
    log: FilteringBoundLogger,
    stop: asyncio.Event,
) -> None:
    """Run ingest or one stage until `stop`.

    Raises:
        StageBroken: the stage cannot go on.
        PortInUse: the port for metrics is taken.
    """
    settle_garbage()
    registry = registry_of_process()
    health = Health(role)
    prefix = config.topics.prefix
    async with serve(registry, health, host=config.observe.host, port=port):
        if role == "ingest":
            ingest = Ingest(
                sources_of(config),
                settings=settings,
                prefix=prefix,
                metrics=IngestMetrics(registry),
                health=health,
                log=log,
                clock=Clock(),
            )
            await ingest.run(stop)
            return
        identity = Identity(role, prefix, code_fingerprint(role), fingerprint(config))
        stage = Stage(
            core_of(role),
            identity,
            settings=settings,
            metrics=StageMetrics(registry),
            health=health,
            log=log,
        )
        await stage.run(stop)
