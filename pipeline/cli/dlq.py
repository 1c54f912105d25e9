"""`dateline dlq`: what could not be processed, and what becomes of it. Nothing is ever erased here."""

import asyncio
import getpass
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from pipeline.burial import kept
from pipeline.cli.problems import Mistake
from pipeline.cli.telling import at, beginning, printable
from pipeline.cli.when import FORMS, instant
from pipeline.cli.where import Bootstrap, ConfigFile, Prefix, kafka_of, prefix_of
from pipeline.daemon import deadletters
from pipeline.daemon.deadletters import Choose, Filter, Letters, brought_by, refusal
from schemas.records import DeadLetter

dlq_app = typer.Typer(no_args_is_help=True, help="Dead letters: what could not be processed.")

WAITING = ("open", "requested")
ROW_BYTES = 16
PRINTABLE_FIRST, PRINTABLE_LAST = ord(" "), ord("~")

Origin = Annotated[str, typer.Argument(help="Which one, as `dateline dlq list` names it.")]
Origins = Annotated[list[str] | None, typer.Argument(metavar="ORIGIN...", help="As `dlq list` names them.")]
Stage = Annotated[str | None, typer.Option(help="Only what failed there: ingest, deduplicate, ...")]
Source = Annotated[str | None, typer.Option(help="Only what this configured source brought.")]
Since = Annotated[
    datetime | None, typer.Option(parser=instant, metavar="TIME", help=f"Given up since: {FORMS}.")
]
By = Annotated[
    str, typer.Option(help="Who does it; by default the user's name.", default_factory=getpass.getuser)
]
Reason = Annotated[str, typer.Option(help="Why.")]
AsJson = Annotated[bool, typer.Option("--json", help="Whole letters, a line of JSON each.")]
Settled = Annotated[bool, typer.Option("--all", help="Also those that were retried or dropped.")]
AllOpen = Annotated[bool, typer.Option("--all", help="All that are open; with --stage or --source those.")]


@dlq_app.command("list")
def show_all(
    config: ConfigFile = None,
    bootstrap: Bootstrap = None,
    prefix: Prefix = None,
    *,
    stage: Stage = None,
    source: Source = None,
    since: Since = None,
    settled: Settled = False,
    as_json: AsJson = False,
) -> None:
    """List the dead letters that nobody has settled yet, the oldest first. Times are UTC."""
    letters = asyncio.run(deadletters.read(kafka_of(config, bootstrap), prefix_of(config, prefix)))
    wanted = Filter(stage, source, since)
    meant = [one for one in letters.values() if wanted(one) and (settled or one.state in WAITING)]
    console = Console()
    if as_json:
        for letter in meant:
            typer.echo(letter.dump().decode())
    elif console.is_terminal:
        console.print(table_of(meant))
    else:
        for letter in meant:
            typer.echo("\t".join(cells(letter)))


@dlq_app.command()
def show(
    origin: Origin,
    config: ConfigFile = None,
    bootstrap: Bootstrap = None,
    prefix: Prefix = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Show all of one dead letter: cause, trace, headers, and the original as text or in hexadecimal."""
    letters = asyncio.run(deadletters.read(kafka_of(config, bootstrap), prefix_of(config, prefix)))
    (letter,) = named([origin], letters)
    if as_json:
        typer.echo(letter.dump().decode())
        return
    for line in told(letter):
        typer.echo(line)


@dlq_app.command()
def retry(
    origins: Origins = None,
    config: ConfigFile = None,
    bootstrap: Bootstrap = None,
    prefix: Prefix = None,
    *,
    everything: AllOpen = False,
    stage: Stage = None,
    source: Source = None,
    by: By,
) -> None:
    """Put dead letters back where they can be processed, with the code that runs now.

    What a stage gave up goes onto its input once more; a post goes through its source's normaliser again, in
    the process that runs the source. What fails again becomes a dead letter with one more attempt.
    """
    choose = chosen(origins or [], Filter(stage, source), everything=everything)
    marked = asyncio.run(
        deadletters.retry(kafka_of(config, bootstrap), prefix_of(config, prefix), choose, by)
    )
    back = sum(one.state == "retried" for one in marked)
    typer.echo(f"{back} put back onto the stages' topics, {len(marked) - back} handed to ingest.")


@dlq_app.command()
def drop(
    origins: Annotated[list[str], typer.Argument(metavar="ORIGIN...", help="As `dlq list` names them.")],
    reason: Reason,
    config: ConfigFile = None,
    bootstrap: Bootstrap = None,
    prefix: Prefix = None,
    *,
    by: By,
) -> None:
    """Settle dead letters as not worth another try; who did it and why stands beside them."""
    where = kafka_of(config, bootstrap), prefix_of(config, prefix)
    marked = asyncio.run(deadletters.drop(*where, lambda letters: named(origins, letters), by, reason))
    typer.echo(f"{len(marked)} dropped; their bytes stay until they are 30 days old.")


def chosen(origins: Sequence[str], wanted: Filter, *, everything: bool) -> Choose:
    """Give what picks the letters to retry.

    Raises:
        typer.BadParameter: neither or both of origins and --all.
    """
    if bool(origins) == everything:
        raise typer.BadParameter("name ORIGINs, or say --all, and with --stage which of all")

    def choose(letters: Letters) -> Sequence[DeadLetter]:
        if everything:
            return [
                one for one in letters.values() if one.state == "open" and wanted(one) and not refusal(one)
            ]
        found = named(origins, letters)
        refused = [f"{one.origin}: {why}" for one in found if (why := refusal(one))]
        if refused:
            raise Mistake("\n".join(refused))
        return found

    return choose


def named(origins: Iterable[str], letters: Letters) -> list[DeadLetter]:
    """Give the letters of these names.

    Raises:
        Mistake: there is none of a name.
    """
    names = list(dict.fromkeys(origins))
    if unknown := [name for name in names if name not in letters]:
        missing = ", ".join(map(printable, unknown))
        raise Mistake(f"No dead letter: {missing}. See `dateline dlq list --all`.")
    return [letters[name] for name in names]


def cells(letter: DeadLetter) -> tuple[str, ...]:
    """Give a letter in a few words, and its origin as the other commands want it."""
    what = (letter.state, letter.stage, brought_by(letter) or "", str(letter.attempts))
    return at(letter.recorded), *map(printable, what), beginning(letter.cause), visible(letter.origin)


def table_of(letters: Iterable[DeadLetter]) -> Table:
    """Give the letters, a row each; an origin is never cut, since the other commands want it whole."""
    table = Table("when", "state", "stage", "source", "tries", "cause", Column("origin", overflow="fold"))
    for letter in letters:
        table.add_row(*map(Text, cells(letter)))
    return table


def told(letter: DeadLetter) -> Iterable[str]:
    """Tell everything of a letter, without what could steer a terminal: it may come from anybody."""
    apart = ("trace", "headers", "body", "encoding")
    for name, value in letter:
        if name not in apart and value is not None:
            yield f"{name}: {printable(str(value))}"
    for name, text in letter.headers.items():
        yield f"header {printable(name)}: {printable(text)}"
    for line in (letter.trace or "").splitlines():
        yield f"  {visible(line)}"
    yield from body(kept(letter), as_text=letter.encoding == "utf-8")


def body(data: bytes, *, as_text: bool) -> Iterable[str]:
    """Give bytes as text, or in hexadecimal with what is printable beside it."""
    if as_text:
        yield from map(visible, data.decode().split("\n"))
        return
    for place in range(0, len(data), ROW_BYTES):
        row = data[place : place + ROW_BYTES]
        letters = "".join(chr(each) if PRINTABLE_FIRST <= each <= PRINTABLE_LAST else "." for each in row)
        yield f"{place:08x}  {row.hex(' '):<{3 * ROW_BYTES - 1}}  {letters}"


def visible(line: str) -> str:
    """Escape what could steer a terminal, and leave the rest as it is."""
    return "".join(each if each.isprintable() or each == "\t" else ascii(each)[1:-1] for each in line)
