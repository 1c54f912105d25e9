"""The rights follow from the registry, and the shipped script says what the rights are."""

import os
import subprocess
from pathlib import Path

import pytest

from pipeline.daemon.compose import CORES, core_of
from pipeline.security.__main__ import ROOT, main
from pipeline.security.acls import grants, roles, stages
from pipeline.security.script import FILE
from schemas.topics import TOPICS, Topic


def allowed(role: str, operation: str, topics: tuple[Topic, ...] = TOPICS) -> set[str]:
    """Give the topics with which a role may do something, without prefix."""
    return {
        name.removeprefix("{prefix}")
        for grant in grants(role, topics)
        if grant.kind == "topic" and operation in grant.operations
        for name in grant.names
    }


def names(text: str) -> set[str]:
    return {f"{name}.v1" for name in text.split()}


def test_ingest_remembers_and_writes() -> None:
    assert allowed("ingest", "Read") == names("checkpoints seen control deadletters")
    written = names("raw items seen checkpoints gaps deadletters control")
    assert allowed("ingest", "Write") == written


def test_a_subscriber_reads_what_is_public_and_writes_nothing() -> None:
    hidden = names("checkpoints seen control learned originals")
    assert allowed("subscriber", "Read") == {topic.name for topic in TOPICS} - hidden
    assert {operation for grant in grants("subscriber") for operation in grant.operations} == {"Read"}


def test_every_stage_has_a_role_and_may_do_what_its_core_wants() -> None:
    assert stages() == tuple(CORES)
    for stage in stages():
        core = core_of(stage)
        assert {core.reads.name, core.folds.name, *(topic.name for topic in core.tables)} <= allowed(
            stage, "Read"
        )
        assert names("learned control deadletters") <= allowed(stage, "Read")
        assert core.reads.name not in allowed(stage, "Write")
        assert {topic.name for topic in core.tables} <= allowed(stage, "Write")


def test_a_new_topic_gets_its_rights_from_the_registry() -> None:
    new = Topic(
        name="rumours.v1",
        sentence="",
        key="",
        types={},
        writer="weigh, operator",
        readers=("cluster", "stages"),
        public=False,
    )
    more = (*TOPICS, new)
    assert roles(more) == (
        "ingest",
        "deduplicate",
        "cluster",
        "chronology",
        "weigh",
        "operator",
        "subscriber",
    )
    readers = {role for role in roles(more) if "rumours.v1" in allowed(role, "Read", more)}
    writers = {role for role in roles(more) if "rumours.v1" in allowed(role, "Write", more)}
    assert readers == {"deduplicate", "cluster", "chronology", "weigh", "operator"}
    assert writers == {"weigh", "operator"}
    assert "rumours.v1" in allowed("operator", "Create", more)


def test_topics_are_named_literally_and_no_pattern_is_wider_than_our_prefix_or_its_user() -> None:
    for role in roles():
        for grant in grants(role):
            assert not (grant.kind == "topic" and grant.prefixed)
            assert all(name.startswith(("{prefix}", "{user}.")) for name in grant.names)


def echoed(*arguments: str, **parameters: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "KAFKA_ACLS": "echo", "KAFKA_CONFIGS": "echo", **parameters}
    return subprocess.run(
        [ROOT / FILE, *arguments], env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("role", roles())
def test_the_script_gives_exactly_the_rights(role: str) -> None:
    told = echoed(f"{role}=ann", PREFIX="p.", BOOTSTRAP="k:1", COMMAND_CONFIG="admin.properties").stdout
    head = "--bootstrap-server k:1 --command-config admin.properties --add --force --allow-principal User:ann"
    wanted = []
    for grant in grants(role):
        operations = " ".join(f"--operation {operation}" for operation in grant.operations)
        pattern = " --resource-pattern-type prefixed" if grant.prefixed else ""
        full = (name.format(prefix="p.", user="ann") for name in grant.names)
        wanted.append(f"{head} {operations}{pattern} " + " ".join(f"--{grant.kind} {name}" for name in full))
    assert told.splitlines() == wanted


def test_without_arguments_every_role_has_a_user_of_its_name() -> None:
    users = [line.partition("User:")[2].split()[0] for line in echoed().stdout.splitlines()]
    assert tuple(dict.fromkeys(users)) == tuple(f"dateline-{role}" for role in roles())


def test_passwords_are_made_once_and_stand_in_no_command_line(tmp_path: Path) -> None:
    told = echoed("ingest", SECRETS=str(tmp_path / "secrets")).stdout
    file = tmp_path / "secrets/dateline-ingest"
    password = file.read_text()
    assert len(password.strip()) == 32
    assert file.stat().st_mode & 0o777 == 0o600
    assert password.strip() not in told
    assert "--entity-name dateline-ingest --add-config-file" in told
    echoed("ingest", SECRETS=str(tmp_path / "secrets"))
    assert file.read_text() == password


@pytest.mark.parametrize(
    ("argument", "told"),
    [
        ("reader", "reader is none of: ingest deduplicate"),
        ("subscriber=a b", "not 'a b'"),
        ("subscriber=", "not ''"),
        ("subscriber=dateline", "the groups of dateline would be ours"),
    ],
)
def test_what_cannot_be_is_said(argument: str, told: str) -> None:
    done = echoed(argument)
    assert done.returncode == 2
    assert told in done.stderr
    assert done.stdout == ""


def test_a_password_that_kafkas_file_cannot_hold_is_refused(tmp_path: Path) -> None:
    (tmp_path / "dateline-ingest").write_text("back\\slash")
    done = echoed("ingest", SECRETS=str(tmp_path))
    assert done.returncode == 2
    assert "dateline-ingest may hold" in done.stderr


def test_write_and_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--check"]) == 0, "python -m pipeline.security --write"
    assert main(["--check"], tmp_path) == 1
    assert main(["--write"], tmp_path) == 0
    assert (tmp_path / FILE).read_text() == (ROOT / FILE).read_text()
    assert os.access(tmp_path / FILE, os.X_OK)
    assert main(["--check"], tmp_path) == 0
    assert capsys.readouterr().out == f"stale: {FILE}\nwrote: {FILE}\n"
