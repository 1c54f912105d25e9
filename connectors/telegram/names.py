"""What channels are called now, where the config has another name: said once in the log, and as a metric."""

from prometheus_client import Gauge
from structlog.typing import FilteringBoundLogger

from connectors.telegram.config import TelegramConfig


class Names:
    """The names of all channels of a process.

    Args:
        renamed: the metric, by source.
        log: for what an operator should know.
    """

    def __init__(self, renamed: Gauge, log: FilteringBoundLogger) -> None:
        self._renamed = renamed
        self._log = log
        self._told: dict[str, str] = {}

    def tell(self, config: TelegramConfig, name: str) -> None:
        """Take in what a channel is called, empty where it has no public name."""
        same = name.casefold() == config.channel.casefold()
        self._renamed.labels(config.name).set(not same)
        if not same and name != self._told.get(config.name):
            self._log.warning(
                "telegram channel was renamed; correct `channel`",
                source=config.name,
                channel=config.channel,
                renamed_to=name or None,
            )
        self._told[config.name] = name

    def forget(self, config: TelegramConfig) -> None:
        """Take in that a source is followed no more: nothing is known of its name."""
        self._told.pop(config.name, None)
        self._renamed.remove(config.name)
