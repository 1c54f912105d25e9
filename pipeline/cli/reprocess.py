"""`dateline reprocess`: what today's rules would have made of a span of time."""

import asyncio
import json
import secrets
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipeline.cli.problems import Mistake
from pipeline.cli.telling import beginning, printable
from pipeline.cli.when import FORMS, instant
from pipeline.cli.where import Bootstrap, ConfigFile, kafka_of, prefix_of
from pipeline.config import LogConfig
from pipeline.daemon import reprocess as daemon
from pipeline.daemon.contrast import Difference, Outcome, Span, counted, differences
from pipeline.kafka import Admin, KafkaSettings
from pipeline.observe.logs import setup_logs

EXAMPLES = 3
"""Of each kind."""

Since = Annotated[datetime, typer.Option("--from", parser=instant, metavar="TIME", help=f"{FORMS}.")]
Until = Annotated[datetime, typer.Option("--to", parser=instant, metavar="TIME", help="Not included.")]
Shadow = Annotated[
    str | None, typer.Option("--prefix", help="Of the shadow's topics, which stay then; by default they go.")
]
AsJson = Annotated[bool, typer.Option("--json", help="All differences, as one JSON object.")]


def reprocess(
    since: Since,
    until: Until,
    prefix: Shadow = None,
    config: ConfigFile = None,
    bootstrap: Bootstrap = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Run the items observed in a span through the stages as they are now, and show what comes out otherwise.

    It runs under a prefix of its own; the live topics are only read. The stages begin 72 h before the span,
    so that they know what was known then.
    """
    if since >= until:
        raise typer.BadParameter("the span is empty: --from lies before --to")
    live = prefix_of(config, None)
    shadow = f"reprocess-{secrets.token_hex(3)}." if prefix is None else prefix_of(None, prefix)
    if shadow == live:
        raise Mistake(f"{live}* are the live topics: choose another --prefix.")
    settings, span = kafka_of(config, bootstrap), Span(since, until)
    try:
        before, after = asyncio.run(_both(settings, live, shadow, span))
        found = differences(before, after, span)
        items = len(before.verdicts.keys() | after.verdicts.keys())
        if as_json:
            typer.echo(json.dumps(as_object(found, items, span), ensure_ascii=False))
        else:
            show(Console(), found, items)
    finally:
        if prefix is None:
            asyncio.run(_forget(settings, shadow))


def show(console: Console, found: Iterable[Difference], items: int) -> None:
    """Print how many differences of each kind there are, with some examples."""
    found = list(found)
    console.print(f"{items} item revisions, {len(found)} differences.")
    if not found:
        return
    table = Table("what", "kind", "count", "for example", "live", "shadow")
    for (what, kind), count in counted(found).items():
        examples = [one for one in found if (one.what, one.kind) == (what, kind)][:EXAMPLES]
        for number, one in enumerate(examples):
            first = (what, kind, str(count)) if number == 0 else ("", "", "")
            told = (printable(one.subject), beginning(one.live or "-"), beginning(one.shadow or "-"))
            table.add_row(*map(Text, (*first, *told)))
    console.print(table)


def as_object(found: Iterable[Difference], items: int, span: Span) -> Mapping[str, Any]:
    """Give everything for programs."""
    found = list(found)
    counts: dict[str, dict[str, int]] = {}
    for (what, kind), count in counted(found).items():
        counts.setdefault(what, {})[kind] = count
    return {
        "from": span.since.isoformat(),
        "to": span.until.isoformat(),
        "items": items,
        "counts": counts,
        "differences": [one._asdict() for one in found],
    }


async def _both(settings: KafkaSettings, live: str, shadow: str, span: Span) -> tuple[Outcome, Outcome]:
    log = setup_logs(LogConfig(level="warning"), role="reprocess")
    items = await daemon.copy(settings, live, shadow, span, log)
    async with daemon.stages(settings, shadow, log):
        async for _ in daemon.watch(settings, shadow):
            pass
        after = await daemon.outcome(settings, shadow, items, span)
    return await daemon.outcome(settings, live, items, span), after


async def _forget(settings: KafkaSettings, shadow: str) -> None:
    async with Admin(settings) as admin:
        await admin.delete(shadow)
