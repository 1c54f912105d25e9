"""Logins, certificates and rights that are wrong: one message each, with place and cure and no traceback."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from pipeline.cli.app import app
from pipeline.kafka import KafkaSettings
from pipeline.kafka.access import access
from pipeline.kafka.errors import Refused
from tests.security.bus import NOBODY, PREFIX, Bus

pytestmark = pytest.mark.kafka

COMMANDS = ("check --online -c {config}", "topics verify -c {config}")
PATIENCE_SECONDS = 60
NO_LOGIN = {"sasl_username": None, "sasl_password_file": None}


@dataclass(frozen=True)
class Mistake:
    """What is wrong in the config, and what must be said of it: the place, then the cure."""

    changes: Callable[[Bus], dict[str, object]]
    told: tuple[str, ...]


MISTAKES = {
    "an authority that has not signed": Mistake(
        lambda bus: {"ssl_cafile": str(bus.folder / "elsewhere.pem")},
        ("{good}: its certificate is signed by nobody that we trust", "kafka.ssl_cafile"),
    ),
    "no authority of ours": Mistake(
        lambda _: {"ssl_cafile": None},
        ("{good}: its certificate is signed by nobody that we trust", "kafka.ssl_cafile"),
    ),
    "an authority's file that is not there": Mistake(
        lambda bus: {"ssl_cafile": str(bus.folder / "none.pem")},
        ("kafka.ssl_cafile: {folder}/none.pem cannot be used: No such file", "Correct the path"),
    ),
    "an authority's file that holds none": Mistake(
        lambda bus: {"ssl_cafile": str(bus.folder / "secrets/nobody")},
        ("kafka.ssl_cafile: {folder}/secrets/nobody cannot be used", "Correct the path or file"),
    ),
    "a certificate that has expired": Mistake(
        lambda bus: {"bootstrap_servers": bus.at("expired"), "ssl_cafile": str(bus.folder / "expired.pem")},
        ("{expired}: its certificate is not valid now: certificate has expired", "Renew it"),
    ),
    "a certificate of another host": Mistake(
        lambda bus: {
            "bootstrap_servers": bus.at("elsewhere"),
            "ssl_cafile": str(bus.folder / "elsewhere.pem"),
        },
        (
            "{elsewhere}: its certificate is for another host",
            "not valid for '127.0.0.1'",
            "advertised.listeners",
        ),
    ),
    "a wrong password": Mistake(
        lambda _: {"sasl_password": "${ENV:WRONG}", "sasl_password_file": None},
        ("{good} refused the login of dateline-operator", "kafka.sasl_username or its password"),
    ),
    "a password's file that is not there": Mistake(
        lambda bus: {"sasl_password_file": str(bus.folder / "secrets/none-{role}")},
        ("kafka.sasl_password_file: {folder}/secrets/none-operator cannot be used: No such file",),
    ),
    "an unknown user": Mistake(
        lambda bus: {"sasl_username": "stranger", "sasl_password_file": str(bus.folder / "secrets/nobody")},
        ("{good} refused the login of stranger", "kafka.sasl_username or its password"),
    ),
    "a mechanism that the broker has not": Mistake(
        lambda _: {"sasl_mechanism": "PLAIN"}, ("{good} knows no PLAIN", "kafka.sasl_mechanism")
    ),
    "no TLS where there is TLS": Mistake(
        lambda _: {"security_protocol": "SASL_PLAINTEXT"},
        ("{good} speaks TLS, kafka.security_protocol is SASL_PLAINTEXT", "SASL_SSL or SSL"),
    ),
    "neither TLS nor login where there are both": Mistake(
        lambda _: {"security_protocol": "PLAINTEXT", **NO_LOGIN},
        ("{good} speaks TLS, kafka.security_protocol is PLAINTEXT", "SASL_SSL or SSL"),
    ),
    "TLS without a login where there is one": Mistake(
        lambda _: {"security_protocol": "SSL", "deadline_seconds": 1, **NO_LOGIN},
        ("Kafka at {good} did not", "security_protocol and login right?"),
    ),
    "TLS where there is none": Mistake(
        lambda bus: {"bootstrap_servers": bus.at("plain"), "deadline_seconds": 1},
        ("{plain} ended the TLS handshake: does it speak TLS?", "are address, security_protocol"),
    ),
    "a login where there is none": Mistake(
        lambda bus: {"bootstrap_servers": bus.at("plain"), "security_protocol": "SASL_PLAINTEXT"},
        ("{plain} wants no login", "kafka.security_protocol"),
    ),
    "a user without rights": Mistake(
        lambda bus: {"sasl_username": NOBODY, "sasl_password_file": str(bus.folder / "secrets/nobody")},
        ("the user lacks the right Describe on topic desk.", "deploy/acls.sh"),
    ),
    "a user without this right": Mistake(
        lambda bus: {
            "sasl_username": "dateline-ingest",
            "sasl_password_file": str(bus.folder / "secrets/dateline-ingest"),
        },
        ("the user lacks the right Describe on topic desk.", "deploy/acls.sh"),
    ),
}


def write_config(bus: Bus, folder: Path, mistake: Mistake) -> Path:
    kafka = {name: value for name, value in bus.section(**mistake.changes(bus)).items() if value is not None}
    path = folder / "dateline.yaml"
    path.write_text(
        yaml.safe_dump({"kafka": kafka, "topics": {"prefix": PREFIX}, "observe": {"port": 0}, "sources": []})
    )
    return path


def expected(bus: Bus, mistake: Mistake) -> list[str]:
    places = {listener: bus.at(listener) for listener in bus.ports}
    return [part.format(**places, folder=bus.folder) for part in mistake.told]


@pytest.mark.parametrize("typed", COMMANDS)
@pytest.mark.parametrize("name", MISTAKES)
def test_a_command_tells_it_once(
    bus: Bus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, typed: str
) -> None:
    monkeypatch.setenv("WRONG", "guess")
    monkeypatch.setenv("COLUMNS", "300")
    path = write_config(bus, tmp_path, MISTAKES[name])
    done = CliRunner().invoke(app, typed.format(config=path).split())
    assert done.exit_code == 1
    assert isinstance(done.exception, SystemExit)
    words = " ".join(line for line in done.stderr.splitlines() if not line.startswith("Caution"))
    told = expected(bus, MISTAKES[name])
    assert [words.count(part) for part in told] == [1] * len(told), words
    assert sorted(told, key=words.index) == told, "the place comes first, then the cure"


RUNNING = (
    "a certificate that has expired",
    "a wrong password",
    "a user without this right",
)


@pytest.mark.parametrize("name", RUNNING)
def test_the_daemon_says_it_and_goes_on_trying(
    bus: Bus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("WRONG", "guess")
    path = write_config(bus, tmp_path, MISTAKES[name])
    command = [sys.executable, "-m", "pipeline.cli", "run", "-c", str(path)]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as daemon:
        assert daemon.stderr is not None
        try:
            lines = (json.loads(line) for line in daemon.stderr)
            told = next(line for line in lines if line["event"] == "kafka cannot be used yet")
            daemon.send_signal(signal.SIGTERM)
            assert daemon.wait(PATIENCE_SECONDS) == 0
        finally:
            daemon.kill()
    for part in expected(bus, MISTAKES[name]):
        assert part in told["reason"]


def test_a_certificate_of_our_own_that_is_none_is_refused(tmp_path: Path) -> None:
    certificate = tmp_path / "own.pem"
    certificate.write_text("no certificate")
    settings = KafkaSettings(security_protocol="SSL", ssl_certfile=certificate)
    with pytest.raises(Refused, match=r"kafka\.ssl_certfile or ssl_keyfile: .*own\.pem cannot be used"):
        access(settings)
