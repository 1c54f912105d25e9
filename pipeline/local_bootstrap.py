"""Where Kafka is, if the config says `local`: at the broker that `dateline kafka start` runs."""

import os
from pathlib import Path

from pipeline.config import LOCAL, Config
from pipeline.kafka import KafkaSettings
from pipeline.kafka.local import LocalCluster, LocalKafkaError, state_directory


def local_cluster() -> LocalCluster:
    """Give the cluster of `dateline kafka`, running or not."""
    return LocalCluster(state_directory(os.environ, Path.home()))


def located(settings: KafkaSettings) -> KafkaSettings:
    """Give the settings with an address in the place of `local`.

    Raises:
        LocalKafkaError: the local broker does not run.
    """
    if settings.bootstrap_servers != LOCAL:
        return settings
    status = local_cluster().status()
    if not status.running:
        raise LocalKafkaError(
            "The local Kafka is not running. Start it with: dateline kafka start\n"
            "Or say where another one is: kafka.bootstrap_servers in the config, or --bootstrap."
        )
    return settings.model_copy(update={"bootstrap_servers": status.bootstrap})


def settings_of(config: Config) -> KafkaSettings:
    """Give a config's Kafka settings with an address.

    Raises:
        LocalKafkaError: they say `local`, and the local broker does not run.
    """
    return located(config.kafka)
