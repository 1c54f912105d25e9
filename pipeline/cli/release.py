"""`dateline release`: a source out of quarantine."""

import asyncio
from collections.abc import Sequence
from typing import Annotated

import typer

from pipeline.cli.problems import Mistake
from pipeline.cli.where import Bootstrap, ConfigFile, Prefix, kafka_of, prefix_of
from pipeline.control.changes import released
from pipeline.control.orders import Orders
from pipeline.control.topic import change
from pipeline.daemon.replay import table
from pipeline.daemon.settle import hand
from schemas.records import Checkpoint, Control
from schemas.topics import CHECKPOINTS

Name = Annotated[str, typer.Argument(metavar="SOURCE", help="The source's name in the config.")]


def release(
    source: Name, config: ConfigFile = None, bootstrap: Bootstrap = None, prefix: Prefix = None
) -> None:
    """Let a source out of quarantine; it goes on where it stood when too much of it was unreadable.

    What was unreadable before that is in deadletters: dateline dlq retry --all --source SOURCE.
    """
    settings, full, mine = kafka_of(config, bootstrap), prefix_of(config, prefix), hand()
    checkpoints = asyncio.run(table(settings, CHECKPOINTS, full)).values()
    stands = {one.source: one for one in checkpoints if isinstance(one, Checkpoint)}
    known = held(source, stands)

    def decide(orders: Orders) -> Sequence[Control]:
        return released(orders, source, mine, since=known.changed)

    asyncio.run(change(settings, full, decide))
    typer.echo(f"{source} is released; it was {known.quarantined}.")


def held(source: str, checkpoints: dict[str, Checkpoint]) -> Checkpoint:
    """Give the checkpoint of a source in quarantine.

    Raises:
        Mistake: it is in none.
    """
    known = checkpoints.get(source)
    if known is None or known.quarantined is None:
        names = ", ".join(sorted(one.source for one in checkpoints.values() if one.quarantined)) or "none"
        raise Mistake(f"{source!r} is not in quarantine. In quarantine: {names}.")
    return known
