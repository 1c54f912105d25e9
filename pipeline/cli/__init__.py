"""The command line: arguments and what is printed, nothing else."""

from pipeline.cli.app import app

__all__ = ["main"]


def main() -> None:
    """Run the command `dateline`."""
    app()
