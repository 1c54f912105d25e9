"""The command `dateline`: one line here for each of its commands.

A command's module is imported when the command is used, so that `dateline --help` does not wait for Kafka.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from pipeline.cli.problems import told


@dataclass(frozen=True, slots=True)
class Command:
    """One command.

    Attributes:
        name: as typed.
        place: its function or app, as module:name.
        help: what it does, short; its own help says more.
    """

    name: str
    place: str
    help: str


COMMANDS = (
    Command("demo", "pipeline.cli.replay:demo", "Show Dateline at work, on this machine alone."),
    Command("kafka", "pipeline.cli.kafka:kafka_app", "A local Apache Kafka for trying things out."),
    Command("check", "pipeline.cli.check:check", "Check a config, and show what it comes to."),
    Command("login", "pipeline.cli.login:login_app", "Log in where a source needs an account."),
    Command("run", "pipeline.cli.run:run", "Run the daemon."),
    Command("apply", "pipeline.cli.control:apply", "Put a config in force for all daemons."),
    Command("sources", "pipeline.cli.control:sources", "List the sources, and what they do."),
    Command("pause", "pipeline.cli.control:pause", "Let a source rest."),
    Command("resume", "pipeline.cli.control:resume", "Let a paused source go on."),
    Command("move", "pipeline.cli.control:move", "Give a source to another unit."),
    Command("release", "pipeline.cli.release:release", "Let a source out of quarantine."),
    Command("tail", "pipeline.cli.tail:tail", "Show the records of a topic."),
    Command("dlq", "pipeline.cli.dlq:dlq_app", "Dead letters: what could not be processed."),
    Command("topics", "pipeline.cli.topics:topics_app", "List, create and verify the topics."),
    Command("replay", "pipeline.cli.replay:replay", "Put a recording through the daemon."),
    Command(
        "backtest", "pipeline.cli.backtest:backtest", "Put a recording through the stages, without Kafka."
    ),
    Command("reprocess", "pipeline.cli.reprocess:reprocess", "See what today's rules make of a past span."),
    Command("schema", "pipeline.cli.schema:schema_app", "Export what subscribers read of us, for machines."),
    Command("version", "pipeline.cli.version:version", "Tell which version this is."),
)
"""In the order of `dateline --help`."""


class Deferred(TyperCommand):
    """A command that is known by name and help; the rest is imported when it is used."""

    def __init__(self, command: Command) -> None:
        super().__init__(command.name, help=command.help)
        self._place = command.place

    def make_context(self, *arguments: Any, **options: Any) -> Any:
        """Give the context of the real command, which is used from here on."""
        return self.loaded().make_context(*arguments, **options)

    def loaded(self) -> Any:
        """Import the real command."""
        module, _, name = self._place.partition(":")
        found: typer.Typer | Callable[..., None] = getattr(import_module(module), name)
        if isinstance(found, typer.Typer):
            return typer.main.get_group(found)
        single = typer.Typer(add_completion=False)
        single.command(self.name)(found)
        return typer.main.get_command(single)


class Commands(TyperGroup):
    """The commands; what goes wrong in one of them is told in words."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        for command in COMMANDS:
            self.add_command(Deferred(command))

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        with told():
            return super().invoke(ctx)


app = typer.Typer(cls=Commands, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.callback()
def dateline() -> None:
    """A wire desk that never sleeps: public wires to Kafka, deduplicated, in stories, timestamps checked."""
