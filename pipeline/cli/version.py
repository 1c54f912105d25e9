"""`dateline version`."""

import platform
from importlib.metadata import version as version_of

import typer


def version() -> None:
    """Tell which version this is."""
    libraries = ", ".join(f"{name} {version_of(name)}" for name in ("aiokafka", "pydantic"))
    typer.echo(f"dateline {version_of('dateline')} (Python {platform.python_version()}, {libraries})")
