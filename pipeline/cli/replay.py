"""`dateline replay` and `dateline demo`: a recording through the real daemon on a real Kafka."""

import asyncio
import secrets
import signal
from pathlib import Path
from time import monotonic
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from connectors.recording.connector import readable, sha256_of
from pipeline.cli.where import Bootstrap, kafka_of, prefix_of
from pipeline.config import LogConfig
from pipeline.daemon import replay as daemon
from pipeline.demo import RECORDED_DAY, show
from pipeline.kafka import Admin, KafkaSettings
from pipeline.kafka.local import LocalCluster
from pipeline.local_bootstrap import local_cluster
from pipeline.observe.logs import setup_logs
from schemas.flag import Flag
from schemas.item import Deduplicated
from schemas.story import Story
from schemas.topics import DEADLETTERS, DEDUPLICATED, FLAGS, STORIES


def replay(
    file: Annotated[Path, typer.Argument(help="A recording: JSON Lines, plain or .gz.")],
    prefix: Annotated[str, typer.Option(help="Of the topics; they stay.")] = "replay.",
    speed: Annotated[
        Literal["max", "real"], typer.Option(help="As fast as possible, or in the recorded rhythm.")
    ] = "max",
    bootstrap: Bootstrap = None,
) -> None:
    """Put a recording through ingest and all stages under its own topic prefix, and show what it came to."""
    console = Console()
    full = prefix_of(None, prefix)
    with readable(file), file.open("rb"):
        pass  # a wrong path is told before Kafka is looked for
    settings = kafka_of(None, bootstrap)
    outcome = asyncio.run(_replay(console, file, settings, full, speed))
    console.print(show.everything(outcome))
    where = "" if bootstrap is None else f" --bootstrap {bootstrap}"
    console.print(
        f"On the topics {full}*: [bold]dateline tail stories --prefix {full} --from-start{where}[/]"
    )


def demo(
    *,
    keep: Annotated[bool, typer.Option(help="Leave broker, topics and daemon up until Ctrl-C.")] = False,
) -> None:
    """Show Dateline at work: the recorded 4 July 2026 through a real Kafka, to stories and flags."""
    console = Console()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # clean up as after Ctrl-C
    cluster = local_cluster()
    was_running = cluster.status().running
    if not was_running:
        console.print("Starting Apache Kafka on this machine …")
    settings = KafkaSettings(bootstrap_servers=cluster.start())
    prefix = f"demo-{secrets.token_hex(3)}."
    try:
        asyncio.run(_demo(console, settings, prefix, keep=keep))
    finally:
        _clean_up(cluster, settings, prefix, stop=not was_running)


def _clean_up(cluster: LocalCluster, settings: KafkaSettings, prefix: str, *, stop: bool) -> None:
    async def forget() -> None:
        async with Admin(settings) as admin:
            await admin.delete(prefix)

    asyncio.run(forget())
    if stop:
        cluster.stop()


async def _demo(console: Console, settings: KafkaSettings, prefix: str, *, keep: bool) -> None:
    outcome = await _replay(console, RECORDED_DAY, settings, prefix, "max", hold=keep)
    if not keep:
        console.print(show.everything(outcome))


async def _replay(
    console: Console, file: Path, settings: KafkaSettings, prefix: str, speed: str, *, hold: bool = False
) -> show.Outcome:
    log = setup_logs(LogConfig(level="warning"), role="replay")
    with readable(file):
        digest = sha256_of(file)
    started = monotonic()
    async with daemon.running(file, settings, prefix, log, speed=speed):
        await _watch(console, settings, prefix, digest)
        outcome = await _outcome(settings, prefix, monotonic() - started)
        if hold:
            console.print(show.everything(outcome))
            console.print(f"Kafka is at {settings.bootstrap_servers}, topics {prefix}*; Ctrl-C ends it.")
            await asyncio.Event().wait()
    return outcome


async def _watch(console: Console, settings: KafkaSettings, prefix: str, digest: str) -> None:
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("the daemon's four processes start", total=None)

        async for now in daemon.watch(settings, prefix, digest):
            if now.lines:
                waiting = ", ".join(f"{stage} {count}" for stage, count in now.behind.items() if count)
                bar.update(task, description=f"{now.lines} lines read; behind: {waiting or 'none'}")


async def _outcome(settings: KafkaSettings, prefix: str, seconds: float) -> show.Outcome:
    verdicts = await daemon.log_of(settings, DEDUPLICATED, prefix)
    stories = await daemon.table(settings, STORIES, prefix)
    flags = await daemon.table(settings, FLAGS, prefix)
    dead = await daemon.log_of(settings, DEADLETTERS, prefix)
    return show.Outcome(
        items=[value for _, _, value in verdicts if isinstance(value, Deduplicated)],
        stories=[value for value in stories.values() if isinstance(value, Story)],
        flags=[value for value in flags.values() if isinstance(value, Flag)],
        dead=len(dead),
        seconds=seconds,
    )
