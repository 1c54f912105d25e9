"""What is shown of the brokers' logs."""

from itertools import islice
from pathlib import Path

from pipeline.kafka.local import follow
from pipeline.kafka.local.logs import last_words, log_file, tail


def test_the_tail_is_the_end_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"one\ntwo\n\xffthree")
    assert tail(tmp_path / "log", 2) == ["two", "\N{REPLACEMENT CHARACTER}three"]
    assert tail(tmp_path / "log", 0) == []
    assert tail(tmp_path / "absent", 5) == []


def test_errors_are_the_last_words_whatever_came_after_them(tmp_path: Path) -> None:
    (tmp_path / "console.log").write_text("Error: Could not find or load main class\n")
    (tmp_path / "broker.log").write_text(
        "12:00 ERROR no space left (Log)\n" + "12:01 INFO shutting down\n" * 50
    )
    assert last_words(tmp_path) == "12:00 ERROR no space left (Log)\nError: Could not find or load main class"


def test_without_errors_the_end_is_the_last_words(tmp_path: Path) -> None:
    (tmp_path / "broker.log").write_text("".join(f"12:00 INFO line {number}\n" for number in range(50)))
    assert last_words(tmp_path).splitlines()[-1] == "12:00 INFO line 49"


def test_a_broker_without_a_log_of_its_own_has_that_of_java(tmp_path: Path) -> None:
    (tmp_path / "broker.log").touch()
    assert log_file(tmp_path) == tmp_path / "console.log"
    (tmp_path / "broker.log").write_text("x")
    assert log_file(tmp_path) == tmp_path / "broker.log"


def test_following_yields_whole_new_lines_also_of_a_new_file(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("old\n")
    lines = follow({1: log})
    with log.open("a") as file:
        file.write("first\nsecond\nhalf of")
    assert list(islice(lines, 2)) == [(1, "first"), (1, "second")]
    log.write_text("rolled\n")
    assert next(lines) == (1, "rolled")
