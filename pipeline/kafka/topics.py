"""Topics and groups as an operator handles them: create, verify, list, delete."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment
from aiokafka.protocol.admin import (
    CreateTopicsRequest,
    DeleteGroupsRequest,
    DeleteTopicsRequest,
    DescribeConfigsRequest,
    DescribeGroupsRequest,
)

from pipeline.kafka.batches import Slot
from pipeline.kafka.codes import (
    GROUP_ID_NOT_FOUND,
    NON_EMPTY_GROUP,
    OK,
    TOPIC_ALREADY_EXISTS,
    UNKNOWN_TOPIC_OR_PARTITION,
    Again,
    check,
)
from pipeline.kafka.errors import Refused
from pipeline.kafka.offsets import Edge, committed, edges
from pipeline.kafka.settings import KafkaSettings
from pipeline.kafka.wire import Role, Wire
from schemas.topics import Topic

T = TypeVar("T")

TOPIC_RESOURCE: Final = 2
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


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a group.

    Attributes:
        host: where it is, as the broker sees it.
        partitions: what it holds; empty also while the group is shared out.
    """

    host: str
    partitions: frozenset[int]


class Admin:
    """Topics and groups of a cluster, as an async context manager; connects with the first call.

    Every call raises Unreachable when Kafka does not answer within the deadline, and Refused when we may not.
    """

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._wire = Wire(settings)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._wire.close()

    async def ping(self) -> None:
        """Ask whether a broker is there; the message of Unreachable names the addresses."""
        await self._persist("answer", partial(self._wire.describe, []))

    async def names(self, prefix: str) -> list[str]:
        """List the full names of all topics that begin with a prefix, sorted."""
        return sorted(name for name in await self._all() if name.startswith(prefix))

    async def create(self, topics: Iterable[Topic], prefix: str) -> list[str]:
        """Create the topics that are missing, and wait until they can be written.

        Returns:
            The full names of those created.
        """
        wanted = {topic.full(prefix): topic for topic in topics}
        there = await self._some(wanted)
        missing = {name: topic for name, topic in wanted.items() if name not in there}
        if not missing:
            return []
        described: list[tuple[Any, ...]] = [
            (name, topic.partitions, self._settings.replication_factor, [], list(self._wanted(topic).items()))
            for name, topic in missing.items()
        ]
        request = CreateTopicsRequest(described, int(self._wire.patience * 1000), validate_only=False)

        async def attempt() -> list[str]:
            # An answer that was lost makes the next one say that they are there already.
            created = []
            for name, code, told in (await self._wire.ask_any(request)).topic_errors:
                if code not in (OK, TOPIC_ALREADY_EXISTS):
                    check(code, f"creating {name} ({told or 'no reason given'})", f"Create on topic {name}")
                created.append(name)
            return created

        created = await self._persist("create topics", attempt)
        for name in created:
            await self._wait_for_leaders(name, missing[name].partitions)
        return created

    async def verify(self, topics: Iterable[Topic], prefix: str) -> list[Difference]:
        """Compare what is there with what the registry and the config want; changes nothing."""
        wanted = {topic.full(prefix): topic for topic in topics}
        there = await self._some(wanted)
        present = [name for name in wanted if name in there]
        configs = await self._configs(present)
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
                if value != found.get(setting)
            ]
        return differences

    async def delete(self, prefix: str) -> None:
        """Delete all topics that begin with a prefix, and wait until they are gone.

        Raises:
            ValueError: the prefix is empty: that would be everything.
        """
        if not prefix:
            raise ValueError("an empty prefix would delete every topic of the cluster")
        names = await self.names(prefix)
        if not names:
            return
        request = DeleteTopicsRequest(names, int(self._wire.patience * 1000))

        async def attempt() -> None:
            for name, code in (await self._wire.ask_any(request)).topic_error_codes:
                if code != UNKNOWN_TOPIC_OR_PARTITION:
                    check(code, f"deleting {name}", f"Delete on topic {name}")

        async def gone() -> None:
            if left := await self._wire.describe(names):
                raise Again(f"{', '.join(left)} still there", moved=False)

        await self._persist("delete topics", attempt)
        await self._persist("forget deleted topics", gone)

    async def group_offsets(self, group: str) -> Mapping[Slot, int]:
        """Give what a group committed: the next offset to read, by full topic name and partition.

        An offset in a transaction that has not ended is passed over.
        """
        return await committed(self._wire, group, None, self._wire.deadline(), stable=False)

    async def members(self, group: str) -> list[Member]:
        """List a group's members; none if it does not exist. A dead one counts until its session ends."""

        async def attempt() -> list[Member]:
            node = await self._wire.coordinator(Role.GROUP, group)
            found = []
            answer = await self._wire.ask(node, DescribeGroupsRequest([group]))
            for code, name, _state, _type, _protocol, members, *_ in answer.groups:
                check(code, f"members of group {name}", f"Describe on group {name}")
                found += [Member(host.lstrip("/"), _held(mine)) for _, _, host, _, mine in members]
            return found

        return await self._persist("tell a group's members", attempt)

    async def delete_group(self, group: str) -> None:
        """Forget a group and its offsets; it need not exist.

        Raises:
            Refused: it has members; stop them first.
        """

        async def attempt() -> None:
            node = await self._wire.coordinator(Role.GROUP, group)
            for name, code in (await self._wire.ask(node, DeleteGroupsRequest([group]))).results:
                if code == NON_EMPTY_GROUP:
                    raise Refused(f"group {name} has members: stop them first")
                if code != GROUP_ID_NOT_FOUND:
                    check(code, f"deleting group {name}", f"Delete on group {name}")

        await self._persist("delete a group", attempt)

    async def _persist(self, doing: str, attempt: Callable[[], Awaitable[T]]) -> T:
        return await self._wire.persist(doing, attempt, self._wire.deadline())

    async def _all(self) -> dict[str, dict[str, Any]]:
        return await self._persist("list its topics", partial(self._wire.describe, None))

    async def _some(self, names: Iterable[str]) -> dict[str, dict[str, Any]]:
        # By name: of all topics a broker tells only those that we may see, as if there were no others.
        return await self._persist("tell of topics", partial(self._wire.describe, list(names)))

    def _wanted(self, topic: Topic) -> dict[str, str]:
        return {**topic.settings(), MIN_INSYNC: str(self._settings.min_insync_replicas)}

    async def _wait_for_leaders(self, name: str, partitions: int) -> None:
        # Only a leader can tell its end. Without this the first record meets NotLeaderForPartition.
        await edges(self._wire, name, range(partitions), Edge.END, self._wire.deadline())

    async def _configs(self, names: list[str]) -> Mapping[str, Mapping[str, str]]:
        if not names:
            return {}
        request = DescribeConfigsRequest([(TOPIC_RESOURCE, name, None) for name in names])

        async def attempt() -> dict[str, dict[str, str]]:
            found: defaultdict[str, dict[str, str]] = defaultdict(dict)
            for code, told, _kind, name, entries in (await self._wire.ask_any(request)).resources:
                about = f"settings of {name} ({told or 'no reason given'})"
                check(code, about, f"DescribeConfigs on topic {name}")
                found[name] = {setting: value for setting, value, *_ in entries}
            return found

        return await self._persist("tell topics' settings", attempt)


def _held(assignment: bytes) -> frozenset[int]:
    if not assignment:
        return frozenset()
    slots = ConsumerProtocolMemberAssignment.decode(assignment).partitions()
    return frozenset(slot.partition for slot in slots)
