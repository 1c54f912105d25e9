"""Logs go one way, in one form, and carry no secret."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from pydantic import SecretStr

from pipeline.config import LogConfig
from pipeline.observe.logs import REDACTED, redacted, setup_logs


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_elsewhere_than_on_a_terminal_an_event_is_a_line_of_json() -> None:
    stream = io.StringIO()
    setup_logs(LogConfig(), role="ingest", stream=stream).bind(source="a").info("source fails", count=2)
    (line,) = lines(stream)
    assert line.pop("timestamp").endswith("Z")
    assert isinstance(line.pop("process"), int)
    assert line == {"event": "source fails", "level": "info", "role": "ingest", "source": "a", "count": 2}


def test_on_a_terminal_it_is_for_people_unless_json_is_asked_for() -> None:
    stream = Terminal()
    setup_logs(LogConfig(), role="ingest", stream=stream).info("source fails", source="a")
    assert "\x1b[" in stream.getvalue()
    assert "source fails" in stream.getvalue()
    stream = Terminal()
    setup_logs(LogConfig(format="json"), role="ingest", stream=stream).info("source fails")
    assert lines(stream)[0]["event"] == "source fails"


def test_console_without_a_terminal_has_no_colours() -> None:
    stream = io.StringIO()
    setup_logs(LogConfig(format="console"), role="ingest", stream=stream).info("source fails")
    assert "source fails" in stream.getvalue()
    assert "\x1b[" not in stream.getvalue()


@pytest.mark.parametrize(("level", "written"), [("debug", 4), ("info", 3), ("warning", 2), ("error", 1)])
def test_what_is_below_the_level_is_not_written(level: Any, written: int) -> None:
    stream = io.StringIO()
    log = setup_logs(LogConfig(level=level), role="ingest", stream=stream)
    for each in (log.debug, log.info, log.warning, log.error):
        each("event")
    assert len(lines(stream)) == written


def test_what_libraries_warn_of_goes_the_same_way_and_what_they_chat_does_not() -> None:
    stream = io.StringIO()
    setup_logs(LogConfig(level="debug"), role="cluster", stream=stream)
    library = logging.getLogger("aiokafka.conn")
    library.warning("lost %s", "broker 1", extra={"password": "hunter2"})
    library.info("chat")
    (line,) = lines(stream)
    assert (line["event"], line["logger"], line["role"]) == ("lost broker 1", "aiokafka.conn", "cluster")
    assert line["password"] == REDACTED


def test_libraries_obey_a_higher_level_too() -> None:
    stream = io.StringIO()
    setup_logs(LogConfig(level="error"), role="cluster", stream=stream)
    logging.getLogger("aiokafka").warning("lost")
    assert lines(stream) == []


def test_setting_up_again_writes_nothing_twice() -> None:
    stream = io.StringIO()
    for _ in range(2):
        setup_logs(LogConfig(), role="cluster", stream=stream)
    logging.getLogger("asyncio").error("slow")
    assert len(lines(stream)) == 1


@pytest.mark.parametrize("form", ["console", "json"])
def test_a_traceback_is_written_without_local_variables(form: Any) -> None:
    stream = io.StringIO()
    log = setup_logs(LogConfig(format=form), role="ingest", stream=stream)
    password = "hunt" + "er2"
    try:
        int(password[:0])
    except ValueError:
        log.exception("it broke", length=len(password))
        logging.getLogger("asyncio").exception("it broke there")
    assert stream.getvalue().count("ValueError: invalid") == 2
    assert "hunter2" not in stream.getvalue()


SECRETS = "password sasl_password token bot_token Token secret client-secret api_hash api_key session_string"


@pytest.mark.parametrize("name", [*SECRETS.split(), "session", "Authorization"])
def test_a_field_named_like_a_secret_is_redacted(name: str) -> None:
    assert redacted({name: "hunter2"}) == {name: REDACTED}
    assert redacted({"deep": [{name: "hunter2"}]}) == {"deep": [{name: REDACTED}]}


@pytest.mark.parametrize("name", ["tokens_total", "session_seconds", "secretary", "source", "api_id"])
def test_a_field_that_is_no_secret_stays(name: str) -> None:
    assert redacted({name: "x"}) == {name: "x"}


def test_a_secret_is_redacted_by_its_type_and_an_empty_one_stays_empty() -> None:
    assert redacted({"a": (SecretStr("hunter2"), 1), "password": None}) == {
        "a": (REDACTED, 1),
        "password": None,
    }
