"""The plan of a cluster on disk, and how it comes about."""

import random
import uuid
from base64 import urlsafe_b64encode
from pathlib import Path

from pipeline.kafka.local import layout
from pipeline.kafka.local.error import LocalKafkaError
from pipeline.kafka.local.layout import Node, Plan
from pipeline.kafka.local.probe import is_free
from pipeline.kafka.local.process import is_alive
from pipeline.kafka.local.progress import Progress


def plan_file(directory: Path) -> Path:
    """Return where the plan of the cluster in this directory is, if there is one."""
    return directory / "cluster.json"


def home(directory: Path, node: Node) -> Path:
    """Return the directory of one node: its properties, data, logs and pid."""
    return directory / f"node-{node.id}"


def load(directory: Path) -> Plan | None:
    """Return the plan of the cluster in this directory, None when there is none.

    Raises:
        LocalKafkaError: There is one that cannot be read.
    """
    try:
        return layout.read_plan(plan_file(directory).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        raise LocalKafkaError(
            f"Cannot read {plan_file(directory)}: {error}.\n"
            "Choose another directory with --dir, or delete this one and its data."
        ) from error


def settle(directory: Path, nodes: int | None, progress: Progress) -> Plan:
    """Return the plan to start by: a new one, or the old one, with new ports if one of its own is taken.

    Raises:
        LocalKafkaError: The cluster has another number of nodes, or no port is free.
        OSError: The directory cannot be written.
    """
    plan = load(directory)
    if plan is None:
        cluster_id = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        return _save(directory, layout.lay_out(cluster_id, _free_ports(nodes or 1)))
    if nodes not in {None, len(plan.nodes)}:
        raise LocalKafkaError(
            f"The cluster in {directory} has {len(plan.nodes)} node(s), not {nodes}.\n"
            "Remove it and its data first (dateline kafka stop --wipe), or choose another directory."
        )
    if any(is_alive(home(directory, node)) for node in plan.nodes):
        return plan
    taken = [port for port in layout.ports_of(plan) if not is_free(port)]
    if not taken:
        return plan
    moved = layout.lay_out(plan.cluster_id, _free_ports(len(plan.nodes)))
    progress.note(
        f"Port {taken[0]} was taken by another program while the cluster was stopped;"
        f" its bootstrap servers are now {moved.bootstrap}"
    )
    return _save(directory, moved)


def _free_ports(nodes: int) -> list[int]:
    count = nodes * layout.PORTS_PER_NODE
    ports = layout.choose_ports(count, random.sample(layout.PORTS, len(layout.PORTS)), is_free)
    if len(ports) < count:
        raise LocalKafkaError(f"{layout.HOST} has no free port from {layout.PORTS[0]} to {layout.PORTS[-1]}.")
    return ports


def _save(directory: Path, plan: Plan) -> Plan:
    written = plan_file(directory).with_suffix(".new")
    written.write_text(layout.write_plan(plan), encoding="utf-8")
    written.replace(plan_file(directory))
    return plan
