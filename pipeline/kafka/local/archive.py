"""Java's ahead-of-time cache: with it a broker starts in half the time.

The first broker on a machine records what it loads; when it ends, which then takes some seconds, once, it writes the
archive into its own directory, from where the next command adopts it into the shared cache. Java ignores an archive
that is damaged or was made by another Java or from other jars, so nothing depends on it but speed (JEP 483, 514).
"""

import hashlib
import os
import shutil
from contextlib import suppress
from pathlib import Path

from pipeline.kafka.local.distribution import pinned


def archive_name(java_version: str) -> str:
    """Return the file name of the archive for this Java and these jars."""
    jars = hashlib.sha256("".join(jar.sha256 for jar in pinned()).encode()).hexdigest()
    return f"java-{java_version}-{jars[:12]}.aot"


def use(cache: Path, name: str) -> list[str]:
    """Return the Java options that make use of the archive, none when there is none yet."""
    return [f"-XX:AOTCache={cache / name}"] if (cache / name).is_file() else []


def record(cache: Path, name: str) -> list[str]:
    """Return the Java options that record the archive, none when there is one already.

    The recording run has the simple compiler only: an archive with profiles for the optimising one makes Java
    optimise during the next start, which costs more than it saves (2.3 against 1.4 s of processor time).
    """
    return [] if (cache / name).is_file() else [f"-XX:AOTCacheOutput={name}", "-XX:TieredStopAtLevel=1"]


def adopt(node_directory: Path, cache: Path, name: str) -> None:
    """Move the archive that an ended broker has left, if it is whole, into the cache."""
    recorded, unfinished = node_directory / name, node_directory / f"{name}.config"
    with suppress(OSError):  # a cache that cannot be written costs speed, no more
        if recorded.is_file() and not unfinished.exists() and not (cache / name).exists():
            arriving = cache / f"{name}.{os.getpid()}"
            shutil.move(recorded, arriving)
            arriving.replace(cache / name)
    for leftover in (recorded, unfinished):
        leftover.unlink(missing_ok=True)
