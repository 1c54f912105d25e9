"""Java's ahead-of-time cache: with it a broker starts in half the time (JEP 483 and 514).

The first broker on a machine records what it loads. When it ends, which takes some seconds more this once, it
writes the archive into its own directory, and whoever comes next adopts it into the shared cache. Java
ignores an archive that is damaged, or was made by another Java or from other jars: only speed depends on it.
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


def any_in(cache: Path) -> bool:
    """Whether there is an archive at all; if not, the next broker to end has recorded one."""
    return any(cache.glob("*.aot"))


def adopt(place: Path, cache: Path) -> None:
    """Move the archive that the ended broker of this directory has left, if it is whole, into the cache."""
    for recorded in place.glob("*.aot"):
        unfinished = place / f"{recorded.name}.config"
        with suppress(OSError):  # a cache that cannot be written costs speed, no more
            if not unfinished.exists() and not (cache / recorded.name).exists():
                arriving = cache / f"{recorded.name}.{os.getpid()}"
                shutil.move(recorded, arriving)
                arriving.replace(cache / recorded.name)
    discard(place)


def discard(place: Path) -> None:
    """Remove what the broker of this directory has recorded."""
    for leftover in place.glob("*.aot*"):
        leftover.unlink()
