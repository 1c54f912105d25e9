"""How to reach the cluster."""

import re
from pathlib import Path
from typing import Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PositiveFloat,
    PositiveInt,
    PrivateAttr,
    SecretStr,
    field_validator,
    model_validator,
)

from pipeline.security.acls import OPERATOR

ADDRESS = re.compile(r"(?:[\w.-]+|\[[0-9A-Fa-f:.]+\])(?::(\d{1,5}))?", re.ASCII)
"""A host's name or IP address, and a port; without one it is 9092."""
LAST_PORT = 65_535
ROLE = "{role}"
"""Stands in a login for what the process does."""


class KafkaSettings(BaseModel):
    """The part of the config that is about Kafka.

    Attributes:
        bootstrap_servers: host:port, several with commas.
        security_protocol: how a connection is opened; both SASL kinds need a user and a password, both SSL
            kinds check the broker's certificate and name.
        sasl_mechanism: how the password is proven.
        sasl_username: the login. {role} in it becomes what the process does (ingest, deduplicate, cluster or
            chronology; of the supervisor and of all other commands operator), so that each has its own user.
        sasl_password: its password, or
        sasl_password_file: the file that holds it, {role} as above; blanks at its ends do not count.
        ssl_cafile: PEM file of the authorities to trust; without it the system's.
        ssl_certfile: PEM file of our own certificate, where the broker asks for one.
        ssl_keyfile: PEM file of its key, without a passphrase; by default it is in ssl_certfile.
        deadline_seconds: after which a call gives up; one request gets a third of it.
        transaction_timeout_ms: after which the broker aborts an open transaction.
        replication_factor: of topics that we create.
        min_insync_replicas: of topics that we create: how many replicas must have a record.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    bootstrap_servers: str = Field(default="127.0.0.1:9092", min_length=1)
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "PLAIN"
    sasl_username: str | None = Field(default=None, examples=["dateline-{role}"])
    sasl_password: SecretStr | None = None
    sasl_password_file: Path | None = Field(default=None, examples=["secrets/dateline-{role}"])
    ssl_cafile: Path | None = None
    ssl_certfile: Path | None = None
    ssl_keyfile: Path | None = None
    deadline_seconds: PositiveFloat = 15
    transaction_timeout_ms: PositiveInt = 10_000
    replication_factor: PositiveInt = 1
    min_insync_replicas: PositiveInt = 1
    _role: str = PrivateAttr(OPERATOR)

    @field_validator("bootstrap_servers")
    @classmethod
    def _addresses(cls, value: str) -> str:
        for part in value.split(","):
            found = ADDRESS.fullmatch(part.strip())
            if found is None or not 0 < int(found[1] or 1) <= LAST_PORT:
                raise ValueError(f"{part.strip()!r} is no host:port")
        return value

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.sasl_password is not None and self.sasl_password_file is not None:
            raise ValueError("give sasl_password or sasl_password_file, not both")
        password = self.sasl_password or self.sasl_password_file
        if self.security_protocol.startswith("SASL") and not (self.sasl_username and password):
            raise ValueError(f"{self.security_protocol} needs sasl_username and sasl_password")
        if self.min_insync_replicas > self.replication_factor:
            raise ValueError("min_insync_replicas is more than replication_factor: nothing could be written")
        return self

    @property
    def user_per_role(self) -> bool:
        """Whether each process has a user of its own."""
        return ROLE in (self.sasl_username or "")

    @property
    def username(self) -> str | None:
        """The SASL user of our role."""
        return self.sasl_username and self.sasl_username.replace(ROLE, self._role)

    def of(self, role: str) -> Self:
        """Give the settings with the user of a role; without this it is the operator's."""
        mine = self.model_copy()
        mine._role = role  # noqa: SLF001 # ours
        return mine

    def password(self) -> str | None:
        """Give the SASL password, read from its file where it is in one.

        Raises:
            OSError: the file cannot be read.
        """
        if self.sasl_password_file is not None:
            file = Path(str(self.sasl_password_file).replace(ROLE, self._role))
            return file.read_text(encoding="utf-8").strip()
        return None if self.sasl_password is None else self.sasl_password.get_secret_value()
