"""What deploy/acls.sh forbids, tried by those who may not, on a real Kafka with its authorizer."""

from collections.abc import Iterator
from typing import Any

import pytest
from confluent_kafka import KafkaException, TopicPartition

from pipeline.kafka import Refused
from tests.security.acts import (
    SECONDS,
    Act,
    adds_partitions,
    commits,
    consumes,
    creates,
    creates_one,
    deletes,
    deletes_group,
    deletes_records,
    gives_itself_rights,
    joins,
    reads,
    reconfigures,
    sets_password_of,
    verifies,
    writes,
    writes_alone,
)
from tests.security.bus import NOBODY, OTHER_SUBSCRIBER, PREFIX, Bus, foreign_admin

pytestmark = pytest.mark.kafka

DUE = "dateline-"
TOPIC = "TOPIC_AUTHORIZATION_FAILED"
GROUP = "GROUP_AUTHORIZATION_FAILED"
CLUSTER = "CLUSTER_AUTHORIZATION_FAILED"

FORBIDDEN: dict[str, tuple[Act, str]] = {
    "ingest writes deduplicated": (writes("ingest", "deduplicated"), "topic desk.deduplicated.v1"),
    "ingest writes flags": (writes("ingest", "flags"), "topic desk.flags.v1"),
    "ingest reads stories": (reads("ingest", "stories"), "Describe on topic desk.stories.v1"),
    "ingest reads raw, which it writes": (reads("ingest", "raw"), "Read on topic desk.raw.v1"),
    "deduplicate writes items, its input": (writes("deduplicate", "items"), "Write on topic desk.items.v1"),
    "deduplicate reads raw": (reads("deduplicate", "raw"), "Describe on topic desk.raw.v1"),
    "deduplicate reads checkpoints": (reads("deduplicate", "checkpoints"), "topic desk.checkpoints.v1"),
    "deduplicate writes control": (writes("deduplicate", "control"), "Write on topic desk.control.v1"),
    "cluster writes items": (writes("cluster", "items"), "Describe on topic desk.items.v1"),
    "cluster writes seen": (writes("cluster", "seen"), "Describe on topic desk.seen.v1"),
    "cluster reads flags": (reads("cluster", "flags"), "Describe on topic desk.flags.v1"),
    "chronology writes story-changes, its input": (
        writes("chronology", "story-changes"),
        "Write on topic desk.story-changes.v1",
    ),
    "chronology reads items": (reads("chronology", "items"), "Describe on topic desk.items.v1"),
    "operator writes flags": (writes("operator", "flags", "control"), "Write on topic desk.flags.v1"),
    "operator writes seen": (writes("operator", "seen", "dlq"), "Write on topic desk.seen.v1"),
    "subscriber writes flags": (writes_alone(DUE + "subscriber", "flags"), TOPIC),
    "subscriber writes items": (writes_alone(DUE + "subscriber", "items"), TOPIC),
    "subscriber reads checkpoints": (reads("subscriber", "checkpoints"), "topic desk.checkpoints.v1"),
    "subscriber reads seen": (reads("subscriber", "seen"), "Describe on topic desk.seen.v1"),
    "subscriber reads control": (reads("subscriber", "control"), "Describe on topic desk.control.v1"),
    "subscriber reads learned": (reads("subscriber", "learned"), "Describe on topic desk.learned.v1"),
    "nobody reads items": (consumes(NOBODY, "nobody.1", "items"), "AUTHORIZATION_FAILED"),
    "cluster joins the group of deduplicate": (
        joins("cluster", "deduplicate", "deduplicated"),
        "Describe on group desk.deduplicate",
    ),
    "deduplicate joins the group of ingest": (
        joins("deduplicate", "ingest", "items"),
        "Describe on group desk.ingest",
    ),
    "operator joins the group of chronology": (
        joins("operator", "chronology", "story-changes"),
        "Read on group desk.chronology",
    ),
    "cluster commits an offset of deduplicate": (
        commits("cluster", "deduplicate", "deduplicated"),
        "Read on group desk.deduplicate",
    ),
    "operator deletes the group of cluster": (deletes_group(DUE + "operator", "cluster"), GROUP),
    "subscriber consumes in the group of ingest": (
        consumes(DUE + "subscriber", f"{PREFIX}ingest", "items"),
        GROUP,
    ),
    "subscriber consumes in the group of another one": (
        consumes(DUE + "subscriber", f"{OTHER_SUBSCRIBER}.board", "flags"),
        GROUP,
    ),
    "subscriber consumes in a group without its name": (
        consumes(DUE + "subscriber", "anything", "flags"),
        GROUP,
    ),
    "cluster shuts out deduplicate": (
        writes("cluster", "stories", "deduplicate.0"),
        "Describe on transactional id desk.deduplicate.0",
    ),
    "chronology shuts out ingest": (
        writes("chronology", "flags", "ingest.3"),
        "Describe on transactional id desk.ingest.3",
    ),
    "subscriber opens a transaction": (
        writes("subscriber", "flags", "subscriber.0"),
        "Describe on transactional id desk.subscriber.0",
    ),
    "ingest creates a topic": (creates_one(DUE + "ingest", "items.v2"), TOPIC),
    "cluster creates a topic": (creates_one(DUE + "cluster", "stories.v2"), TOPIC),
    "operator creates topics under another prefix": (creates("operator", "demo."), "Describe on topic demo."),
    "operator creates a topic that is not in the registry": (creates_one(DUE + "operator", "more.v1"), TOPIC),
    "ingest looks at the settings of topics": (verifies("ingest"), "Describe on topic desk."),
    "cluster changes the retention of items": (reconfigures(DUE + "cluster", "items"), TOPIC),
    "operator changes the retention of flags": (reconfigures(DUE + "operator", "flags"), TOPIC),
    "ingest deletes records of raw": (deletes_records(DUE + "ingest", "raw"), TOPIC),
    "operator deletes records of items": (deletes_records(DUE + "operator", "items"), TOPIC),
    "operator deletes a topic": (deletes(DUE + "operator", "gaps"), TOPIC),
    "operator adds partitions to items": (adds_partitions(DUE + "operator", "items"), TOPIC),
    "operator gives itself rights": (gives_itself_rights(DUE + "operator"), CLUSTER),
    "chronology sets the operator's password": (
        sets_password_of(DUE + "operator", DUE + "chronology"),
        CLUSTER,
    ),
}
"""By name: the act, and what its refusal says; of our own client the missing right, of others the code."""


def standing(bus: Bus) -> dict[str, Any]:
    """What a forbidden act could change: topics, where they end, their settings, and rights."""
    found = bus.superuser.list_topics(timeout=SECONDS).topics
    topics = {name: len(found[name].partitions) for name in sorted(found) if not name.startswith("__")}
    slots = [TopicPartition(name, number) for name, count in topics.items() for number in range(count)]
    ends = bus.superuser.list_offsets({slot: foreign_admin.OffsetSpec.latest() for slot in slots})
    resources = [foreign_admin.ConfigResource(foreign_admin.RESOURCE_TOPIC, name) for name in topics]
    configs = bus.superuser.describe_configs(resources)
    return {
        "topics": topics,
        "ends": {(slot.topic, slot.partition): end.result().offset for slot, end in ends.items()},
        "settings": {
            resource.name: {entry.name: entry.value for entry in config.result().values()}
            for resource, config in configs.items()
        },
        "rights": bus.acls(),
    }


@pytest.fixture(scope="module", autouse=True)
def nothing_changes(bus: Bus) -> Iterator[None]:
    before = standing(bus)
    yield
    assert standing(bus) == before


@pytest.mark.parametrize("name", FORBIDDEN)
async def test_this_is_refused(bus: Bus, name: str) -> None:
    act, told = FORBIDDEN[name]
    with pytest.raises((Refused, KafkaException)) as refusal:
        await act(bus)
    assert told in str(refusal.value)
    if isinstance(refusal.value, Refused):
        assert "the user lacks the right" in str(refusal.value)
        assert "deploy/acls.sh" in str(refusal.value)
