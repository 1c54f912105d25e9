"""`dateline topics` and `dateline schema`."""

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from pipeline.cli.app import app
from schemas.topics import TOPICS


def run(*arguments: str) -> Any:
    return CliRunner(env={"COLUMNS": "200"}).invoke(app, arguments)


def test_list_shows_every_topic_by_its_full_name_also_the_second_time() -> None:
    for _ in range(2):
        result = run("topics", "list", "--prefix", "desk.")
        assert result.exit_code == 0
        assert [result.stdout.count(topic.full("desk.")) for topic in TOPICS] == [1] * len(TOPICS)
    assert "last of each key, 400 days" in result.stdout


def test_list_takes_the_prefix_of_the_config(tmp_path: Path) -> None:
    (tmp_path / "d.yaml").write_text("topics: {prefix: mine.}\n")
    assert "mine.items.v1" in run("topics", "list", "-c", str(tmp_path / "d.yaml")).stdout
    assert "dateline.items.v1" in run("topics", "list").stdout


def test_a_prefix_that_kafka_forbids_is_a_wrong_use() -> None:
    result = run("topics", "list", "--prefix", "a b")
    assert result.exit_code == 2
    assert "letters, digits" in result.output


@pytest.mark.kafka
def test_create_and_verify(kafka: str, topic_prefix: str) -> None:
    where = ("--bootstrap", kafka, "--prefix", topic_prefix)
    result = run("topics", "verify", *where)
    assert result.exit_code == 1
    assert result.stdout.count("missing") == len(TOPICS)
    result = run("topics", "create", *where)
    assert result.exit_code == 0
    assert f"created {topic_prefix}items.v1" in result.stdout
    assert run("topics", "create", *where).stdout == "0 created, 14 were there.\n"
    result = run("topics", "verify", *where)
    assert (result.exit_code, result.stdout) == (0, "All 14 topics are as they should be.\n")


def test_schema_export_writes_what_check_then_finds_up_to_date(tmp_path: Path) -> None:
    assert run("schema", "export", "--check", "--out", str(tmp_path)).exit_code == 1
    assert list(tmp_path.iterdir()) == []
    result = run("schema", "export", "--out", str(tmp_path))
    assert result.exit_code == 0
    assert "wrote: schemas/generated/asyncapi.yaml" in result.stdout
    assert (tmp_path / "schemas/generated/asyncapi.yaml").is_file()
    result = run("schema", "export", "--check", "--out", str(tmp_path))
    assert (result.exit_code, result.stdout) == (0, "Everything is up to date.\n")
