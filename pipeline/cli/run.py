"""`dateline run`: the daemon, or one of its processes."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from pipeline.config import Config, cautions, load
from pipeline.config.models import LAST_PORT
from pipeline.daemon.compose import ROLES, run_role, topics_at_last
from pipeline.daemon.settle import settled
from pipeline.daemon.supervise import Child, Supervisor, on_signals, orphaned
from pipeline.local_bootstrap import settings_of
from pipeline.observe.health import Health
from pipeline.observe.logs import setup_logs
from pipeline.observe.metrics import SupervisorMetrics, registry_of_process
from pipeline.observe.server import serve_all

ConfigFile = Annotated[Path, typer.Option("-c", "--config", help="The YAML file that says what to follow.")]


def run(
    config: ConfigFile,
    only: Annotated[str | None, typer.Option(help=f"One process alone: {', '.join(ROLES)}.")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=LAST_PORT, help="Where to serve metrics; 0 chooses.")
    ] = None,
    *,
    apply: Annotated[
        bool, typer.Option("--apply", help="Put this config in force for all daemons of its topics.")
    ] = False,
    supervised: Annotated[bool, typer.Option(hidden=True)] = False,
) -> None:
    """Run the daemon: one process for ingest, one for each stage, and this one to watch over them.

    Where other daemons run with another config it says what differs, and waits.
    """
    if only is not None and only not in ROLES:
        raise typer.BadParameter(f"{only!r} is none of {', '.join(ROLES)}", param_hint="--only")
    loaded = load(config)
    where = loaded.observe.port if port is None else port
    if only is None:
        drained = asyncio.run(_all(loaded, config.absolute(), where, insist=apply))
        raise typer.Exit(0 if drained else 1)
    asyncio.run(_one(loaded, config.absolute(), only, where, supervised=supervised, insist=apply))


async def _all(config: Config, path: Path, port: int, *, insist: bool) -> bool:
    log = setup_logs(config.log, role="supervisor")
    for caution in cautions(config):
        log.warning("config", caution=caution)
    settings = settings_of(config)
    registry, health, stop = registry_of_process(), Health(*ROLES), asyncio.Event()
    on_signals(stop)
    children = [Child(role, port + number if port else 0) for number, role in enumerate(ROLES, 1)]
    supervisor = Supervisor(
        path,
        children,
        drain_seconds=config.shutdown.drain_seconds,
        metrics=SupervisorMetrics(registry),
        health=health,
        log=log,
    )
    async with serve_all(registry, health, children, host=config.observe.host, port=port):
        await topics_at_last(settings, config.topics.prefix, log, health, stop)
        await settled(path, settings, config.topics.prefix, log=log, health=health, stop=stop, insist=insist)
        drained = stop.is_set() or await supervisor.run(stop)
    log.info("stopped", drained=drained)
    return drained


async def _one(config: Config, path: Path, role: str, port: int, *, supervised: bool, insist: bool) -> None:
    log = setup_logs(config.log, role=role)
    settings = settings_of(config).of(role)
    stop = asyncio.Event()
    on_signals(stop)
    watch = asyncio.create_task(orphaned(stop)) if supervised else None
    try:
        if not supervised and not config.kafka.user_per_role:  # or else the operator alone may create them
            health = Health()
            await topics_at_last(settings, config.topics.prefix, log, health, stop)
            await settled(
                path, settings, config.topics.prefix, log=log, health=health, stop=stop, insist=insist
            )
        if stop.is_set():
            return
        await run_role(config, role, settings, folder=path.parent, port=port, log=log, stop=stop)
    finally:
        if watch is not None:
            watch.cancel()
