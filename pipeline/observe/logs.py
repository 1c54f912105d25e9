"""Logs: on a terminal for people, elsewhere a line of JSON each; what libraries say goes the same way.

An event is a constant sentence; what changes from one to the next stands in fields. No secret is written.
"""

import logging
import os
import re
import sys
from collections.abc import Mapping
from typing import Any, TextIO, cast

import structlog
from pydantic import SecretStr
from structlog.typing import EventDict, FilteringBoundLogger, Processor, WrappedLogger

from pipeline.config import LogConfig

REDACTED = "[redacted]"
SECRET_NAME = re.compile(
    r"(^|_|-)(password|passwd|token|secret|api_?hash|api_?key|authorization|session)(_string)?$",
    re.IGNORECASE,
)


def setup_logs(config: LogConfig, *, role: str, stream: TextIO | None = None) -> FilteringBoundLogger:
    """Set up logging for this process and give its logger.

    Args:
        config: the level, and how it looks.
        role: what this process does; with the process id it stands in every line.
        stream: where to; by default standard error.
    """
    stream = sys.stderr if stream is None else stream
    console = config.format == "console" or (config.format == "auto" and stream.isatty())
    level = logging.getLevelNamesMapping()[config.level.upper()]
    common: list[Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        *([] if console else [structlog.processors.format_exc_info]),
        redact,
    ]
    rendered = renderer(console=console, colors=stream.isatty())
    structlog.configure(
        processors=[*common, rendered],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(stream),
        cache_logger_on_first_use=False,
    )
    bound = {"role": role, "process": os.getpid()}
    _route(stream, level, [_Bind(bound), *common], rendered)
    return cast("FilteringBoundLogger", structlog.get_logger(**bound))


def renderer(*, console: bool, colors: bool) -> Processor:
    """Give what makes a line of an event.

    Tracebacks are plain: the pretty ones show local variables, and secrets among them.
    """
    if not console:
        return structlog.processors.JSONRenderer()
    plain = structlog.dev.plain_traceback
    return structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=plain)


def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Take secrets out of an event's fields, however deep they are."""
    return cast("EventDict", redacted(event))


def redacted(value: Any) -> Any:
    """Give the value with what looks like a secret, by its type or its name, taken out."""
    if isinstance(value, SecretStr):
        return REDACTED
    if isinstance(value, Mapping):
        return {
            name: REDACTED if SECRET_NAME.search(str(name)) and each is not None else redacted(each)
            for name, each in value.items()
        }
    if isinstance(value, list | tuple):
        return type(value)(map(redacted, value)) if type(value) in {list, tuple} else value
    return value


class _Bind:
    """Adds fields to what libraries log."""

    def __init__(self, fields: Mapping[str, Any]) -> None:
        self._fields = fields

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        return {**event, **self._fields}


def _route(stream: TextIO, level: int, common: list[Processor], rendered: Processor) -> None:
    """Send the logging of libraries, from WARNING on, through the same processors."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, structlog.stdlib.ExtraAdder(), *common],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, rendered],
        )
    )
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(max(level, logging.WARNING))
