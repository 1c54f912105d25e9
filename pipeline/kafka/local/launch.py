"""From a plan to brokers that answer."""

import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from pipeline.kafka.local import archive, layout, process
from pipeline.kafka.local.distribution import KAFKA_VERSION, class_path, java
from pipeline.kafka.local.error import LocalKafkaError
from pipeline.kafka.local.layout import Node, Plan
from pipeline.kafka.local.logs import last_words
from pipeline.kafka.local.probe import ask
from pipeline.kafka.local.progress import Progress
from pipeline.kafka.local.store import home

START_SECONDS = 120.0  # after a kill -9 with gigabytes of log, recovery alone takes a quarter of a minute
PROPERTIES, LOG4J = "server.properties", "log4j2.properties"
Amend: TypeAlias = Callable[[Mapping[str, str]], Mapping[str, str]]
"""Gives the properties that a node gets, from those that it would have."""
JVM_OPTIONS = (
    "-Xms256m",
    "-Xmx512m",
    "-XX:+UseSerialGC",
    "-Xlog:aot*=off",  # an archive that does not fit costs speed, no more
    f"-Dlog4j2.configurationFile={LOG4J}",
)


def start(
    directory: Path,
    plan: Plan,
    down: Sequence[Node],
    cache: Path,
    progress: Progress,
    *,
    amend: Amend = dict,
) -> None:
    """Start the nodes that are down; return without waiting for them.

    Raises:
        LocalKafkaError: Kafka or Java cannot be had, a jar is not the pinned one, or the data are not ours.
        OSError: The directory or the cache cannot be used.
    """
    executable, java_version = java()
    classes = class_path(cache, progress)
    progress.step(f"Starting Apache Kafka {KAFKA_VERSION}")
    homes = [home(directory, node) for node in down]
    for node, place in zip(down, homes, strict=True):
        place.mkdir(exist_ok=True)
        properties = amend(layout.properties(plan, node))
        (place / PROPERTIES).write_text(layout.write_properties(properties), encoding="ascii")
        (place / LOG4J).write_text(layout.LOG4J, encoding="ascii")
        archive.adopt(place, cache)
    name = archive.archive_name(java_version)
    command = [str(executable), *JVM_OPTIONS, *archive.use(cache, name), "-cp", classes]
    _format([place for place in homes if _is_new(place, plan)], command, plan)
    for place in homes:
        recording = archive.record(cache, name) if place is homes[0] else []
        process.launch(place, [*command, *recording, "kafka.Kafka", PROPERTIES])


def _is_new(place: Path, plan: Plan) -> bool:
    """Whether this node has no data yet; those of another cluster would never answer as ours."""
    formatted = place / "data" / "meta.properties"
    if not formatted.is_file():
        return True
    if f"cluster.id={plan.cluster_id}" not in formatted.read_text(encoding="utf-8").splitlines():
        raise LocalKafkaError(
            f"{place} holds the data of another cluster.\nChoose another directory with --dir, or delete it."
        )
    return False


def _format(homes: Sequence[Path], command: Sequence[str], plan: Plan) -> None:
    """Prepare the data directories of new nodes, all at once."""
    simple = "-XX:TieredStopAtLevel=1"  # so short a run is not worth an optimising compiler
    cluster_id = f"--cluster-id={plan.cluster_id}"  # in one piece: the id may begin with a dash
    tool = [*command, simple, "kafka.tools.StorageTool", "format", cluster_id, "--config", PROPERTIES]
    running = [
        subprocess.Popen(tool, cwd=place, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)  # noqa: S603 - ours
        for place in homes
    ]
    outputs = [formatter.communicate()[0].decode(errors="replace") for formatter in running]
    for formatter, output in zip(running, outputs, strict=True):
        if formatter.returncode:
            raise LocalKafkaError(f"Apache Kafka could not prepare its data directory:\n{output[-2000:]}")


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
            for peer in expected:
                if not process.is_alive(home(directory, peer)):
                    raise _ended(home(directory, peer), peer)
            if time.monotonic() > deadline:
                raise _silent(home(directory, node), node)
            time.sleep(process.POLL_SECONDS)


def _answers(plan: Plan, node: Node, expected: Sequence[Node]) -> bool:
    answer = ask(node.port)
    return (
        answer is not None
        and answer.cluster_id == plan.cluster_id
        and answer.members >= {(peer.id, peer.port) for peer in expected}
    )


def _ended(place: Path, node: Node) -> LocalKafkaError:
    words = last_words(place)
    cure = (
        "Another program took its port: stop the whole cluster and start it, other ports are then chosen."
        if "Address already in use" in words
        else f"The whole story is in {place} (broker.log and console.log)."
    )
    return LocalKafkaError(f"Broker {node.id} ended while it started. Its last words:\n{words}\n{cure}")


def _silent(place: Path, node: Node) -> LocalKafkaError:
    return LocalKafkaError(
        f"Broker {node.id} has not answered on port {node.port} for {START_SECONDS:.0f} s, but still runs."
        f" Its last words:\n{last_words(place)}\n"
        "Start again to go on waiting, or stop it: dateline kafka stop"
    )
