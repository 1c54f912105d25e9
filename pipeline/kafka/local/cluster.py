"""The local cluster: start it, look at it, break it, stop it."""

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pipeline.kafka.local import archive, distribution, launch, layout, logs, process, store
from pipeline.kafka.local.error import LocalKafkaError
from pipeline.kafka.local.launch import Amend
from pipeline.kafka.local.layout import Node, Plan
from pipeline.kafka.local.lock import exclusive
from pipeline.kafka.local.progress import Progress, Silent

STOP_SECONDS = 60.0  # three nodes need 6 s, a first broker that records its archive 10 s on two cores


@dataclass(frozen=True, slots=True)
class Status:
    """What there is of a cluster; `pids` and `ports` go by node, a node that is down has the pid None."""

    running: bool
    nodes: int
    pids: tuple[int | None, ...]
    ports: tuple[int, ...]
    bootstrap: str
    directory: Path
    version: str


class LocalCluster:
    """A cluster in a directory. Commands exclude each other, in this process and in others.

    Args:
        directory: Where its data live.
        nodes: How many brokers, 1 or 3; None for as many as it has, which is one for a new cluster.
        cache: Where the jars live; None for the user's cache directory.
        amend: Changes each node's properties, such as other listeners; its PLAINTEXT one must stay.

    Raises:
        LocalKafkaError: There are no clusters with so many brokers.
    """

    def __init__(
        self,
        directory: Path,
        nodes: int | None = None,
        *,
        cache: Path | None = None,
        amend: Amend = dict,
    ) -> None:
        if nodes not in {None, *layout.SIZES}:
            raise LocalKafkaError(f"A local cluster has 1 node or 3, not {nodes}.")
        self.directory = directory.absolute()
        self._nodes = nodes
        self._amend = amend
        self._cache = (cache or layout.cache_directory(os.environ, Path.home())).absolute()

    def start(self, progress: Progress | None = None) -> str:
        """Start what does not run yet, wait until it answers, and return the bootstrap servers.

        Raises:
            LocalKafkaError: It cannot be started; the message says why and what to do.
        """
        progress = progress or Silent()
        with self._alone(progress, create=True):
            plan = store.settle(self.directory, self._nodes, progress)
            self._start(plan, plan.nodes, progress)
            return plan.bootstrap

    def start_node(self, number: int) -> None:
        """Start one node that was killed, and wait until it answers.

        Raises:
            LocalKafkaError: There is no such node, or it cannot be started.
        """
        with self._alone(Silent()):
            self._start(self._plan(), [self._node(number)], Silent())

    def stop(self, progress: Progress | None = None) -> None:
        """End all nodes in good order; there is nothing to do when none runs.

        Raises:
            LocalKafkaError: The directory cannot be used, or a process cannot be ended.
        """
        progress = progress or Silent()
        if not self._homes():
            return
        with self._alone(progress):
            homes = self._homes()
            first = not archive.any_in(self._cache)
            progress.step(
                "Stopping Apache Kafka" + first * " and recording, this once, how to start it faster"
            )
            for place in process.end(homes, STOP_SECONDS):
                progress.note(f"The broker in {place} did not end in {STOP_SECONDS:.0f} s and was killed.")
            for place in homes:
                archive.adopt(place, self._cache)

    def kill(self, number: int) -> None:
        """Kill one node (SIGKILL), as a power cut would.

        Raises:
            LocalKafkaError: There is no such node, or it cannot be ended.
        """
        process.kill(store.home(self.directory, self._node(number)))

    def destroy(self) -> None:
        """Kill all nodes and remove their data, and nothing else that may be in the directory.

        Raises:
            LocalKafkaError: The directory cannot be used, or a process cannot be ended.
        """
        if not self._homes():
            return
        with self._alone(Silent()):
            for place in self._homes():
                process.kill(place)
                shutil.rmtree(place, ignore_errors=True)
            store.plan_file(self.directory).unlink(missing_ok=True)
            (self.directory / "lock").unlink()
            if not any(self.directory.iterdir()):
                self.directory.rmdir()

    def status(self) -> Status:
        """Return what there is of the cluster; it runs when at least one node does.

        Raises:
            LocalKafkaError: The directory holds a plan that cannot be read.
        """
        plan = self._plan()
        return Status(
            running=any(process.is_alive(place) for place in self._homes()),
            nodes=len(plan.nodes),
            pids=tuple(process.pid_of(place) for place in self._homes()),
            ports=tuple(node.port for node in plan.nodes),
            bootstrap=plan.bootstrap,
            directory=self.directory,
            version=distribution.KAFKA_VERSION,
        )

    def log_files(self) -> dict[int, Path]:
        """Return where each node, by its number, writes its log."""
        return {node.id: logs.log_file(store.home(self.directory, node)) for node in self._plan().nodes}

    def logs(self, lines: int) -> dict[int, list[str]]:
        """Return the last lines of the log of each node, by its number."""
        return {number: logs.tail(path, lines) for number, path in self.log_files().items()}

    def _plan(self) -> Plan:
        return store.load(self.directory) or Plan("", ())

    def _homes(self) -> list[Path]:
        return [store.home(self.directory, node) for node in self._plan().nodes]

    def _node(self, number: int) -> Node:
        for node in self._plan().nodes:
            if node.id == number:
                return node
        raise LocalKafkaError(f"The cluster in {self.directory} has no node {number}.")

    def _start(self, plan: Plan, nodes: Sequence[Node], progress: Progress) -> None:
        down = [node for node in nodes if not process.is_alive(store.home(self.directory, node))]
        if down:
            launch.start(self.directory, plan, down, self._cache, progress, amend=self._amend)
        try:
            launch.wait(self.directory, plan, progress)
        except LocalKafkaError:
            if not all(process.is_alive(store.home(self.directory, node)) for node in nodes):
                for node in down:  # half a cluster would keep the next start from choosing other ports
                    process.kill(store.home(self.directory, node))
                    archive.discard(store.home(self.directory, node))
            raise

    @contextmanager
    def _alone(self, progress: Progress, *, create: bool = False) -> Iterator[None]:
        try:
            if create:
                self.directory.mkdir(parents=True, exist_ok=True)
            with exclusive(self.directory / "lock", progress):
                yield
        except OSError as error:
            raise LocalKafkaError(
                f"Cannot use {error.filename or self.directory}: {error.strerror or error}.\n"
                "The data go where --dir or XDG_STATE_HOME says, the fetched jars where XDG_CACHE_HOME says."
            ) from error
