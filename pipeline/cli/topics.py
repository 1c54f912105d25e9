"""`dateline topics`: the registry of topics, and what Kafka has of it. Nothing is ever deleted here."""

import asyncio
from collections.abc import Iterable

import typer
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from pipeline.cli.where import Bootstrap, ConfigFile, Prefix, kafka_of, prefix_of
from pipeline.kafka import Admin, Difference, KafkaSettings
from schemas.topics import TOPICS, Topic

topics_app = typer.Typer(no_args_is_help=True, help="The topics: what they are, and whether Kafka has them.")


@topics_app.command("list")
def show(config: ConfigFile = None, prefix: Prefix = None) -> None:
    """List all topics, what they hold and how they are kept; asks no Kafka."""
    full = prefix_of(config, prefix)
    table = Table(whole("topic"), "partitions", "kept", "what stands there")
    for topic in TOPICS:
        table.add_row(topic.full(full), str(topic.partitions), kept(topic), topic.sentence)
    Console().print(table)


@topics_app.command()
def create(config: ConfigFile = None, bootstrap: Bootstrap = None, prefix: Prefix = None) -> None:
    """Create the topics that Kafka does not have; those it has are left as they are."""
    full, settings = prefix_of(config, prefix), kafka_of(config, bootstrap)
    created = asyncio.run(_create(settings, full))
    for name in created:
        typer.echo(f"created {name}")
    typer.echo(f"{len(created)} created, {len(TOPICS) - len(created)} were there.")


@topics_app.command()
def verify(config: ConfigFile = None, bootstrap: Bootstrap = None, prefix: Prefix = None) -> None:
    """Compare the topics that Kafka has with what they should be; the exit code is 1 if they differ."""
    full, settings = prefix_of(config, prefix), kafka_of(config, bootstrap)
    differences = asyncio.run(_verify(settings, full))
    if differences:
        Console().print(differences_table(differences))
        raise typer.Exit(1)
    typer.echo(f"All {len(TOPICS)} topics are as they should be.")


def kept(topic: Topic) -> str:
    """Say how long records stay."""
    parts = ["last of each key"] if topic.compact else []
    parts += [f"{topic.retention_days} days"] if topic.retention_days is not None else []
    return ", ".join(parts)


def whole(header: str) -> Column:
    """Give a column whose cells are never cut."""
    return Column(header, no_wrap=True)


def differences_table(differences: Iterable[Difference]) -> Table:
    """Give the differences, a line each."""
    table = Table(whole("topic"), "setting", "should be", "is")
    for one in differences:
        table.add_row(*(Text(cell) for cell in (one.topic, one.setting, one.wanted, one.found)))
    return table


async def _create(settings: KafkaSettings, prefix: str) -> list[str]:
    async with Admin(settings) as admin:
        return await admin.create(TOPICS, prefix)


async def _verify(settings: KafkaSettings, prefix: str) -> list[Difference]:
    async with Admin(settings) as admin:
        return await admin.verify(TOPICS, prefix)
