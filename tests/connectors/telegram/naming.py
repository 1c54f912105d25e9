"""The names of channels, as a process lends them."""

import structlog
from prometheus_client import CollectorRegistry

from connectors.telegram.metrics import TelegramMetrics
from connectors.telegram.names import Names


def names(registry: CollectorRegistry | None = None) -> Names:
    return Names(TelegramMetrics(registry or CollectorRegistry()).renamed, structlog.get_logger())
