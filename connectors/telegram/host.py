"""What a host has of its own for Telegram: the program's key and the accounts that log in from here."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt, SecretStr, model_validator

from connectors.seam import SourceConfig
from connectors.telegram.config import TelegramConfig

LOGIN = "dateline login telegram -c FILE"


class TelegramHost(BaseModel):
    """The accounts of this machine, for channels that are followed `via: api`; no other machine has them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    api_id: PositiveInt | None = Field(
        None, description="the program's number, from https://my.telegram.org/apps", examples=[12345]
    )
    api_hash: SecretStr | None = Field(None, description="the program's key, from the same page")
    sessions: tuple[Path, ...] = Field(
        (),
        description=f"files that `{LOGIN}` writes, one for each account; the channels are shared among them. "
        "A file belongs to one machine: a standby has its own",
    )
    requests_per_hour: PositiveInt = Field(6000, description="that one account makes at most")
    spacing_seconds: PositiveFloat = Field(0.2, le=60, description="between two requests of one account")
    deadline_seconds: PositiveFloat = Field(30, le=600, description="after which a request is given up")
    blind_seconds: PositiveFloat = Field(
        180,
        description="a connection that brings nothing for so long, while there is something, is made anew",
    )

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        if len(set(self.sessions)) < len(self.sessions):
            raise ValueError("a session is listed twice; give each account its own")
        return self

    @property
    def complete(self) -> bool:
        """Whether an account can be used."""
        return bool(self.api_id and self.api_hash and self.sessions)


def lacking(host: TelegramHost) -> Iterator[str]:
    """Yield what is missing before a channel can be followed through the API, and how to get it."""
    if not host.api_id or not host.api_hash:
        yield "telegram.api_id and telegram.api_hash are missing: get both at https://my.telegram.org/apps"
    if not host.sessions:
        yield f"telegram.sessions names no account: make one with {LOGIN} --session PATH, and list PATH there"


def through_api(sources: Sequence[SourceConfig]) -> list[str]:
    """Give the names of the sources that need an account."""
    return [each.name for each in sources if isinstance(each, TelegramConfig) and each.via == "api"]
