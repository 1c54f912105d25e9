"""What can be configured: the one source of settings, defaults, checks and the example file."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from connectors.registry import KINDS
from connectors.seam import SourceConfig
from connectors.telegram import TelegramHost
from pipeline.kafka.settings import KafkaSettings
from schemas.topics import DEFAULT_PREFIX

LOCAL = "local"
"""In place of an address: the broker that `dateline kafka start` runs on this machine."""
CHILDREN = 4
"""Processes that a supervisor keeps; each serves its metrics on a port of its own."""
KAFKA_LEGAL = r"^[A-Za-z0-9._-]+$"
LAST_PORT = 65_535 - CHILDREN


class Section(BaseModel):
    """A part of the config: frozen, unknown settings refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class KafkaConfig(KafkaSettings):
    """How to reach Kafka; by default the local broker."""

    bootstrap_servers: str = Field(
        LOCAL,
        min_length=1,
        description=f"host:port, several with commas; {LOCAL}: the broker that `dateline kafka start` runs",
    )


class TopicsConfig(Section):
    """What the topics are called."""

    prefix: str = Field(
        DEFAULT_PREFIX,
        max_length=200,
        pattern=KAFKA_LEGAL,
        description="in front of every topic's name; letters, digits, '.', '_' and '-'",
    )


class ObserveConfig(Section):
    """Where metrics and health are served."""

    host: str = Field("127.0.0.1", min_length=1, description="the address to listen on; 0.0.0.0 for all")
    port: int = Field(
        9464,
        ge=0,
        le=LAST_PORT,
        description=f"the supervisor's; its {CHILDREN} processes take the next ones. 0: each chooses one",
    )


class LogConfig(Section):
    """What is logged, and how it looks."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="the least that is logged"
    )
    format: Literal["auto", "console", "json"] = Field(
        "auto", description="auto: console on a terminal, JSON lines otherwise"
    )


class ShutdownConfig(Section):
    """How a run ends."""

    drain_seconds: float = Field(
        20,
        gt=0,
        le=600,
        allow_inf_nan=False,
        description="how long a process may take to end; then it is killed",
    )


class _ByKind:
    """Checks a source by the settings of its kind, as the registry has them."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Choose by `kind`, also where there is but one."""
        choices = {name: handler.generate_schema(kind.config) for name, kind in KINDS.items()}
        return core_schema.tagged_union_schema(choices, discriminator="kind")


class Config(Section):
    """The whole file."""

    kafka: KafkaConfig = Field(default_factory=KafkaConfig)
    topics: TopicsConfig = Field(default_factory=TopicsConfig)
    sources: tuple[Annotated[SourceConfig, _ByKind()], ...] = Field((), description="What to listen to.")
    telegram: TelegramHost = Field(default_factory=TelegramHost)
    observe: ObserveConfig = Field(default_factory=ObserveConfig)
    log: LogConfig = Field(default_factory=LogConfig)
    shutdown: ShutdownConfig = Field(default_factory=ShutdownConfig)


def hosts(config: Config) -> Mapping[str, BaseModel]:
    """Give what a machine's config says for kinds of sources, by their names."""
    return {kind: section for kind in KINDS if isinstance(section := getattr(config, kind, None), BaseModel)}


def source_settings(data: Any) -> type[SourceConfig]:
    """Give the settings that a source should have, by its `kind`; if that is unknown, what all have."""
    kind = data.get("kind") if isinstance(data, Mapping) else None
    return KINDS[kind].config if isinstance(kind, str) and kind in KINDS else SourceConfig
