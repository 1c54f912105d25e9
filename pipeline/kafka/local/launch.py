"""From a plan to brokers that answer."""

import re
import subprocess
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path

from pipeline.kafka.local import archive, layout, process
from pipeline.kafka.local.distribution import KAFKA_VERSION, class_path, java
from pipeline.kafka.local.error import LocalKafkaError
from pipeline.kafka.local.layout import Node, Plan
from pipeline.kafka.local.probe import ask
from pipeline.kafka.local.progress import Progress
from pipeline.kafka.local.store import home

START_SECONDS = 120.0  # after a kill -9 with gigabytes of log, recovery alone takes a quarter of a minute
LAST_WORDS = 12
JVM_OPTIONS = (
    "-Xms256m",
    "-Xmx512m",
    "-XX:+UseSerialGC",
    "-Xlog:aot*=off",  # an archive that does not fit costs speed, no more
    "-Dlog4j2.configurationFile=log4j2.properties",
)


def start(directory: Path, plan: Plan, down: Sequence[Node], cache: Path, progress: Progress) -> None:
    """Start the nodes that are down; return without waiting for them.

    Raises:
        LocalKafkaError: Kafka or Java cannot be had, a jar is not the pinned one, or formatting fails.
        OSError: The directory or the cache cannot be used.
    """
    executable, java_version = java()
    classes = class_path(cache, progress)
    progress.step(f"Starting Apache Kafka {KAFKA_VERSION}")
    name = archive.archive_name(java_version)
    homes = [home(directory, node) for node in down]
    for node, place in zip(down, homes, strict=True):
        place.mkdir(exist_ok=True)
        properties = layout.write_properties(layout.properties(plan, node))
        (place / "server.properties").write_text(properties, encoding="ascii")
        (place / "log4j2.properties").write_text(layout.LOG4J, encoding="ascii")
        archive.adopt(place, cache, name)
    command = [str(executable), *JVM_OPTIONS, *archive.use(cache, name), "-cp", classes]
    _format([place for place in homes if not (place / "data" / "meta.properties").is_file()], command, plan)
    for place in homes:
        recording = archive.record(cache, name) if place is homes[0] else []
        process.launch(place, [*command[:1], *recording, *command[1:], "kafka.Kafka", "server.properties"])


def _format(homes: Sequence[Path], command: Sequence[str], plan: Plan) -> None:
    """Prepare the data directories of new nodes, all at once."""
    tool = [*command, "-XX:TieredStopAtLevel=1", "kafka.tools.StorageTool", "format", "-t", plan.cluster_id, "-c", "server.properties"]
    running = [
        subprocess.Popen(  # noqa: S603 - a command made here, no part of it from outside
            tool, cwd=place, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        for place in homes
    ]
    for formatter in running:
        output, _ = formatter.communicate()
        if formatter.returncode:
            raise LocalKafkaError(f"Apache Kafka could not prepare its data directory. It said:\n{output[-2000:]}")


def wait(directory: Path, plan: Plan, progress: Progress) -> None:
    """Wait until every node that is up answers and counts all of them as members.

    Raises:
        LocalKafkaError: One of them ended, or they have not answered in time.
    """
    progress.step("Waiting until it answers")
    expected = [node for node in plan.nodes if process.is_alive(home(directory, node))]
    deadline = time.monotonic() + START_SECONDS
    for node in expected:
        while not _answers(plan, node, expected):
            if dead := next((peer for peer in expected if not process.is_alive(home(directory, peer))), None):
                raise _ended(directory, dead)
            if time.monotonic() > deadline:
                raise _silent(directory, node)
            time.sleep(process.POLL_SECONDS)


def _answers(plan: Plan, node: Node, expected: Sequence[Node]) -> bool:
    answer = ask(node.port)
    return (
        answer is not None
        and answer.cluster_id == plan.cluster_id
        and answer.node_ids >= {peer.id for peer in expected}
    )


def _ended(directory: Path, node: Node) -> LocalKafkaError:
    words = last_words(home(directory, node))
    cure = (
        "A port was taken at the last moment: start again, other ports are then chosen."
        if "Address already in use" in words
        else f"The whole log is in {home(directory, node)} (broker.log and console.log)."
    )
    return LocalKafkaError(f"The broker (node {node.id}) ended while starting. Its last words:\n{words}\n{cure}")


def _silent(directory: Path, node: Node) -> LocalKafkaError:
    return LocalKafkaError(
        f"The broker (node {node.id}, port {node.port}) has not answered for {START_SECONDS:.0f} s; it still runs."
        f" Its last words:\n{last_words(home(directory, node))}\n"
        "Start again to go on waiting, or stop it: dateline kafka stop"
    )


def last_words(place: Path) -> str:
    """Return the errors at the end of a node's logs; where it names none, simply the end."""
    lines = [line for name in ("broker.log", "console.log") for line in tail(place / name, 200)]
    errors = [line for line in lines if re.search(r" (ERROR|FATAL) |Exception|Caused by|^Error", line)]
    return "\n".join((errors or lines)[-LAST_WORDS:])


def tail(path: Path, count: int) -> list[str]:
    """Return the last lines of a text file, none when it is absent."""
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return [line.rstrip("\n") for line in deque(file, maxlen=count)]
    except FileNotFoundError:
        return []
