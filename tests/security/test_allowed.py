"""What the rights are for: the daemon, its operator and its subscribers at work on a secured Kafka."""

import asyncio
import contextlib
import json
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from confluent_kafka import Consumer, TopicPartition
from typer.testing import CliRunner

from connectors.recording.connector import sha256_of
from pipeline.cli.app import app
from pipeline.daemon.replay import SOURCE, watch
from pipeline.demo import RECORDED_DAY
from pipeline.kafka import KafkaSettings, Reader
from pipeline.security.acls import OPERATOR, SUBSCRIBER, grants, roles
from schemas.topics import ITEMS, TOPICS
from tests import kafka_tools
from tests.scenarios.desk import Desk
from tests.scenarios.test_replay import assert_same_as_backtest
from tests.security.acts import Act, reads, writes
from tests.security.bus import OTHER_SUBSCRIBER, PREFIX, SCRIPT, Bus

pytestmark = pytest.mark.kafka

PATIENCE_SECONDS = 120
COMMANDS = (
    "check -c {config} --online",
    "topics create -c {config}",
    "topics verify -c {config}",
    "tail checkpoints -c {config}",
    "dlq list -c {config}",
    "sources -c {config}",
    "apply -c {config}",
)


def write_config(bus: Bus, folder: Path, **changes: object) -> Path:
    """Write the config that an operator would write, with one user for each process."""
    config = {
        "kafka": bus.section(**changes),
        "topics": {"prefix": PREFIX},
        "observe": {"port": 0},
        "sources": [{"kind": "recording", "name": SOURCE, "path": str(RECORDED_DAY)}],
    }
    path = folder / "dateline.yaml"
    path.write_text(yaml.safe_dump(config))
    return path


async def test_the_daemon_gives_the_same_as_without_security(bus: Bus, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pipeline.cli", "run", "-c", str(write_config(bus, tmp_path))]
    with (tmp_path / "log").open("wb") as log:
        daemon = await asyncio.create_subprocess_exec(*command, stderr=log)
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            async for _ in watch(bus.settings("operator"), PREFIX, sha256_of(RECORDED_DAY)):
                assert daemon.returncode is None
            daemon.send_signal(signal.SIGTERM)
            assert await daemon.wait() == 0
    finally:
        if daemon.returncode is None:
            daemon.kill()
    told = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert not [line for line in told if line["level"] not in {"debug", "info"}]
    await assert_same_as_backtest(Desk(bus.settings("subscriber"), PREFIX), RECORDED_DAY)


async def test_one_process_alone_needs_no_password_but_its_own(bus: Bus, tmp_path: Path) -> None:
    secret = tmp_path / "dateline-chronology"
    secret.write_text((bus.folder / "secrets" / secret.name).read_text())
    path = write_config(bus, tmp_path, sasl_password_file=str(tmp_path / "dateline-{role}"))
    command = [sys.executable, "-m", "pipeline.cli", "run", "-c", str(path), "--only", "chronology"]
    stage = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    assert stage.stderr is not None
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (line := json.loads(await stage.stderr.readline()))["event"] != "stage took over":
                assert line["level"] == "info", line
            stage.send_signal(signal.SIGTERM)
            await stage.stderr.read()
            assert await stage.wait() == 0
    finally:
        if stage.returncode is None:
            stage.kill()


@pytest.mark.parametrize("typed", COMMANDS)
def test_an_operator_may_use_the_commands(bus: Bus, tmp_path: Path, typed: str) -> None:
    done = CliRunner().invoke(app, typed.format(config=write_config(bus, tmp_path)).split())
    assert done.exit_code == 0, done.output


@pytest.mark.parametrize("role", [role for role in roles() if role != SUBSCRIBER])
async def test_a_role_may_read_and_write_what_the_registry_says(bus: Bus, role: str) -> None:
    for grant in grants(role):
        act = {"Read": reads, "Write": writes_as}.get(grant.operations[0])
        if grant.kind == "topic" and act is not None:
            for name in grant.names:
                await act(role, name.removeprefix("{prefix}"))(bus)


def writes_as(role: str, topic: str) -> Act:
    return writes(role, topic, "dlq" if role == OPERATOR else f"{role}.11")


@pytest.mark.parametrize("user", ["dateline-subscriber", OTHER_SUBSCRIBER])
def test_a_foreign_subscriber_reads_in_a_group_of_its_own(bus: Bus, user: str) -> None:
    public = [topic.full(PREFIX) for topic in TOPICS if topic.public]
    consumer = Consumer({**bus.foreign(user), "group.id": f"{user}.board", "enable.auto.commit": False})
    with contextlib.closing(consumer):
        consumer.subscribe(public)
        while not consumer.assignment():
            message = consumer.poll(PATIENCE_SECONDS / 100)
            assert message is None or not message.error(), message.error()
        places = consumer.assignment()
        assert {place.topic for place in places} == set(public)
        consumer.commit(offsets=[TopicPartition(places[0].topic, places[0].partition, 0)], asynchronous=False)


@pytest.fixture
def tools(tmp_path: Path) -> dict[str, str]:
    """Kafka's own commands, as deploy/acls.sh wants to know of them."""
    commands = {
        "KAFKA_ACLS": "org.apache.kafka.tools.AclCommand",
        "KAFKA_CONFIGS": "kafka.admin.ConfigCommand",
    }
    for name, tool in commands.items():
        (tmp_path / name).write_text(f'#!/bin/sh\nexec {shlex.join(kafka_tools.command(tool))} "$@"\n')
        (tmp_path / name).chmod(0o700)
    return {name: str(tmp_path / name) for name in commands}


async def test_kafkas_own_tools_do_what_the_script_says(
    bus: Bus, tmp_path: Path, tools: dict[str, str]
) -> None:
    (tmp_path / "admin.properties").write_text("request.timeout.ms=30000\n")
    parameters = {
        "BOOTSTRAP": bus.at("plain"),
        "COMMAND_CONFIG": str(tmp_path / "admin.properties"),
        "PREFIX": PREFIX,
        "SECRETS": str(bus.folder / "secrets"),
    }
    script = await asyncio.create_subprocess_exec(
        SCRIPT, "subscriber=reader", env={**os.environ, **parameters, **tools}, stdout=subprocess.DEVNULL
    )
    assert await script.wait() == 0
    assert rights_of(bus, "reader") == rights_of(bus, OTHER_SUBSCRIBER)
    login = {"sasl_username": "reader", "sasl_password_file": bus.folder / "secrets/reader"}
    reader = await Reader.open(KafkaSettings.model_validate(bus.section(**login)), ITEMS.full(PREFIX))
    await reader.close()


def rights_of(bus: Bus, user: str) -> set[tuple[object, ...]]:
    return {
        (right.restype, right.name.replace(user, "USER"), right.resource_pattern_type, right.operation)
        for right in bus.acls()
        if right.principal == f"User:{user}"
    }
