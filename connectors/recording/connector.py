"""Plays a recording back: line by line, in its order, resuming where it stood."""

import asyncio
import gzip
import hashlib
import zlib
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, ClassVar, cast

from connectors.recording.config import RecordingConfig
from connectors.recording.normalise import Line, normalise, parse
from connectors.seam import Cursor, Looked, Observation, Sight, SourceFailed, Unreadable
from schemas.item import Draft
from schemas.stamp import Stamp

BLOCK = 1 << 20


class Recording:
    """One recording, one source to ingest; the sources in it keep their names.

    Its cursor is the SHA-256 of the unpacked content and the number of lines behind us: the same content
    under another path goes on where it was, other content starts at its beginning.
    """

    kind: ClassVar[str] = "recording"
    normaliser: ClassVar[int] = 1
    recorded: ClassVar[bool] = True

    def __init__(self, config: RecordingConfig) -> None:
        self.config = config

    async def observe(self, cursor: Cursor | None) -> AsyncGenerator[Sight]:
        """Yield every line behind the cursor, then say that the recording is done.

        Raises:
            SourceFailed: the file cannot be read; the message names it and the cure.
        """
        path = self.config.path
        with readable(path):
            digest = await asyncio.to_thread(sha256_of, path)
            known = cursor if cursor is not None and cursor.get("sha256") == digest else {}
            skip = int(known.get("line", 0))
            observed = instant(known.get("observed"))
            start = asyncio.get_running_loop().time()
            first: datetime | None = None
            number = skip
            for number, data in lines(path, skip):
                place = f"{path.name}:{number}"
                line = read(data, place)
                observed = instant(line.get("observed_at")) or published_end(line) or observed
                if observed is not None and self.config.speed == "real":
                    first = first or observed
                    due = start + (observed - first).total_seconds()
                    await asyncio.sleep(max(0.0, due - asyncio.get_running_loop().time()))
                cursor = {"sha256": digest, "line": number, "observed": text(observed)}
                yield sight_of(line, data, place, cursor, observed)
        yield Looked(cursor={"sha256": digest, "line": number, "observed": text(observed)}, done=True)

    def normalise(self, observation: Observation) -> Draft:
        """Make a draft of a line.

        Raises:
            Unreadable: it is no post; the message names file, line and field.
        """
        return normalise(observation.data, observation.place)


def read(data: bytes, place: str) -> Line:
    """Read a line. One that is no JSON object is empty here: normalise says what is wrong with it."""
    try:
        return parse(data, place)
    except Unreadable:
        return {}


def sight_of(line: Line, data: bytes, place: str, cursor: Cursor, observed: datetime | None) -> Sight:
    """Give what a line shows: a post, or a look at some of the recording's sources."""
    if isinstance(looked := line.get("look"), dict):
        sources = {str(name): str(result) for name, result in looked.items()}
        return Looked(cursor=cursor, observed=observed, sources=sources)
    return Observation(
        data=data,
        content_type="application/json",
        place=place,
        cursor=cursor,
        observed=observed,
        observed_assumed=instant(line.get("observed_at")) is None,
        absent=instant(line.get("absent_at")),
    )


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turn what can be wrong with a file into one clear message.

    Raises:
        SourceFailed: in place of the system's errors.
    """
    try:
        yield
    except FileNotFoundError:
        raise SourceFailed(f"{path}: there is no such file; correct `path`") from None
    except IsADirectoryError:
        raise SourceFailed(f"{path}: is a folder; name the file in it") from None
    except PermissionError:
        raise SourceFailed(f"{path}: may not be read by this user; change its mode") from None
    except (EOFError, gzip.BadGzipFile, zlib.error) as problem:
        raise SourceFailed(
            f"{path}: damaged gzip ({problem}); nothing of it was taken in. Copy it again"
        ) from None


def opened(path: Path) -> BinaryIO:
    """Open a recording, plain or gzip, for reading bytes."""
    return cast("BinaryIO", gzip.open(path)) if path.suffix == ".gz" else path.open("rb")


def sha256_of(path: Path) -> str:
    """Hash the unpacked content; reads it to the end, so damage shows before anything is taken in."""
    digest = hashlib.sha256()
    with opened(path) as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


def lines(path: Path, skip: int) -> Iterator[tuple[int, bytes]]:
    """Yield number and bytes of each line behind the first `skip` ones; empty lines are passed over."""
    with opened(path) as file:
        for number, line in enumerate(file, 1):
            data = line.rstrip(b"\r\n")
            if number == 1:
                data = data.removeprefix(b"\xef\xbb\xbf")
            if number > skip and data.strip():
                yield number, data


def instant(value: object) -> datetime | None:
    """Read a time that the recorder wrote; none if it is no exact time."""
    return Stamp.parse(value).lo if isinstance(value, str) else None


def published_end(line: Line) -> datetime | None:
    """Give the end of the published interval: the earliest moment at which it was surely out."""
    value = line.get("published_at")
    return Stamp.parse(value).hi if isinstance(value, str) else None


def text(value: datetime | None) -> str | None:
    """Spell a time for the cursor."""
    return None if value is None else value.isoformat()
