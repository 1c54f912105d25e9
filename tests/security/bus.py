"""A secured Kafka for the tests: TLS, SCRAM users, an authorizer, and the rights of deploy/acls.sh."""

import argparse
import os
import shlex
import socket
import ssl
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from pipeline.kafka import KafkaSettings
from pipeline.kafka.local import LocalCluster
from tests.security import certificates

foreign_admin: Any = import_module("confluent_kafka.admin")
"""Without types: those that it has do not say what it exports."""

ROOT = Path(__file__).parents[2]
PREFIX = "desk."
HOST = "127.0.0.1"
SCRIPT = ROOT / "deploy/acls.sh"
OTHER_SUBSCRIBER = "newsroom"
QUIET = {"log_level": 0}
"""Foreign clients say otherwise on standard error that a broker ended."""
NOBODY = "nobody"
"""A user without any rights."""

RECORDER = """\
#!/bin/sh
printf "%s\\n" "$*"
case "$*" in *--add-config-file*) for last; do :; done; cat "$last" ;; esac
"""
"""In place of Kafka's own commands: tells what it was told."""

KINDS = {
    "topic": foreign_admin.ResourceType.TOPIC,
    "group": foreign_admin.ResourceType.GROUP,
    "transactional_id": foreign_admin.ResourceType.TRANSACTIONAL_ID,
}
OPERATIONS = {
    "Read": foreign_admin.AclOperation.READ,
    "Write": foreign_admin.AclOperation.WRITE,
    "Describe": foreign_admin.AclOperation.DESCRIBE,
    "Create": foreign_admin.AclOperation.CREATE,
    "DescribeConfigs": foreign_admin.AclOperation.DESCRIBE_CONFIGS,
}
ANY_ACL = foreign_admin.AclBindingFilter(
    foreign_admin.ResourceType.ANY,
    None,
    foreign_admin.ResourcePatternType.ANY,
    None,
    None,
    foreign_admin.AclOperation.ANY,
    foreign_admin.AclPermissionType.ANY,
)


@dataclass(frozen=True)
class Bus:
    """The cluster, and how to reach it.

    Attributes:
        folder: holds NAME.pem, the certificate of each listener, and secrets/, a password for each user.
        ports: of the listeners: good, expired and elsewhere, by their certificates; and plain, for the
            superuser, who needs no login.
        superuser: a foreign client that may do everything.
    """

    folder: Path
    ports: Mapping[str, int]
    superuser: Any

    def at(self, listener: str) -> str:
        """Give the address of a listener."""
        return f"{HOST}:{self.ports[listener]}"

    def section(self, **changes: object) -> dict[str, Any]:
        """Give the part of a config that is about Kafka, a user for each role."""
        return {
            "bootstrap_servers": self.at("good"),
            "security_protocol": "SASL_SSL",
            "sasl_mechanism": "SCRAM-SHA-512",
            "sasl_username": "dateline-{role}",
            "sasl_password_file": str(self.folder / "secrets/dateline-{role}"),
            "ssl_cafile": str(self.folder / "good.pem"),
            **changes,
        }

    def settings(self, role: str) -> KafkaSettings:
        """Give the settings of a role's user."""
        return KafkaSettings.model_validate(self.section()).of(role)

    def foreign(self, user: str) -> dict[str, Any]:
        """Give the settings of a user for a client that is not ours."""
        return {
            "bootstrap.servers": self.at("good"),
            "security.protocol": "SASL_SSL",
            "sasl.mechanisms": "SCRAM-SHA-512",
            "sasl.username": user,
            "sasl.password": (self.folder / "secrets" / user).read_text().strip(),
            "ssl.ca.location": str(self.folder / "good.pem"),
            **QUIET,
        }

    def acls(self) -> set[Any]:
        """Give all rights that the cluster knows."""
        return set(self.superuser.describe_acls(ANY_ACL).result())


@contextmanager
def secured(folder: Path) -> Iterator[Bus]:
    """Start it, with all users and rights, as the script gives them; destroy it in the end."""
    stores = certificates.make(folder)
    ports = dict(zip(stores, free_ports(len(stores)), strict=True))

    def amend(properties: Mapping[str, str]) -> Mapping[str, str]:
        ports["plain"] = int(properties["advertised.listeners"].rpartition(":")[2])
        return {**properties, **listeners(properties, {name: ports[name] for name in stores}, stores)}

    cluster = LocalCluster(folder / "kafka", amend=amend)
    try:
        bus = Bus(folder, ports, foreign_admin.AdminClient({"bootstrap.servers": cluster.start(), **QUIET}))
        for name in stores:
            pem = ssl.get_server_certificate((HOST, ports[name]))
            (folder / f"{name}.pem").write_text(pem)
        told = run_script(bus, folder / "recorder") + run_script(
            bus, folder / "recorder", f"subscriber={OTHER_SUBSCRIBER}"
        )
        make_users(bus)
        give(bus, list(rights_in(told)))
        yield bus
    finally:
        cluster.destroy()


def listeners(
    properties: Mapping[str, str], ports: Mapping[str, int], stores: Mapping[str, Path]
) -> dict[str, str]:
    """Give what a node needs to have a secured listener for each certificate besides its plain one."""
    places = "".join(f",{name.upper()}://{HOST}:{port}" for name, port in ports.items())
    protocols = "".join(f",{name.upper()}:SASL_SSL" for name in ports)
    amended = {name: properties[name] + places for name in ("listeners", "advertised.listeners")}
    amended["listener.security.protocol.map"] = properties["listener.security.protocol.map"] + protocols
    amended["authorizer.class.name"] = "org.apache.kafka.metadata.authorizer.StandardAuthorizer"
    amended["super.users"] = "User:ANONYMOUS"  # who comes to the plain listener: the brokers and the tests
    amended["sasl.enabled.mechanisms"] = "SCRAM-SHA-512"
    for name, store in stores.items():
        listener = f"listener.name.{name}"
        amended[f"{listener}.ssl.keystore.type"] = "PKCS12"
        amended[f"{listener}.ssl.keystore.location"] = str(store)
        amended[f"{listener}.ssl.keystore.password"] = certificates.PASSWORD
        amended[f"{listener}.scram-sha-512.sasl.jaas.config"] = (
            "org.apache.kafka.common.security.scram.ScramLoginModule required;"
        )
    return amended


def free_ports(count: int) -> list[int]:
    with ExitStack() as held:
        sockets = [held.enter_context(socket.create_server((HOST, 0))) for _ in range(count)]
        return [one.getsockname()[1] for one in sockets]


def run_script(bus: Bus, recorder: Path, *arguments: str) -> str:
    """Run deploy/acls.sh as an operator would, and give the commands that it would run, a line each."""
    recorder.write_text(RECORDER)
    recorder.chmod(0o700)
    parameters = {
        "BOOTSTRAP": bus.at("plain"),
        "PREFIX": PREFIX,
        "SECRETS": str(bus.folder / "secrets"),
        "KAFKA_ACLS": str(recorder),
        "KAFKA_CONFIGS": str(recorder),
    }
    done = subprocess.run(
        [SCRIPT, *arguments], env={**os.environ, **parameters}, capture_output=True, text=True, check=True
    )
    return done.stdout


def rights_in(told: str) -> Iterator[Any]:
    """Understand the commands of the script as kafka-acls.sh does."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--bootstrap-server")
    parser.add_argument("--add", action="store_true")
    parser.add_argument("--force", action="store_true")
    parser.add_argument("--allow-principal")
    parser.add_argument("--resource-pattern-type", default="literal")
    for name in ("--operation", "--topic", "--group", "--transactional-id"):
        parser.add_argument(name, action="append", default=[])
    for line in told.splitlines():
        if "--allow-principal" not in line:
            continue
        wanted = parser.parse_args(shlex.split(line))
        pattern = foreign_admin.ResourcePatternType[wanted.resource_pattern_type.upper()]
        for kind, resource in KINDS.items():
            for name in getattr(wanted, kind):
                for operation in wanted.operation:
                    yield foreign_admin.AclBinding(
                        resource,
                        name,
                        pattern,
                        wanted.allow_principal,
                        "*",
                        OPERATIONS[operation],
                        foreign_admin.AclPermissionType.ALLOW,
                    )


def make_users(bus: Bus) -> None:
    """Make the users whose passwords the script has put into files, and one without rights."""
    (bus.folder / "secrets" / NOBODY).write_text("nothing")
    how = foreign_admin.ScramCredentialInfo(foreign_admin.ScramMechanism.SCRAM_SHA_512, 4096)
    users = [
        foreign_admin.UserScramCredentialUpsertion(file.name, how, file.read_bytes().strip())
        for file in (bus.folder / "secrets").iterdir()
    ]
    for done in bus.superuser.alter_user_scram_credentials(users).values():
        done.result()


def give(bus: Bus, rights: list[Any]) -> None:
    """Give rights, and wait until the broker, which hears of them from the controller, knows them."""
    for done in bus.superuser.create_acls(rights).values():
        done.result()
    while not bus.acls() >= set(rights):
        pass
