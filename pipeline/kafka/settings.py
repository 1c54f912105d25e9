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
    SecretStr,
    field_validator,
    model_validator,
)

ADDRESS = re.compile(r"(?:[\w.-]+|\[[0-9A-Fa-f:.]+\])(?::(\d{1,5}))?", re.ASCII)
"""A host's name or IP address, and a port; without one it is 9092."""
LAST_PORT = 65_535


class KafkaSettings(BaseModel):
    """The part of the config that is about Kafka.

    Attributes:
        bootstrap_servers: host:port, several with commas.
        security_protocol: how a connection is opened; both SASL kinds need a user and a password.
        sasl_mechanism: how the password is proven.
        sasl_username: the login.
        sasl_password: its password, or
        sasl_password_file: the file that holds it; blanks at its ends do not count.
        ssl_cafile: PEM file of the authorities to trust; without it the system's.
        ssl_certfile: PEM file of our own certificate, where the broker asks for one.
        ssl_keyfile: PEM file of its key.
        deadline_seconds: after which a call gives up; one request gets a third of it.
        transaction_timeout_ms: after which the broker aborts an open transaction.
        replication_factor: of topics that we create.
        min_insync_replicas: of topics that we create: how many replicas must have a record.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    bootstrap_servers: str = Field(default="127.0.0.1:9092", min_length=1)
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "PLAIN"
    sasl_username: str | None = None
    sasl_password: SecretStr | None = None
    sasl_password_file: Path | None = None
    ssl_cafile: Path | None = None
    ssl_certfile: Path | None = None
    ssl_keyfile: Path | None = None
    deadline_seconds: PositiveFloat = 15
    transaction_timeout_ms: PositiveInt = 10_000
    replication_factor: PositiveInt = 1
    min_insync_replicas: PositiveInt = 1

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

    def password(self) -> str | None:
        """Give the SASL password, read from its file where it is in one.

        Raises:
            OSError: the file cannot be read.
        """
        if self.sasl_password_file is not None:
            return self.sasl_password_file.read_text(encoding="utf-8").strip()
        return None if self.sasl_password is None else self.sasl_password.get_secret_value()
