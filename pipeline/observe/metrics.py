"""Every metric, declared once: name, labels, and a sentence of what it means.

Names are `dateline_<noun>_<unit>[_total]`. Labels come from closed sets: the configured names of sources, the
names of stages and topics; never a URL or an id.
"""

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
)

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_RECORDS = (1, 3, 10, 30, 100, 300, 1000, 3000)


def registry_of_process() -> CollectorRegistry:
    """Give a registry that already tells of this process: memory, processor time, open files, garbage."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    return registry


class IngestMetrics:
    """What ingest counts."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._of_posts(registry)
        self._of_looking(registry)
        self._of_writing(registry)

    def _of_posts(self, registry: CollectorRegistry) -> None:
        source = ("source",)
        self.observations = Counter(
            "dateline_observations_total",
            "Posts that a connector yielded, unchanged ones included.",
            source,
            registry=registry,
        )
        self.revisions = Counter(
            "dateline_revisions_total",
            "Item revisions written; revision 'first' is a new item, 'later' an edit.",
            (*source, "revision"),
            registry=registry,
        )
        self.stale = Counter(
            "dateline_stale_observations_total",
            "Old states of a post that came back from a cache; no revision was made.",
            source,
            registry=registry,
        )
        self.unreadable = Counter(
            "dateline_unreadable_observations_total",
            "Posts that could not be normalised and became dead letters.",
            source,
            registry=registry,
        )

    def _of_looking(self, registry: CollectorRegistry) -> None:
        source = ("source",)
        self.failures = Counter(
            "dateline_source_failures_total",
            "Times that looking at a source failed and was put off.",
            source,
            registry=registry,
        )
        self.quarantined = Gauge(
            "dateline_source_quarantined",
            "1 while a source is not looked at because too many of its posts could not be normalised.",
            source,
            registry=registry,
        )
        self.next_attempt = Gauge(
            "dateline_source_next_attempt_timestamp_seconds",
            "When a failed source is tried again; 0 while it works.",
            source,
            registry=registry,
        )
        self.last_look = Gauge(
            "dateline_source_last_look_timestamp_seconds",
            "The last complete look at a source: quiet is told from blind.",
            source,
            registry=registry,
        )
        self.last_item = Gauge(
            "dateline_source_last_item_timestamp_seconds",
            "When a source last gave a new revision.",
            source,
            registry=registry,
        )
        self.gaps = Counter(
            "dateline_gaps_total", "Holes that could not be filled.", source, registry=registry
        )

    def _of_writing(self, registry: CollectorRegistry) -> None:
        self.queue = Gauge("dateline_queue_observations", "Posts that wait to be written.", registry=registry)
        self.commit = Histogram(
            "dateline_ingest_commit_seconds",
            "Time from opening a transaction of ingest to its commit.",
            buckets=_SECONDS,
            registry=registry,
        )
        self.clock_offset = Gauge(
            "dateline_clock_offset_seconds",
            "Our clock minus the broker's, at the last comparison; beyond 10 s is an alarm.",
            registry=registry,
        )
        self.active = Gauge(
            "dateline_ingest_active",
            "1 while this process runs the partition's units.",
            ("partition",),
            registry=registry,
        )


class StageMetrics:
    """What each of the three stages counts."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._of_records(registry)
        self._of_running(registry)

    def _of_records(self, registry: CollectorRegistry) -> None:
        stage = ("stage",)
        self.records = Counter(
            "dateline_stage_records_total", "Records that a stage has read.", stage, registry=registry
        )
        self.written = Counter(
            "dateline_stage_written_records_total",
            "Records that a stage has written, by ce_type.",
            (*stage, "type"),
            registry=registry,
        )
        self.dead = Counter(
            "dateline_stage_dead_letters_total",
            "Records that a stage could not decide on.",
            stage,
            registry=registry,
        )
        self.batch = Histogram(
            "dateline_stage_transaction_records",
            "Input records in one transaction: small when quiet, large when behind.",
            stage,
            buckets=_RECORDS,
            registry=registry,
        )
        self.commit = Histogram(
            "dateline_stage_commit_seconds",
            "Time from the first decision of a transaction to its commit.",
            stage,
            buckets=_SECONDS,
            registry=registry,
        )

    def _of_running(self, registry: CollectorRegistry) -> None:
        stage = ("stage",)
        self.lag = Gauge(
            "dateline_stage_lag_records",
            "Input records that a stage has not read yet.",
            stage,
            registry=registry,
        )
        self.time = Gauge(
            "dateline_stage_time_timestamp_seconds",
            "Stage time: the median observed time of the last records.",
            stage,
            registry=registry,
        )
        self.active = Gauge(
            "dateline_stage_active",
            "1 while this process runs the stage, 0 on standby.",
            stage,
            registry=registry,
        )
        self.takeovers = Counter(
            "dateline_stage_takeovers_total",
            "Times that this process took the stage over.",
            stage,
            registry=registry,
        )
        self.takeover = Gauge(
            "dateline_stage_takeover_seconds",
            "How long the last take-over took: fence, tables, fold.",
            stage,
            registry=registry,
        )


class SupervisorMetrics:
    """What the supervisor counts."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.up = Gauge(
            "dateline_process_up", "1 while the process of this role runs.", ("role",), registry=registry
        )
        self.restarts = Counter(
            "dateline_process_restarts_total",
            "Times that a process of this role died and was started again.",
            ("role",),
            registry=registry,
        )
