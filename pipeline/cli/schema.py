"""`dateline schema`: JSON Schemas, the AsyncAPI document and the page of topics."""

from pathlib import Path
from typing import Annotated

import typer

from schemas import export as exporting

schema_app = typer.Typer(no_args_is_help=True, help="What subscribers read of us, for machines.")

Out = Annotated[Path, typer.Option("--out", help="The folder to write below, or to compare with.")]
Check = Annotated[bool, typer.Option("--check", help="Write nothing; the exit code is 1 if files are stale.")]


@schema_app.command()
def export(out: Out = Path(), *, check: Check = False) -> None:
    """Write the JSON Schema of every message, an AsyncAPI document and the page of topics."""
    paths = exporting.stale(out) if check else exporting.write(out)
    for path in paths:
        typer.echo(f"{'stale' if check else 'wrote'}: {path}")
    if not paths:
        typer.echo("Everything is up to date.")
    elif check:
        raise typer.Exit(1)
