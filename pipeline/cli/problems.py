"""What goes wrong, told in words: a user's mistake has no traceback, a bug of ours keeps it."""

import errno
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import typer

FAMILIAR = frozenset(
    {
        "connectors.seam.SourceFailed",
        "pipeline.cli.problems.Mistake",
        "pipeline.config.problems.ConfigProblem",
        "pipeline.daemon.reprocess.NotEmpty",
        "pipeline.failpoints.MalformedOrders",
        "pipeline.kafka.errors.KafkaProblem",
        "pipeline.kafka.local.error.LocalKafkaError",
        "pipeline.observe.server.CannotListen",
        "pipeline.stage.StageBroken",
    }
)
"""Problems whose message says everything. By name: importing them would make every failure wait for Kafka."""

CURES: Mapping[int, str] = {
    errno.ENOENT: "Correct the path.",
    errno.ENOTDIR: "A part of that path is a file: correct it.",
    errno.EISDIR: "Name the file in it.",
    errno.EEXIST: "It is in the way: name another path, or move it.",
    errno.EACCES: "Change its mode or owner, or name another path.",
    errno.ENOSPC: "Make room there.",
}
"""What to do about a path that the system refuses."""

BUG = "This is a bug of dateline. Please report it with the lines above and what `dateline version` says."


class Mistake(Exception):
    """What a user got wrong outside the config; the message says where, and what would be right."""


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
        return f"{problem.filename}: {problem.strerror}. {CURES.get(problem.errno or 0, '')}".rstrip()
    names = {f"{kind.__module__}.{kind.__qualname__}" for kind in type(problem).__mro__}
    return str(problem) if names & FAMILIAR else None
