"""What of a config holds for all: files that mean the same are the same, and no secret leaves its machine."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, cast

import pytest
from pydantic import SecretStr

from connectors import registry
from connectors.registry import Kind
from connectors.seam import SourceConfig
from pipeline.config import Config, ConfigProblem, load, shared_of, with_shared

PLAIN = "sources: [{kind: recording, name: day, path: day.jsonl}]\n"


class LockedConfig(SourceConfig):
    """A source with a secret."""

    kind: Literal["locked"] = "locked"
    token: SecretStr


@pytest.fixture
def locked() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(cast("Any", registry.KINDS), "locked", Kind(LockedConfig, lambda config: config))
        Config.model_rebuild(force=True)
        yield
    Config.model_rebuild(force=True)


def written(folder: Path, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / "dateline.yaml"
    path.write_text(text)
    return path


def test_what_is_a_hosts_own_and_how_it_is_written_make_no_difference(tmp_path: Path) -> None:
    here = written(tmp_path / "a", PLAIN)
    there = written(
        tmp_path / "b",
        "observe: {port: 1}\nlog: {format: json}\nshutdown: {drain_seconds: 3}\n"
        "kafka: {bootstrap_servers: 'b:1', deadline_seconds: 4}\n"
        "telegram: {api_id: 7, sessions: [desk.session]}\n"
        "sources: [{name: day, unit: main, speed: max, path: ./day.jsonl, kind: recording}]\n",
    )
    assert shared_of(here) == shared_of(there)
    other = written(tmp_path / "c", f"kafka: {{replication_factor: 3}}\n{PLAIN}")
    assert shared_of(other) != shared_of(here)


def test_the_accounts_of_a_machine_stay_its_own(tmp_path: Path) -> None:
    shared = shared_of(written(tmp_path / "a", f"telegram: {{api_id: 7, sessions: [a.session]}}\n{PLAIN}"))
    own = load(written(tmp_path / "b", "telegram: {api_id: 8, sessions: [b.session]}\n"))
    config = with_shared(own, shared, tmp_path / "b")
    assert (config.telegram.api_id, config.telegram.sessions) == (8, (tmp_path / "b" / "b.session",))


def test_a_path_starts_at_each_machines_own_folder(tmp_path: Path) -> None:
    shared = shared_of(written(tmp_path / "a", PLAIN))
    own = load(written(tmp_path / "b", "observe: {port: 7}\n"))
    config = with_shared(own, shared, tmp_path / "b")
    assert cast("Any", config.sources[0]).path == tmp_path / "b" / "day.jsonl"
    assert config.observe.port == 7


@pytest.mark.usefixtures("locked")
def test_a_secret_stays_on_its_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "hunter2")
    path = written(tmp_path / "a", "sources: [{kind: locked, name: x, token: '${ENV:TOKEN}'}]\n")
    own, shared = load(path), shared_of(path)
    assert "hunter2" not in str(shared)
    assert shared["sources"][0]["token"] == "${ENV:TOKEN}"
    there = with_shared(own, shared, tmp_path, {"TOKEN": "another"})
    assert cast("Any", there.sources[0]).token.get_secret_value() == "another"
    with pytest.raises(ConfigProblem, match="the environment has no TOKEN"):
        with_shared(own, shared, tmp_path, {})


def test_a_kind_that_this_version_does_not_know_is_told(tmp_path: Path) -> None:
    own = load(written(tmp_path / "a", PLAIN))
    with pytest.raises(ConfigProblem, match=r"the config in force:\n.*sources\[0\].kind: 'new' is no kind"):
        with_shared(own, {"sources": [{"kind": "new", "name": "x"}]}, tmp_path)
