"""The part of a config that concerns the whole prefix, as it stands on control.v1, and back.

Defaults are filled in, so that files which mean the same are the same. A secret stays the reference that the
file has, and a path stays as it is written: every machine looks in its own environment and from the folder of
its own file.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr, ValidationError

from pipeline.config.loading import clashes
from pipeline.config.models import Config
from pipeline.config.problems import ConfigProblem, Place
from pipeline.config.reading import read
from pipeline.config.references import resolved
from pipeline.config.shape import mapped
from pipeline.config.translate import problems_of

OF_KAFKA = ("replication_factor", "min_insync_replicas")
"""What all topics of the prefix are created with; the rest of that section is how one host reaches Kafka."""


def shared_of(path: Path) -> dict[str, Any]:
    """Give what a file, known to be a good config, says for all.

    Raises:
        ConfigProblem: it has changed meanwhile, and cannot be used.
    """
    data = mapped([Config], read(path).data, _as_written)
    try:
        config = Config.model_validate(data)
    except ValidationError as error:
        raise ConfigProblem(path, problems_of(error, data)) from None
    return {
        "kafka": {name: getattr(config.kafka, name) for name in OF_KAFKA},
        "sources": [_plain(source) for source in config.sources],
    }


def with_shared(
    own: Config, shared: Mapping[str, Any], folder: Path, environ: Mapping[str, str] = os.environ
) -> Config:
    """Give a host's config with what is in force for all in its place.

    Args:
        own: the host's.
        shared: as `shared_of` gave it, here or on another machine.
        folder: where relative paths start.
        environ: where `${ENV:NAME}` looks.

    Raises:
        ConfigProblem: this machine cannot use it: a secret is not here, or a kind of source is not known.
    """
    data, problems = resolved({"sources": shared.get("sources", [])}, folder, environ)
    problems += clashes(data)
    try:
        sources = Config.model_validate(data).sources
        kafka = own.kafka.model_copy(update=dict(shared.get("kafka", {})))
    except ValidationError as error:
        told = {problem.place for problem in problems}
        problems += [problem for problem in problems_of(error, data) if problem.place not in told]
    if problems:
        raise ConfigProblem(Path("the config in force"), problems)
    return own.model_copy(update={"sources": sources, "kafka": kafka})


def _as_written(expected: list[Any], value: Any, _: Place) -> Any:
    return SecretStr(value) if SecretStr in expected and isinstance(value, str) else value


def _plain(value: Any) -> Any:
    """Give a setting as JSON has it; of a secret its reference."""
    if isinstance(value, BaseModel):
        return {name: _plain(each) for name, each in value}
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(each) for each in value]
    if isinstance(value, set | frozenset):
        return sorted(map(_plain, value), key=str)
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)
