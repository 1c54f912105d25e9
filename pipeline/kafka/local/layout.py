"""What a local cluster looks like on paper: its nodes, ports and properties. Pure."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

HOST = "127.0.0.1"
# Above the services people know, below where systems take ports for outgoing connections (Linux: 32768).
PORTS = range(20_000, 32_000)
SIZES = (1, 3)  # two nodes would be worse than one: both must live
PORTS_PER_NODE = 2
LARGEST_RECORD_BYTES = 4 * 1024 * 1024  # a dead letter of 3 MB with its headers
INTERNAL_PARTITIONS = 4

LOG4J = """\
status = error
shutdownHook = disable
appender.file.type = RollingFile
appender.file.name = file
appender.file.fileName = broker.log
appender.file.filePattern = broker.log.%i
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = %d %-5p %m (%c{1})%n
appender.file.policies.type = SizeBasedTriggeringPolicy
appender.file.policies.size = 10MB
appender.file.strategy.type = DefaultRolloverStrategy
appender.file.strategy.max = 2
rootLogger.level = info
rootLogger.appenderRef.file.ref = file
"""


@dataclass(frozen=True, slots=True)
class Node:
    """One broker, which is a controller too; both ports are on the loopback address."""

    id: int
    port: int
    controller_port: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What a cluster remembers across restarts."""

    cluster_id: str
    nodes: tuple[Node, ...]

    @property
    def bootstrap(self) -> str:
        """The bootstrap servers, as Kafka clients want them."""
        return ",".join(f"{HOST}:{node.port}" for node in self.nodes)


def state_directory(environ: Mapping[str, str], home: Path) -> Path:
    """Where the cluster lives unless told otherwise (XDG base directory specification)."""
    return _base(environ.get("XDG_STATE_HOME"), home / ".local" / "state") / "dateline" / "kafka"


def cache_directory(environ: Mapping[str, str], home: Path) -> Path:
    """Where the downloaded jars live, for all clusters of this user (XDG base directory specification)."""
    return _base(environ.get("XDG_CACHE_HOME"), home / ".cache") / "dateline" / "kafka"


def _base(value: str | None, default: Path) -> Path:
    # The specification: a relative path is invalid and must be ignored.
    return Path(value) if value and Path(value).is_absolute() else default


def lay_out(cluster_id: str, ports: Iterable[int]) -> Plan:
    """Number the nodes from 1 and give each its two ports."""
    given = iter(ports)
    pairs = zip(given, given, strict=True)
    return Plan(cluster_id, tuple(Node(number, *pair) for number, pair in enumerate(pairs, start=1)))


def choose_ports(count: int, candidates: Iterable[int], is_free: Callable[[int], bool]) -> list[int]:
    """Take the first `count` free ports; fewer when there are not so many."""
    free = (port for port in candidates if is_free(port))
    return [port for port, _ in zip(free, range(count), strict=False)]


def ports_of(plan: Plan) -> list[int]:
    """All ports of all nodes, in the order that `lay_out` takes."""
    return [port for node in plan.nodes for port in (node.port, node.controller_port)]


def write_plan(plan: Plan) -> str:
    """Return the plan as JSON."""
    return json.dumps(asdict(plan), indent=2) + "\n"


def read_plan(text: str) -> Plan:
    """Return the plan that `write_plan` wrote.

    Raises:
        ValueError: The text is something else.
    """
    try:
        raw = json.loads(text)
        return Plan(raw["cluster_id"], tuple(Node(**node) for node in raw["nodes"]))
    except (KeyError, TypeError) as error:
        raise ValueError(f"not the plan of a cluster: {error!r}") from error


def properties(plan: Plan, node: Node) -> dict[str, str]:
    """Return the `server.properties` of one node; its paths are relative to the node's own directory."""
    return {**_network(plan, node), **_replication(len(plan.nodes)), **_behaviour()}


def _network(plan: Plan, node: Node) -> dict[str, str]:
    # The voters stand here, not in the metadata log, so that new ports need no more than new properties.
    voters = ",".join(f"{voter.id}@{HOST}:{voter.controller_port}" for voter in plan.nodes)
    return {
        "process.roles": "broker,controller",
        "node.id": str(node.id),
        "controller.quorum.voters": voters,
        "listeners": f"PLAINTEXT://{HOST}:{node.port},CONTROLLER://{HOST}:{node.controller_port}",
        "advertised.listeners": f"PLAINTEXT://{HOST}:{node.port}",
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "PLAINTEXT",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "log.dirs": "data",
    }


def _replication(nodes: int) -> dict[str, str]:
    copies = str(nodes)
    in_sync = str(nodes // 2 + 1)
    return {
        "default.replication.factor": copies,
        "min.insync.replicas": in_sync,
        "offsets.topic.replication.factor": copies,
        "transaction.state.log.replication.factor": copies,
        "transaction.state.log.min.isr": in_sync,
        "share.coordinator.state.topic.replication.factor": copies,
        "share.coordinator.state.topic.min.isr": in_sync,
    }


def _behaviour() -> dict[str, str]:
    return {
        "auto.create.topics.enable": "false",
        "delete.topic.enable": "true",
        "offsets.topic.num.partitions": str(INTERNAL_PARTITIONS),
        "transaction.state.log.num.partitions": str(INTERNAL_PARTITIONS),
        "group.initial.rebalance.delay.ms": "0",
        "group.min.session.timeout.ms": "1000",
        # A node that was killed comes back when its old registration has expired.
        "broker.session.timeout.ms": "3000",
        "broker.heartbeat.interval.ms": "500",
        # How late a dead producer's open transaction is noticed, on top of its timeout.
        "transaction.abort.timed.out.transaction.cleanup.interval.ms": "1000",
        "message.max.bytes": str(LARGEST_RECORD_BYTES),
        "replica.fetch.max.bytes": str(LARGEST_RECORD_BYTES),
        "log.retention.check.interval.ms": "60000",
        "log.cleaner.dedupe.buffer.size": str(32 * 1024 * 1024),  # the default is a quarter of the heap
    }


def write_properties(values: Mapping[str, str]) -> str:
    """Return the text of a Java properties file."""
    return "".join(f"{key}={value}\n" for key, value in values.items())
