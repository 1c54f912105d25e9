"""The example file: every setting with its meaning and its default, made from the models."""

import textwrap
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from connectors.registry import KINDS
from connectors.seam import SourceConfig
from pipeline.config.models import Config
from pipeline.config.shape import alternatives, meaning

FILE = "dateline.example.yaml"
WIDTH = 100
_HEAD = """\
# Every setting of Dateline, with its default.
# Made by `python -m pipeline.config --write`; edits here are lost.
#
# Copy this file, keep what you change, and try it with: dateline check -c FILE
# What begins with # and no blank is a setting too: take the # away to use it.
# A relative path starts at the folder of the file. A secret is ${ENV:NAME} or ${FILE:/path/to/file}.
"""


def example() -> str:
    """Write the example file; it loads without problems."""
    parts = [_HEAD]
    for name, field in Config.model_fields.items():
        model = next(alternatives(field.annotation))
        text = field.description or model.__doc__
        lines = _sources() if name == "sources" else indented(_settings(model))
        parts.append("\n".join([*_prose(text), f"{name}:", *lines, ""]))
    return "\n".join(parts)


def _sources() -> Iterator[str]:
    for index, (kind, entry) in enumerate(KINDS.items()):
        yield from source(kind, entry.config, used=index == 0)


def source(kind: str, model: type[SourceConfig], *, used: bool) -> Iterator[str]:
    """Yield the lines of one source of a kind; of one that is not used, every setting is behind a #."""
    mark, begun = "" if used else "#", False
    for line in _settings(model, kind):
        if line.startswith("#"):
            yield f"    {line}"
        else:
            yield f"    {mark}{line}" if begun else f"  {mark}- {line}"
            begun = True


def indented(lines: Iterable[str]) -> Iterator[str]:
    """Put lines under a name."""
    return (f"  {line}" for line in lines)


def _settings(model: type[BaseModel], kind: str | None = None) -> Iterator[str]:
    for name in model.model_fields:
        yield from _setting(model, name, kind)


def _setting(model: type[BaseModel], name: str, kind: str | None) -> Iterator[str]:
    """Yield what a setting means, and the setting itself: its default, or a sample behind a #."""
    field = model.model_fields[name]
    yield from _prose(meaning(model, name).removesuffix("."))
    default = field.get_default(call_default_factory=True)
    if name == "kind":
        yield _line(name, kind)
    elif field.is_required():
        yield _line(name, sample(name, field, kind))
    elif default is None:
        yield f"#{_line(name, sample(name, field, kind))}"
    else:
        yield _line(name, _plain(default))


def sample(name: str, field: FieldInfo, kind: str | None) -> Any:
    """Give a value that shows what a setting without a default looks like."""
    if field.examples:
        return _plain(field.examples[0])
    if name == "name":
        return f"my-{kind}"
    expected = list(alternatives(field.annotation))
    if SecretStr in expected:
        return f"${{ENV:{name.upper()}}}"
    return _SAMPLES.get(next(iter(expected)), f"some-{name.replace('_', '-')}")


_SAMPLES: Mapping[Any, Any] = {Path: "path/to/file", int: 1, float: 1.0, bool: True}


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Path) else value


def _line(name: str, value: Any) -> str:
    dumped = yaml.safe_dump({name: value}, default_flow_style=True, allow_unicode=True, width=1000)
    return dumped.strip()[1:-1]  # the braces


def _prose(text: str) -> list[str]:
    return [f"# {line}" for line in textwrap.wrap(text, WIDTH)]
