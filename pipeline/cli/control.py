"""`dateline apply`, `sources`, `pause`, `resume` and `move`: one cluster of daemons, from any machine."""

import asyncio
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipeline.cli.problems import Mistake
from pipeline.cli.telling import at, printable
from pipeline.cli.where import Bootstrap, ConfigFile, Prefix, kafka_of, prefix_of
from pipeline.config import load, shared_of
from pipeline.control.changes import applied, moved, paused
from pipeline.control.difference import difference
from pipeline.control.orders import Orders, Shared, sources_in
from pipeline.control.topic import change, read_orders
from pipeline.daemon.replay import table
from pipeline.daemon.settle import hand, put_in_force
from pipeline.ingest.plan import partition_of
from pipeline.kafka import Admin, KafkaSettings, Reader
from pipeline.local_bootstrap import settings_of
from pipeline.transaction import header
from schemas.cloudevents import decode
from schemas.item import Look, SourceLook
from schemas.records import Checkpoint, Control
from schemas.topics import CHECKPOINTS, ITEMS

LOOKS_SECONDS = 150.0
"""Ingest tells once a minute what it could see; what is older than two of them is not known any more."""

File = Annotated[Path, typer.Option("-c", "--config", help="The YAML file.")]
Name = Annotated[str, typer.Argument(metavar="SOURCE", help="The source's name in the config.")]
Unit = Annotated[str, typer.Option(help="The unit that is to run it.")]


def apply(config: File) -> None:
    """Put a config in force for all daemons of its topics; those that run take it up without a restart."""
    loaded, shared = load(config), shared_of(config)
    settings, prefix = settings_of(loaded), loaded.topics.prefix
    before = asyncio.run(read_orders(settings, prefix))
    generation = asyncio.run(put_in_force(settings, prefix, shared))
    if generation is None:
        typer.echo(f"{config} is in force already, as generation {before.generation}.")
        return
    for line in difference(before.shared, shared):
        typer.echo(line)
    typer.echo(f"{config} is in force for all, as generation {generation}.")


def pause(
    source: Name, config: ConfigFile = None, bootstrap: Bootstrap = None, prefix: Prefix = None
) -> None:
    """Let a source rest, whichever machine runs it; nothing of it is lost, it goes on where it stood."""
    _rest(source, kafka_of(config, bootstrap), prefix_of(config, prefix), rest=True)


def resume(
    source: Name, config: ConfigFile = None, bootstrap: Bootstrap = None, prefix: Prefix = None
) -> None:
    """Let a paused source go on where it stood."""
    _rest(source, kafka_of(config, bootstrap), prefix_of(config, prefix), rest=False)


def move(
    source: Name, unit: Unit, config: ConfigFile = None, bootstrap: Bootstrap = None, prefix: Prefix = None
) -> None:
    """Give a source to another unit, whose owner brings its checkpoint and memory over in one transaction."""
    settings, full, mine = kafka_of(config, bootstrap), prefix_of(config, prefix), hand()

    def decide(orders: Orders) -> Sequence[Control]:
        return applied(orders, moved(known(orders, source), source, unit), mine)

    if not _changed(settings, full, decide):
        typer.echo(f"{source} is in unit {unit} already.")
        return
    typer.echo(f"{source} moves to unit {unit}. Write it into the config of every machine, too: unit: {unit}")


def sources(config: ConfigFile = None, bootstrap: Bootstrap = None, prefix: Prefix = None) -> None:
    """List the sources of the config in force: what they do, when we last looked, and on which machine."""
    settings, full = kafka_of(config, bootstrap), prefix_of(config, prefix)
    orders, known, hosts, looks = asyncio.run(_standing(settings, full))
    Console().print(sources_table(orders, known, hosts, looks))
    for name, look in looks.items():
        if look.result == "failed":
            typer.echo(f"{name}: {printable(look.reason or 'no reason was given')}")
    if orders.config is None:
        typer.echo(f"No config was ever applied to {full}*; dateline run or dateline apply does that.")
    else:
        said = orders.config
        typer.echo(f"Generation {said.generation}, applied by {said.by} at {at(said.changed)} UTC.")


def sources_table(
    orders: Orders, known: dict[str, Checkpoint], hosts: dict[int, str], looks: dict[str, SourceLook]
) -> Table:
    """Give a line for each source, the removed ones that are still remembered last."""
    table = Table("name", "kind", "unit", "state", "last look, UTC", "runs on")
    rows = [(row, "") for row in sources_in(orders.shared).values()]
    gone = [said for said in orders.sources.values() if said.removed]
    rows += [(said.config or {}, f"removed {at(said.removed)}") for said in gone]
    for row, removed in rows:
        name, unit = row["name"], row["unit"]
        host, checkpoint = hosts.get(partition_of(unit)), known.get(name)
        state = removed or _state(name, orders, checkpoint, host, looks.get(name))
        look = at(checkpoint.looked) if checkpoint else "never"
        cells = (name, row["kind"], unit, state, look, "" if removed else host or "nowhere")
        table.add_row(*(Text(str(cell)) for cell in cells))
    return table


def known(orders: Orders, source: str) -> Shared:
    """Give the config in force, which has a source.

    Raises:
        Mistake: it has not.
    """
    if orders.shared is None:
        raise Mistake("There is no config in force yet. Start a daemon, or: dateline apply -c FILE")
    if source not in (names := sources_in(orders.shared)):
        raise Mistake(f"{source!r} is no source of the config in force. There are: {', '.join(names)}.")
    return orders.shared


def _state(
    name: str, orders: Orders, checkpoint: Checkpoint | None, host: str | None, look: SourceLook | None
) -> str:
    if name in orders.paused:
        return "paused"
    if checkpoint is not None and checkpoint.quarantined:
        return "quarantined"
    if checkpoint is not None and checkpoint.done:
        return "done"
    if host is None:
        return "waits for a machine"
    return "failed" if look is not None and look.result == "failed" else "runs"


def _rest(source: str, settings: KafkaSettings, prefix: str, *, rest: bool) -> None:
    mine = hand()

    def decide(orders: Orders) -> Sequence[Control]:
        known(orders, source)
        return paused(orders, source, mine, rest=rest)

    done = _changed(settings, prefix, decide)
    words = "paused" if rest else "running"
    typer.echo(f"{source} is {words}." if done else f"{source} is {words} already.")


def _changed(settings: KafkaSettings, prefix: str, decide: Callable[[Orders], Sequence[Control]]) -> bool:
    return bool(asyncio.run(change(settings, prefix, decide)))


async def _standing(
    settings: KafkaSettings, prefix: str
) -> tuple[Orders, dict[str, Checkpoint], dict[int, str], dict[str, SourceLook]]:
    values = (await table(settings, CHECKPOINTS, prefix)).values()
    known = {value.source: value for value in values if isinstance(value, Checkpoint)}
    async with Admin(settings) as admin:
        members = await admin.members(f"{prefix}ingest")
    hosts = {partition: member.host for member in members for partition in member.partitions}
    orders = await read_orders(settings, prefix)
    looks = await _looks(settings, prefix)
    return orders, known, hosts, {name: looks[name] for name in sources_in(orders.shared) if name in looks}


async def _looks(settings: KafkaSettings, prefix: str) -> dict[str, SourceLook]:
    """Give what ingest said last that it could see, by source; nothing of what runs nowhere now."""
    looks: dict[str, SourceLook] = {}
    reader = await Reader.open(settings, ITEMS.full(prefix), [0])
    try:
        since = await reader.offset_at(int((time.time() - LOOKS_SECONDS) * 1000))
        async for records in reader.read_to_end(start=since):
            for record in records:
                if header(record.headers, "ce_type") == "dateline.look":
                    value = decode(record.headers, record.value, ITEMS.types).data
                    looks |= value.sources if isinstance(value, Look) else {}
    finally:
        await reader.close()
    return looks
