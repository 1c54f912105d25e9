"""`dateline kafka`: a local Apache Kafka for trying things out."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Self

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

from pipeline.kafka.local import LocalCluster, LocalKafkaError, Status, follow, state_directory

NOT_RUNNING = 3  # as the status action of init scripts has it

kafka_app = typer.Typer(no_args_is_help=True, help="A local Apache Kafka for trying things out.")

Directory = Annotated[
    Path | None,
    typer.Option("--dir", help="Where its data live; by default in the user's state directory."),
]
Nodes = Annotated[int | None, typer.Option(help="How many brokers, 1 or 3; by default what it has, or 1.")]
Wipe = Annotated[bool, typer.Option("--wipe", help="Remove its data, too.")]
Json = Annotated[bool, typer.Option("--json", help="As JSON, for programs.")]
Lines = Annotated[int, typer.Option("-n", min=0, help="How many of the last lines of each node.")]
Following = Annotated[bool, typer.Option("--follow", help="Go on with what comes, until Ctrl-C.")]


@kafka_app.command()
def start(directory: Directory = None, nodes: Nodes = None) -> None:
    """Start it and wait until it answers; what runs already is left as it is."""
    with _plainly(), _Screen() as screen:
        cluster = _cluster(directory, nodes)
        cluster.start(screen)
    _describe(cluster.status())


@kafka_app.command()
def stop(directory: Directory = None, *, wipe: Wipe = False) -> None:
    """Stop it; its data and ports stay for the next start."""
    with _plainly(), _Screen() as screen:
        if wipe:
            _cluster(directory).destroy()
        else:
            _cluster(directory).stop(screen)
    _say("Apache Kafka is stopped, its data are removed." if wipe else "Apache Kafka is stopped.")


@kafka_app.command()
def status(directory: Directory = None, *, as_json: Json = False) -> None:
    """Tell whether it runs, and where; the exit code is 3 when it does not."""
    with _plainly():
        found = _cluster(directory).status()
    if as_json:
        typer.echo(json.dumps(asdict(found), default=str))
    else:
        _describe(found)
    raise typer.Exit(0 if found.running else NOT_RUNNING)


@kafka_app.command()
def logs(directory: Directory = None, lines: Lines = 20, *, following: Following = False) -> None:
    """Show what it has written down."""
    with _plainly(), suppress(KeyboardInterrupt):
        cluster = _cluster(directory)
        files = cluster.log_files()
        if not files:
            raise LocalKafkaError(f"No cluster was ever started in {cluster.directory}.")
        coming = follow(files) if following else iter(())
        for number, written in cluster.logs(lines).items():
            for line in written:
                typer.echo(_labelled(number, line, len(files)))
        for number, line in coming:
            typer.echo(_labelled(number, line, len(files)))


class _Screen:
    """Shows the progress of a command on stderr: a spinner and a bar on a terminal, elsewhere only notes."""

    def __init__(self) -> None:
        console = Console(stderr=True, highlight=False, soft_wrap=True)
        self._bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task("", visible=False)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def step(self, doing: str, done: int = 0, total: int = 0) -> None:
        self._bar.update(self._task, description=doing, completed=done, total=total or None, visible=True)

    def note(self, message: str) -> None:
        self._bar.console.print(message, markup=False)


def _cluster(directory: Path | None, nodes: int | None = None) -> LocalCluster:
    return LocalCluster(directory or state_directory(os.environ, Path.home()), nodes)


@contextmanager
def _plainly() -> Iterator[None]:
    """Turn what went wrong into words on stderr and the exit code 1."""
    try:
        yield
    except LocalKafkaError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error


def _describe(found: Status) -> None:
    up = sum(pid is not None for pid in found.pids)
    if not found.running:
        _say(f"Apache Kafka is not running. Its directory is {escape(str(found.directory))}")
        return
    nodes = "" if found.nodes == 1 else f", {up} of {found.nodes} nodes"
    _say(f"[green]●[/green] Apache Kafka {found.version} is running{nodes}")
    _say(f"  bootstrap servers  [bold]{found.bootstrap}[/bold]")
    _say(f"  process            {', '.join(str(pid or 'down') for pid in found.pids)}")
    _say(f"  directory          {escape(str(found.directory))}")


def _labelled(number: int, line: str, nodes: int) -> str:
    return line if nodes == 1 else f"node {number} | {line}"


def _say(text: str) -> None:
    Console(highlight=False, soft_wrap=True).print(text)
