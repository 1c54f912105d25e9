"""What goes wrong, told in words: a user's mistake has no traceback, a bug of ours keeps it."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

import typer

FAMILIAR = frozenset(
    {
        "connectors.seam.SourceFailed",
        "pipeline.config.problems.ConfigProblem",
        "pipeline.kafka.errors.KafkaProblem",
        "pipeline.kafka.local.error.LocalKafkaError",
        "pipeline.observe.server.CannotListen",
        "pipeline.stage.StageBroken",
    }
)
"""Problems whose message says everything. By name: importing them would make every failure wait for Kafka."""

BUG = "This is a bug of dateline. Please report it with the lines above and what `dateline version` says."


@contextmanager
def told() -> Iterator[None]:
    """Turn a problem in the block into words on standard error and the exit code 1.

    Raises:
        typer.Exit: in its place. A bug goes on as it is, with a note.
    """
    try:
        yield
    except (typer.Exit, typer.Abort, typer.TyperException):
        raise
    except Exception as problem:
        if isinstance(problem, OSError) and problem.errno == errno.EPIPE:
            raise  # our reader had enough, such as `head`; typer ends quietly
        words = message(problem)
        if words is None:
            problem.add_note(BUG)
            raise
        typer.echo(words, err=True)
        raise typer.Exit(1) from problem


def message(problem: Exception) -> str | None:
    """Say a problem in words; none if it is a bug."""
    if isinstance(problem, OSError) and problem.filename is not None:
        return f"{problem.filename}: {problem.strerror}"
    names = {f"{kind.__module__}.{kind.__qualname__}" for kind in type(problem).__mro__}
    return str(problem) if names & FAMILIAR else None
