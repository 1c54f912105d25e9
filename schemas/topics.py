"""The one registry of topics: creation, verification, documents and code all read it here."""

from collections.abc import Mapping
from dataclasses import dataclass

from schemas.base import Record
from schemas.flag import Flag
from schemas.item import Deduplicated, Item, Look, Originals, Raw, Ruling, VerdictChanged
from schemas.records import Baseline, Checkpoint, Control, DeadLetter, Gap, Learned, Seen
from schemas.story import Story, StoryChange

DEFAULT_PREFIX = "dateline."
UNIT_PARTITIONS = 12
"""checkpoints, seen and raw are spread by the hash of the unit."""


OTHERS = ("ingest", "operator")
"""Writers that are no stages."""


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic: what it means, what is on it, how it is kept.

    Attributes:
        name: without prefix, with version.
        sentence: what a subscriber finds there.
        key: what the record key is.
        types: the model of each `ce_type` that occurs.
        partitions: their number, for ever where it is 1.
        compact: only the last record of a key is kept.
        retention_days: how long a record is kept; none means for ever.
        max_bytes: of one record, headers and key included.
        writer: the role that writes it; several with commas, `stages` means every stage. An
            operator writes to a stage's input when a dead letter is tried again.
        readers: roles of ours that read it; the operator reads all.
        public: whether subscribers may read it; what is not is memory of our own processes.
    """

    name: str
    sentence: str
    key: str
    types: Mapping[str, type[Record]]
    writer: str
    readers: tuple[str, ...] = ()
    public: bool = True
    partitions: int = 1
    compact: bool = False
    retention_days: int | None = None
    max_bytes: int = 1_048_576

    def full(self, prefix: str) -> str:
        """Give the name on the broker."""
        return prefix + self.name

    def settings(self) -> dict[str, str]:
        """Give the broker's settings for it, as strings."""
        policy = ["compact"] if self.compact else []
        if self.retention_days is not None:
            policy.append("delete")
        days = self.retention_days
        return {
            "cleanup.policy": ",".join(policy),
            "retention.ms": "-1" if days is None else str(days * 86_400_000),
            "max.message.bytes": str(self.max_bytes),
            "message.timestamp.type": "LogAppendTime",
        }


_PASSED: dict[str, type[Record]] = {"dateline.look": Look, "dateline.ruling": Ruling}

RAW = Topic(
    name="raw.v1",
    sentence="Every post exactly as received, and how and when it was fetched.",
    key="item_id",
    types={"dateline.raw": Raw},
    writer="ingest",
    partitions=UNIT_PARTITIONS,
    retention_days=30,
    max_bytes=2_097_152,
)
ITEMS = Topic(
    name="items.v1",
    sentence="Every numbered revision of every post; between them looks and rulings.",
    key="item_id; of a look its unit, of a ruling its ruling_id",
    types={"dateline.item": Item, **_PASSED},
    writer="ingest, operator",
    readers=("deduplicate",),
    retention_days=90,
)
DEDUPLICATED = Topic(
    name="deduplicated.v1",
    sentence="Every item revision with its verdict: an original, or a copy of what.",
    key="item_id; of a look its unit, of a ruling its ruling_id",
    types={
        "dateline.deduplicated.original": Deduplicated,
        "dateline.deduplicated.copy": Deduplicated,
        "dateline.deduplicated.changed": VerdictChanged,
        **_PASSED,
    },
    writer="deduplicate, operator",
    readers=("deduplicate", "cluster"),
    retention_days=90,
)
ORIGINALS = Topic(
    name="originals.v1",
    sentence="Pages of originals that left the window: deduplicate's long memory.",
    key="page",
    types={"dateline.originals": Originals},
    writer="deduplicate",
    readers=("deduplicate",),
    public=False,
    compact=True,
    retention_days=400,
)
LEARNED = Topic(
    name="learned.v1",
    sentence="What a stage learned, and where its folding begins.",
    key="stage/table",
    types={"dateline.learned": Learned},
    writer="stages",
    readers=("stages",),
    public=False,
    compact=True,
)
STORIES = Topic(
    name="stories.v1",
    sentence="The latest state of every story.",
    key="story_id",
    types={"dateline.story": Story},
    writer="cluster",
    readers=("cluster",),
    compact=True,
)
STORY_CHANGES = Topic(
    name="story-changes.v1",
    sentence="Every step in the life of every story; each item revision is carried by exactly one.",
    key="story_id; of passed and changed the item_id, of a look its unit, of a ruling its ruling_id",
    types={
        **{
            f"dateline.story.{change}": StoryChange
            for change in ("opened", "joined", "revised", "passed", "left", "merged", "split", "closed")
        },
        "dateline.deduplicated.changed": VerdictChanged,
        **_PASSED,
    },
    writer="cluster, operator",
    readers=("cluster", "chronology"),
    retention_days=90,
)
FLAGS = Topic(
    name="flags.v1",
    sentence="Timestamps that cannot be right: the latest state of every flag.",
    key="flag_id",
    types={"dateline.flag": Flag},
    writer="chronology",
    readers=("chronology",),
    compact=True,
)
BASELINES = Topic(
    name="baselines.v1",
    sentence="What is normal for each source: lags and delays in seconds.",
    key="source",
    types={"dateline.baseline": Baseline},
    writer="chronology",
    readers=("chronology",),
    compact=True,
)
GAPS = Topic(
    name="gaps.v1",
    sentence="Where we were blind, from when to when.",
    key="gap_id",
    types={"dateline.gap": Gap},
    writer="ingest",
    compact=True,
)
DEADLETTERS = Topic(
    name="deadletters.v1",
    sentence="What could not be processed, with its original bytes and the cause.",
    key="origin",
    types={"dateline.deadletter": DeadLetter},
    writer="ingest, stages, operator",
    readers=("ingest", "stages"),
    retention_days=30,
    max_bytes=4_194_304,
)
CHECKPOINTS = Topic(
    name="checkpoints.v1",
    sentence="Where each source stands.",
    key="source",
    types={"dateline.checkpoint": Checkpoint},
    writer="ingest",
    readers=("ingest",),
    public=False,
    partitions=UNIT_PARTITIONS,
    compact=True,
)
SEEN = Topic(
    name="seen.v1",
    sentence="Ingest's memory: each item's revision number and last hashes.",
    key="item_id",
    types={"dateline.seen": Seen},
    writer="ingest",
    readers=("ingest",),
    public=False,
    partitions=UNIT_PARTITIONS,
    compact=True,
)
CONTROL = Topic(
    name="control.v1",
    sentence="The config in force, pauses, and what became of sources that were moved or removed.",
    key="name",
    types={"dateline.control": Control},
    writer="ingest, operator",
    readers=("ingest", "stages"),
    public=False,
    compact=True,
)

TOPICS: tuple[Topic, ...] = (
    RAW,
    ITEMS,
    DEDUPLICATED,
    ORIGINALS,
    LEARNED,
    STORIES,
    STORY_CHANGES,
    FLAGS,
    BASELINES,
    GAPS,
    DEADLETTERS,
    CHECKPOINTS,
    SEEN,
    CONTROL,
)


def written_by(role: str, prefix: str) -> tuple[tuple[str, int], ...]:
    """Give all partitions that a role writes to: topics' full names and numbers."""
    return tuple(
        (topic.full(prefix), number)
        for topic in TOPICS
        if role in topic.writer.split(", ") or (role not in OTHERS and "stages" in topic.writer.split(", "))
        for number in range(topic.partitions)
    )


def by_name(name: str) -> Topic:
    """Find a topic by its name without prefix, with or without its version.

    Raises:
        KeyError: there is none; the message lists them.
    """
    for topic in TOPICS:
        if name in (topic.name, topic.name.rpartition(".")[0]):
            return topic
    raise KeyError(f"no topic {name!r}; there are {', '.join(topic.name for topic in TOPICS)}")
