"""Every metric of the Telegram connector, declared once."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_SECONDS = (0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class TelegramMetrics:
    """What the accounts of a process count; `account` is the name of the session's file."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._of_accounts(registry)
        self._of_requests(registry)
        self.renamed = Gauge(
            "dateline_telegram_channel_renamed",
            "1 where a channel is not called what the config says: correct its `channel`.",
            ("source",),
            registry=registry,
        )

    def _of_accounts(self, registry: CollectorRegistry) -> None:
        account = ("account",)
        self.usable = Gauge(
            "dateline_telegram_account_usable",
            "0 when an account's session is dead, or its file cannot be used: log in again.",
            account,
            registry=registry,
        )
        self.connected = Gauge(
            "dateline_telegram_account_connected",
            "1 while an account is connected; 0 also while no source needs it.",
            account,
            registry=registry,
        )
        self.connections = Counter(
            "dateline_telegram_connections_total", "Connections that were made.", account, registry=registry
        )
        self.shaken = Counter(
            "dateline_telegram_shaken_total",
            "Times that updates may have been missed and all channels were looked at again, by what it was.",
            (*account, "reason"),
            registry=registry,
        )
        self.updates = Counter(
            "dateline_telegram_updates_total",
            "Updates that were pushed about channels that are followed.",
            account,
            registry=registry,
        )
        self.clock_offset = Gauge(
            "dateline_telegram_clock_offset_seconds",
            "Our clock minus Telegram's, to the second, at the last comparison; beyond 10 s is an alarm.",
            account,
            registry=registry,
        )

    def _of_requests(self, registry: CollectorRegistry) -> None:
        account = ("account",)
        self.requests = Counter(
            "dateline_telegram_requests_total",
            "Requests, by their kind and what came of them: answered, flooded, barred, lost, unanswered.",
            (*account, "method", "outcome"),
            registry=registry,
        )
        self.answer = Histogram(
            "dateline_telegram_answer_seconds",
            "Time from sending a request to its answer, without waiting for its turn.",
            account,
            buckets=_SECONDS,
            registry=registry,
        )
        self.turn = Counter(
            "dateline_telegram_turn_wait_seconds_total",
            "Time that requests stood in line for their turn.",
            account,
            registry=registry,
        )
        self.waiting = Gauge(
            "dateline_telegram_wait_until_timestamp_seconds",
            "Until when a source's request must wait, because Telegram said so or our own limit does.",
            ("source", "method"),
            registry=registry,
        )
        self.wait = Counter(
            "dateline_telegram_wait_seconds_total",
            "Time that a source's requests were told to wait, by who said it: telegram or limit.",
            ("source", "reason"),
            registry=registry,
        )
