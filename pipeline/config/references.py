"""Secrets stand in the environment or in a file, never in the config; and paths start at its folder."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from pipeline.config.models import Config
from pipeline.config.problems import Place, Problem
from pipeline.config.shape import mapped

REFERENCE = re.compile(r"\$\{(ENV|FILE):([^}]+)\}")
_HOW = "Write ${ENV:NAME} or ${FILE:/path/to/file} here, and put the secret there."


class _Unresolved(Exception):
    """A secret that cannot be had."""

    def __init__(self, wrong: str, cure: str) -> None:
        super().__init__(wrong)
        self.wrong, self.cure = wrong, cure


def resolved(data: Mapping[Any, Any], folder: Path, environ: Mapping[str, str]) -> tuple[Any, list[Problem]]:
    """Put secrets in the place of their references, and let relative paths start at `folder`.

    Returns:
        The data, and what is wrong with references; a secret that cannot be had is empty.
    """
    problems: list[Problem] = []

    def leaf(expected: list[Any], value: Any, place: Place) -> Any:
        if SecretStr in expected and value is not None:
            try:
                return SecretStr(secret(value, folder, environ))
            except _Unresolved as problem:
                problems.append(Problem(place, problem.wrong, problem.cure))
                return SecretStr("")
        if isinstance(value, str) and REFERENCE.fullmatch(value):
            problems.append(
                Problem(place, "is no secret: ${...} means nothing here", "Write the value itself.")
            )
        return folder / value if Path in expected and isinstance(value, str) else value

    return mapped([Config], data, leaf), problems


def secret(value: Any, folder: Path, environ: Mapping[str, str]) -> str:
    """Give the secret that a reference names; the newline at the end of a file does not count."""
    reference = REFERENCE.fullmatch(value) if isinstance(value, str) else None
    if reference is None:
        raise _Unresolved("is a secret, and must not stand in this file", _HOW)
    where, name = reference.groups()
    if where == "ENV":
        if not environ.get(name):
            raise _Unresolved(f"the environment has no {name}", f"Set {name} where dateline is started.")
        return environ[name]
    try:
        found = (folder / name).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, ValueError) as problem:
        reason = getattr(problem, "strerror", None) or "it is not UTF-8 text"
        raise _Unresolved(f"cannot read {folder / name}: {reason}", "Correct the path or its mode.") from None
    if not found:
        raise _Unresolved(f"{folder / name} is empty", "Put the secret into it.")
    return found
