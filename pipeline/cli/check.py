"""`dateline check`: is this config right, and what does it come to?"""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import BaseModel
from rich.console import Console
from rich.table import Table
from rich.text import Text

from connectors.seam import SourceConfig
from pipeline.cli.topics import differences_table
from pipeline.config import Config, cautions, fingerprint, load, shared_of
from pipeline.control.difference import difference
from pipeline.control.orders import Orders
from pipeline.control.topic import read_orders
from pipeline.daemon.settle import company
from pipeline.kafka import Admin, Difference, KafkaSettings
from pipeline.local_bootstrap import settings_of
from schemas.topics import CONTROL, TOPICS

File = Annotated[Path, typer.Option("-c", "--config", help="The YAML file.")]
Online = Annotated[bool, typer.Option("--online", help="Ask Kafka, too, and look at the topics there.")]

SHOWN_APART = ("name", "kind", "unit")


def check(config: File, *, online: Online = False) -> None:
    """Check a config, and show what it comes to.

    The exit code is 1 if it cannot be used, if the topics that Kafka has are not as they should be, or if
    daemons run with another config.
    """
    loaded = load(config)
    console = Console()
    console.print(sources_table(loaded.sources), settings_table(loaded))
    for caution in cautions(loaded):
        typer.echo(f"Caution: {caution}", err=True)
    console.print(f"{config} is a good config.", markup=False, highlight=False)
    if online:
        settings = settings_of(loaded)
        prefix = loaded.topics.prefix
        _report(console, settings, asyncio.run(_differences(settings, prefix)))
        _compare(config, *asyncio.run(_others(settings, prefix)))


def sources_table(sources: tuple[SourceConfig, ...]) -> Table:
    """Give what is listened to, a line for each source."""
    table = Table("name", "kind", "unit", "settings", title="Sources", title_justify="left")
    for source in sources:
        own = [f"{name}: {value}" for name, value in source if name not in SHOWN_APART and value is not None]
        cells = (source.name, source.kind, source.unit, "\n".join(own))
        table.add_row(*(Text(cell) for cell in cells))
    return table


def settings_table(config: Config) -> Table:
    """Give all other settings that have a value."""
    table = Table("setting", "value", title="Settings", title_justify="left")
    for name, value in flat(config):
        table.add_row(Text(name), Text(str(value)))
    table.add_row("fingerprint", fingerprint(config))
    return table


def flat(section: BaseModel, above: str = "") -> Iterator[tuple[str, Any]]:
    """Yield settings with their full names; lists and empty ones are left out."""
    for name, value in section:
        if isinstance(value, BaseModel):
            yield from flat(value, f"{above}{name}.")
        elif value is not None and not isinstance(value, tuple):
            yield f"{above}{name}", value


async def _differences(settings: KafkaSettings, prefix: str) -> list[Difference]:
    async with Admin(settings) as admin:
        await admin.ping()
        return await admin.verify(TOPICS, prefix)


def _report(console: Console, settings: KafkaSettings, differences: list[Difference]) -> None:
    missing = [one for one in differences if one.setting == "topic"]
    wrong = [one for one in differences if one.setting != "topic"]
    typer.echo(f"Kafka answers at {settings.bootstrap_servers}.")
    if missing:
        typer.echo(f"{len(missing)} of {len(TOPICS)} topics are not there yet; dateline run creates them.")
    if wrong:
        console.print(differences_table(wrong))
        raise typer.Exit(1)
    typer.echo(f"{len(TOPICS) - len(missing)} topics are as they should be.")


async def _others(settings: KafkaSettings, prefix: str) -> tuple[Orders, bool]:
    async with Admin(settings) as admin:
        there = CONTROL.full(prefix) in await admin.names(prefix)
    return await read_orders(settings, prefix) if there else Orders(), await company(settings, prefix)


def _compare(config: Path, orders: Orders, others: bool) -> None:  # noqa: FBT001  # whether daemons run
    """Compare a file with the config in force."""
    lines = difference(orders.shared, shared_of(config)) if orders.config else []
    for line in lines:
        typer.echo(line)
    if lines and others:
        typer.echo(
            f"Daemons run with another config, generation {orders.generation}; that is what {config} would "
            f"change. Put it in force for all with: dateline apply -c {config}",
            err=True,
        )
        raise typer.Exit(1)
    if lines:
        typer.echo(f"Nobody runs; a daemon that starts with {config} changes that.")
    elif orders.config:
        typer.echo(f"It is in force, as generation {orders.generation}.")
