"""Options of several commands: which Kafka, which topics."""

from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from pipeline.config import KafkaConfig, TopicsConfig, load
from pipeline.kafka import KafkaSettings
from pipeline.local_bootstrap import located

ConfigFile = Annotated[
    Path | None, typer.Option("-c", "--config", help="A config: its Kafka and its topics are meant.")
]
Bootstrap = Annotated[
    str | None,
    typer.Option("--bootstrap", help="Kafka's address; by default the config's, or the local broker."),
]
Prefix = Annotated[
    str | None, typer.Option("--prefix", help="Of the topics; by default the config's, or 'dateline.'.")
]


def kafka_of(config: Path | None, bootstrap: str | None) -> KafkaSettings:
    """Give the Kafka that is meant.

    Raises:
        ConfigProblem: the config cannot be used.
        LocalKafkaError: the local broker is meant, and does not run.
        typer.BadParameter: the address cannot be one.
    """
    settings = KafkaConfig() if config is None else load(config).kafka
    if bootstrap is None:
        return located(settings)
    try:
        return located(KafkaConfig.model_validate({**dict(settings), "bootstrap_servers": bootstrap}))
    except ValidationError:
        allowed = KafkaConfig.model_fields["bootstrap_servers"].description
        raise typer.BadParameter(f"{bootstrap!r} cannot be; {allowed}.", param_hint="--bootstrap") from None


def prefix_of(config: Path | None, prefix: str | None) -> str:
    """Give the prefix that is meant.

    Raises:
        ConfigProblem: the config cannot be used.
        typer.BadParameter: the prefix cannot be one.
    """
    if prefix is None:
        return (TopicsConfig() if config is None else load(config).topics).prefix
    try:
        return TopicsConfig(prefix=prefix).prefix
    except ValidationError:
        allowed = TopicsConfig.model_fields["prefix"].description
        raise typer.BadParameter(f"{prefix!r} cannot be; {allowed}.", param_hint="--prefix") from None
