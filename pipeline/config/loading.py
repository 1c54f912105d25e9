"""Load the config, or say everything that is wrong with it."""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr, ValidationError

from connectors.registry import KINDS
from connectors.seam import SourceConfig
from pipeline.config.models import Config, KafkaConfig, hosts
from pipeline.config.problems import ConfigProblem, Place, Problem, line_of
from pipeline.config.reading import Document, read
from pipeline.config.references import resolved
from pipeline.config.translate import problems_of

_WITHOUT_EFFECT = ("kafka", "topics", "telegram", "observe", "log", "shutdown")
"""Sections that change where and how we run, never what is decided."""
_WITHOUT_EFFECT_IN_SOURCES = ("unit", "renamed_from")


def load(path: Path, environ: Mapping[str, str] = os.environ) -> Config:
    """Load a config from a YAML file.

    Args:
        path: the file; relative paths in it start at its folder.
        environ: where `${ENV:NAME}` looks.

    Raises:
        ConfigProblem: the file cannot be used; it carries everything that is wrong.
    """
    document = read(path)
    data, problems = resolved(document.data, path.absolute().parent, environ)
    problems = [*document.problems, *problems, *clashes(data)]
    try:
        config = Config.model_validate(data)
    except ValidationError as error:
        told = {problem.place for problem in problems}
        problems += [problem for problem in problems_of(error, data) if problem.place not in told]
    if problems:
        raise ConfigProblem(path, located(problems, document))
    return config


def located(problems: list[Problem], document: Document) -> list[Problem]:
    """Give the problems with their lines, in the order of the file."""
    found = [
        replace(problem, line=problem.line or line_of(problem.place, document.lines)) for problem in problems
    ]
    return sorted(found, key=lambda problem: problem.line or 0)


def clashes(data: Any) -> Iterator[Problem]:
    """Yield what is wrong between sources, each of which may be right: two of one name."""
    sources = data.get("sources")
    rows = [row if isinstance(row, dict) else {} for row in sources] if isinstance(sources, list) else []
    names = [row.get("name") for row in rows]
    former = [row.get("renamed_from") for row in rows]
    for index, (name, before) in enumerate(zip(names, former, strict=True)):
        place: Place = ("sources", index)
        if name is not None and name in names[:index]:
            yield Problem((*place, "name"), f"{name!r} is taken by another source", "Give each its own name.")
        if before is None:
            continue
        place = (*place, "renamed_from")
        if before == name:
            yield Problem(place, f"{before!r} is its name still", "Remove renamed_from.")
        elif before in names:
            cure = "Name the source that this one replaces, and remove that one; or remove renamed_from."
            yield Problem(place, f"{before!r} is still configured as a source of its own", cure)
        elif before in former[:index]:
            yield Problem(
                place, f"{before!r} was claimed by another source", "Only one can go on from there."
            )


def cautions(config: Config) -> list[str]:
    """Say what is probably not meant, though it is allowed."""
    found = [] if config.sources else ["sources: there is none, so nothing will come in."]
    found += _idle(config.kafka)
    units: dict[str, dict[bool, list[str]]] = {}
    for source in config.sources:
        recorded = bool(getattr(KINDS[source.kind].connector, "recorded", False))
        units.setdefault(source.unit, {}).setdefault(recorded, []).append(source.name)
        for name, path in source:
            if isinstance(path, Path) and not path.exists():
                found.append(f"{source.name}: {name}: there is no {path} (yet).")
    for unit, names in units.items():
        if len(names) > 1:
            recorded_names, live_names = ", ".join(names[True]), ", ".join(names[False])
            found.append(
                f"unit {unit}: {recorded_names} is a recording and {live_names} is live; they would "
                "disagree on what time it is. Run them under two prefixes."
            )
    return [*found, *_of_kinds(config)]


def _of_kinds(config: Config) -> Iterator[str]:
    """Yield what this machine lacks for sources of a kind."""
    of_host = hosts(config)
    for name, kind in KINDS.items():
        sources = [source for source in config.sources if source.kind == name]
        if kind.cautions is not None and sources:
            yield from kind.cautions(sources, of_host.get(name))


def _idle(kafka: KafkaConfig) -> Iterator[str]:
    """Yield what is set to secure the connection, and does not."""
    protocol = kafka.security_protocol
    heeded = {"sasl": protocol.startswith("SASL"), "ssl": protocol.endswith("SSL")}
    for name in sorted(kafka.model_fields_set):
        if not heeded.get(name.partition("_")[0], True):
            yield f"kafka: {name} has no effect while security_protocol is {protocol}."


def fingerprint(config: Config) -> str:
    """Hash what changes decisions: not where Kafka is, where paths lead, or which process does what.

    Returns:
        12 hex digits.
    """
    whole = {name: getattr(config, name) for name in Config.model_fields if name not in _WITHOUT_EFFECT}
    whole["sources"] = sorted(config.sources, key=lambda source: source.name)
    return hashlib.sha256(json.dumps(whole, sort_keys=True, default=_essence).encode()).hexdigest()[:12]


def _essence(value: Any) -> Any:
    if isinstance(value, BaseModel):
        left_out = _WITHOUT_EFFECT_IN_SOURCES if isinstance(value, SourceConfig) else ()
        return {name: each for name, each in value if name not in left_out}
    if isinstance(value, set | frozenset):
        return sorted(value, key=str)
    return None if isinstance(value, Path | SecretStr) else str(value)
