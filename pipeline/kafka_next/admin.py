"""Topics and groups as an operator handles them: create, verify, list, delete."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.client import CoordinationType
from aiokafka.errors import (
    GroupIdNotFound,
    KafkaConnectionError,
    NonEmptyGroup,
    TopicAlreadyExistsError,
    UnknownTopicOrPartitionError,
)
from aiokafka.protocol.admin import DeleteGroupsRequest

from pipeline.kafka_next.client import Slot, check, committed, deadline, end, options, persist, started
from pipeline.kafka_next.errors import Refused
from pipeline.kafka_next.reader import Reader
from pipeline.kafka_next.settings import KafkaSettings
from schemas.topics import Topic

T = TypeVar("T")

PARTITIONS: Final = "partitions"
REPLICATION: Final = "replication.factor"
MIN_INSYNC: Final = "min.insync.replicas"


@dataclass(frozen=True, slots=True)
class Difference:
    """What is not on the broker as the registry wants it.

    Attributes:
        topic: its full name.
        setting: `topic`, `partitions`, `replication.factor`, or the broker's name of a setting.
        wanted: its value by the registry and the config.
        found: its value on the broker; `missing` where there is none.
    """

    topic: str
    setting: str
    wanted: str
    found: str


class Admin:
    """Topics and groups of a cluster, as an async context manager; connects with the first call.

    Every call raises Unreachable when Kafka does not answer within the deadline, and Refused when we may not.
    """

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._make = partial(AIOKafkaAdminClient, **options(settings))
        self._admin: AIOKafkaAdminClient | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._admin is not None:
            await end(self._admin)

    async def ping(self) -> None:
        """Ask whether a broker is there; the message of Unreachable names the addresses."""
        await self._ask("answer", lambda admin: admin.describe_cluster())

    async def names(self, prefix: str) -> list[str]:
        """List the full names of all topics that begin with a prefix, sorted."""
        return sorted(name for name in await self._all() if name.startswith(prefix))

    async def create(self, topics: Iterable[Topic], prefix: str) -> list[str]:
        """Create the topics that are missing, and wait until they can be written.

        Returns:
            The full names of those created.
        """
        there = await self._all()
        missing = {topic.full(prefix): topic for topic in topics if topic.full(prefix) not in there}
        if not missing:
            return []
        factor = self._settings.replication_factor
        new = [
            NewTopic(name, topic.partitions, factor, topic_configs=self._wanted(topic))
            for name, topic in missing.items()
        ]

        async def attempt(admin: AIOKafkaAdminClient) -> None:
            # An answer that was lost makes the next one say that they are there already.
            for name, code, told in (await admin.create_topics(new)).topic_errors:
                if code != TopicAlreadyExistsError.errno:
                    check(code, f"{name} ({told or 'no reason given'})")

        await self._ask("create topics", attempt)
        for name, topic in missing.items():
            # Only a leader can tell its ends. Without this the first record meets NotLeaderForPartition.
            reader = await Reader.open(self._settings, name, range(topic.partitions))
            await reader.close()
        return list(missing)

    async def verify(self, topics: Iterable[Topic], prefix: str) -> list[Difference]:
        """Compare what is there with what the registry and the config want; changes nothing."""
        wanted = {topic.full(prefix): topic for topic in topics}
        there = await self._all()
        configs = await self._configs([name for name in wanted if name in there])
        differences = []
        for name, topic in wanted.items():
            if name not in there:
                differences.append(Difference(name, "topic", "present", "missing"))
                continue
            partitions = there[name]["partitions"]
            replicas = min(len(each["replicas"]) for each in partitions)
            found = {**configs[name], PARTITIONS: str(len(partitions)), REPLICATION: str(replicas)}
            right = {
                PARTITIONS: str(topic.partitions),
                REPLICATION: str(self._settings.replication_factor),
                **self._wanted(topic),
            }
            differences += [
                Difference(name, setting, value, found.get(setting, "missing"))
                for setting, value in right.items()
                if not _same(value, found.get(setting))
            ]
        return differences

    async def delete(self, prefix: str) -> None:
        """Delete all topics that begin with a prefix, and wait until they are gone.

        Raises:
            ValueError: the prefix is empty: that would be everything.
        """
        if not prefix:
            raise ValueError("an empty prefix would delete every topic of the cluster")

        async def attempt(admin: AIOKafkaAdminClient) -> None:
            names = [name for name in await _describe(admin) if name.startswith(prefix)]
            if not names:
                return
            for name, code in (await admin.delete_topics(names)).topic_error_codes:
                if code != UnknownTopicOrPartitionError.errno:
                    check(code, name)
            raise KafkaConnectionError(f"{', '.join(names)} still there")

        await self._ask("delete topics", attempt)

    async def group_offsets(self, group: str) -> Mapping[Slot, int]:
        """Give what a group committed: the next offset to read, by full topic name and partition."""
        return await self._ask(
            f"tell the offsets of group {group}",
            lambda admin: committed(admin._client, group, None),  # noqa: SLF001 # see there
        )

    async def delete_group(self, group: str) -> None:
        """Forget a group and its offsets; it need not exist.

        Raises:
            Refused: it has members; stop them first.
        """

        async def attempt(admin: AIOKafkaAdminClient) -> None:
            client = admin._client  # noqa: SLF001 # aiokafka's admin client cannot delete groups
            node = await client.coordinator_lookup(CoordinationType.GROUP, group)
            for name, code in (await client.send(node, DeleteGroupsRequest([group]))).results:
                if code == NonEmptyGroup.errno:
                    raise Refused(f"group {name} has members: stop them first")
                if code != GroupIdNotFound.errno:
                    check(code, f"group {name}")

        await self._ask("delete a group", attempt)

    async def _ask(self, doing: str, attempt: Callable[[AIOKafkaAdminClient], Awaitable[T]]) -> T:
        until = deadline(self._settings)
        if self._admin is None:
            self._admin = await started(self._settings, self._make, doing, until)
        return await persist(self._settings, doing, partial(attempt, self._admin), until)

    async def _all(self) -> dict[str, dict[str, Any]]:
        return await self._ask("list its topics", _describe)

    def _wanted(self, topic: Topic) -> dict[str, str]:
        return {**topic.settings(), MIN_INSYNC: str(self._settings.min_insync_replicas)}

    async def _configs(self, names: list[str]) -> Mapping[str, Mapping[str, str]]:
        if not names:
            return {}
        wanted = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]

        async def attempt(admin: AIOKafkaAdminClient) -> dict[str, dict[str, str]]:
            found = {}
            for answer in await admin.describe_configs(wanted):
                for code, told, _kind, name, entries in answer.resources:
                    check(code, f"{name} ({told or 'no reason given'})")
                    found[name] = {setting: value for setting, value, *_ in entries}
            return found

        return await self._ask("tell topics' settings", attempt)


async def _describe(admin: AIOKafkaAdminClient) -> dict[str, dict[str, Any]]:
    found = {}
    for topic in await admin.describe_topics():  # all: asking for one by name could create it
        if topic["error_code"] != UnknownTopicOrPartitionError.errno:
            check(topic["error_code"], f"topic {topic['topic']}")
            found[topic["topic"]] = topic
    return found


def _same(wanted: str, found: str | None) -> bool:
    # Lists such as compact,delete come back in the broker's order.
    return found is not None and sorted(wanted.split(",")) == sorted(found.split(","))
