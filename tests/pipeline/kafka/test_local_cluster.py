"""The local cluster, started, stopped and broken for real."""

import asyncio
import socket
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from pipeline.kafka.local import LocalCluster, LocalKafkaError, layout, store
from pipeline.kafka.local.progress import Silent

pytestmark = pytest.mark.kafka
PATIENCE_SECONDS = 30


class Notes(Silent):
    """A `Progress` that keeps the notes."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, message: str) -> None:
        self.notes.append(message)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCluster]:
    """One cluster for the tests of this file; each starts it, and leaves it in whatever state."""
    cluster = LocalCluster(tmp_path_factory.mktemp("broken") / "cluster")
    cluster.directory.mkdir()
    plan = layout.lay_out("-dAtAaNdIdLookLikeAnOpt", [29_998, 29_999])  # an id may begin with a dash
    store.plan_file(cluster.directory).write_text(layout.write_plan(plan))
    yield cluster
    cluster.destroy()
    assert not cluster.directory.exists()


async def _write(bootstrap: str, copies: int) -> str:
    topic = f"t{uuid.uuid4().hex}"
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        created = await admin.create_topics([NewTopic(topic, 1, copies)])
        assert [code for _, code, _ in created.topic_errors] == [0]
    finally:
        await admin.close()
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all") as producer:
        await producer.send_and_wait(topic, b"still here")
    return topic


async def _read(bootstrap: str, topic: str) -> bytes:
    async with AIOKafkaConsumer(topic, bootstrap_servers=bootstrap, auto_offset_reset="earliest") as consumer:
        value: bytes = (await consumer.getone()).value
        return value


def write(bootstrap: str, copies: int = 1) -> str:
    """Write one record to a new topic and return the topic."""
    return asyncio.run(asyncio.wait_for(_write(bootstrap, copies), PATIENCE_SECONDS))


def read(bootstrap: str, topic: str) -> bytes:
    """Return the first record of a topic."""
    return asyncio.run(asyncio.wait_for(_read(bootstrap, topic), PATIENCE_SECONDS))


def put_data(directory: Path, properties: str) -> None:
    """Leave formatted data behind, as if a broker had been here."""
    data = directory / "node-1" / "data"
    data.mkdir(parents=True)
    (data / "meta.properties").write_text(properties)


def test_a_stop_keeps_the_data_and_the_ports(cluster: LocalCluster) -> None:
    bootstrap = cluster.start()
    topic = write(bootstrap)
    cluster.stop()
    assert not cluster.status().running
    assert cluster.start() == bootstrap
    assert read(bootstrap, topic) == b"still here"


def test_a_kill_keeps_the_data(cluster: LocalCluster) -> None:
    bootstrap = cluster.start()
    topic = write(bootstrap)
    cluster.kill(1)
    assert cluster.status().pids == (None,)
    assert cluster.start() == bootstrap
    assert read(bootstrap, topic) == b"still here"


async def test_a_dead_letter_of_3_mb_passes(kafka: str, topic_prefix: str) -> None:
    topic, value = f"{topic_prefix}deadletters", b"x" * (3 * 1024 * 1024)
    async with asyncio.timeout(PATIENCE_SECONDS):
        admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
        await admin.start()
        await admin.create_topics([NewTopic(topic, 1, 1)])
        await admin.close()
        async with AIOKafkaProducer(bootstrap_servers=kafka, max_request_size=2 * len(value)) as producer:
            await producer.send_and_wait(topic, value)
        assert await _read(kafka, topic) == value


def test_a_start_leaves_alone_what_runs(cluster: LocalCluster) -> None:
    bootstrap = cluster.start()
    before = cluster.status()
    assert cluster.start() == bootstrap
    assert cluster.status() == before
    assert before.running
    assert before.bootstrap == bootstrap == f"127.0.0.1:{before.ports[0]}"


def test_two_starts_at_once_make_one_broker(tmp_path: Path) -> None:
    progress = [Notes(), Notes()]
    clusters = [LocalCluster(tmp_path), LocalCluster(tmp_path)]
    try:
        with ThreadPoolExecutor() as pool:
            servers = set(pool.map(LocalCluster.start, clusters, progress))
        assert servers == {clusters[0].status().bootstrap}
        assert clusters[0].status().running
        waited = [note for each in progress for note in each.notes]
        assert waited == [f"Another command is at work in {tmp_path}; waiting for it."]
    finally:
        clusters[0].destroy()


def test_ports_taken_meanwhile_are_replaced_and_told(cluster: LocalCluster) -> None:
    topic = write(cluster.start())
    cluster.stop()
    (port,) = cluster.status().ports
    notes = Notes()
    with socket.create_server((layout.HOST, port)):
        moved = cluster.start(notes)
    assert not moved.endswith(f":{port}")
    (told,) = notes.notes
    assert told.startswith(f"Port {port} was taken by another program")
    assert told.endswith(f"its bootstrap servers are now {moved}")
    assert read(moved, topic) == b"still here"


def test_a_broker_that_dies_at_once_leaves_its_last_words(tmp_path: Path) -> None:
    cluster_id = store.settle(tmp_path, 1, Silent()).cluster_id
    put_data(tmp_path, f"version=1\ncluster.id={cluster_id}\nnode.id=7\n")
    broken = LocalCluster(tmp_path)
    with pytest.raises(LocalKafkaError, match=r"Broker 1 ended while it started(.|\n)*Stored node id 7"):
        broken.start()
    assert not broken.status().running
    assert "Stored node id 7" in "".join(broken.logs(200)[1])


def test_data_of_another_cluster_are_noticed(tmp_path: Path) -> None:
    put_data(tmp_path, "version=1\ncluster.id=of-another-cluster\nnode.id=1\n")
    with pytest.raises(LocalKafkaError, match=f"{tmp_path}/node-1 holds the data of another cluster"):
        LocalCluster(tmp_path).start()


def test_a_directory_that_cannot_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LocalKafkaError, match=rf"Cannot use {tmp_path}/file/kafka: Not a directory"):
        LocalCluster(tmp_path / "file" / "kafka").start()


def test_a_plan_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "cluster.json").write_text("{")
    with pytest.raises(LocalKafkaError, match=rf"Cannot read {tmp_path}/cluster.json"):
        LocalCluster(tmp_path).start()


def test_a_cluster_keeps_its_number_of_nodes(cluster: LocalCluster) -> None:
    cluster.start()
    with pytest.raises(LocalKafkaError, match=r"has 1 node\(s\), not 3"):
        LocalCluster(cluster.directory, nodes=3).start()
    with pytest.raises(LocalKafkaError, match="1 node or 3, not 2"):
        LocalCluster(cluster.directory, nodes=2)
    with pytest.raises(LocalKafkaError, match="has no node 2"):
        cluster.kill(2)


def test_a_wipe_removes_only_what_belongs_to_the_cluster(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").touch()
    LocalCluster(tmp_path).destroy()
    assert list(tmp_path.iterdir()) == [tmp_path / "thesis.txt"]
    store.settle(tmp_path, 3, Silent())
    put_data(tmp_path, "of the cluster")
    LocalCluster(tmp_path).destroy()
    assert list(tmp_path.iterdir()) == [tmp_path / "thesis.txt"]


def test_three_nodes_bear_the_loss_of_one(tmp_path: Path) -> None:
    cluster = LocalCluster(tmp_path, nodes=3)
    try:
        bootstrap = cluster.start()
        topic = write(bootstrap, copies=3)
        cluster.kill(1)
        assert [pid is None for pid in cluster.status().pids] == [True, False, False]
        assert read(bootstrap, topic) == b"still here"
        cluster.start_node(1)
        assert None not in cluster.status().pids
        cluster.stop()
        assert cluster.start() == bootstrap
        assert read(bootstrap, topic) == b"still here"
    finally:
        cluster.destroy()
