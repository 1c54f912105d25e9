"""Session files: an account's login on this machine. Who has the file is the account: it is nobody else's.

A file names the account, the server's address and the key. It knows no channels and no state of updates: what
we know of a channel stands in its cursor.
"""

import fcntl
import ipaddress
import json
import os
import stat
import tempfile
from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from telethon.crypto import AuthKey
from telethon.sessions import StringSession

FORMAT = "dateline telegram session 1"
KEY_BYTES = 256
LAST_PORT = 65_535
OTHERS = stat.S_IRWXG | stat.S_IRWXO
_AGAIN = "make a new one with `dateline login telegram`"


class SessionProblem(Exception):
    """A session file that cannot be used; the message names it, what is wrong, and the cure."""


class SessionLocked(SessionProblem):
    """Another process uses the session."""


@dataclass(frozen=True, slots=True)
class Login:
    """What a session file says.

    Attributes:
        user: the account's number.
        dc: the number of the data centre that has the account.
        host: its address, an IP.
        port: of the address.
        key: with which everything is encrypted; never shown.
    """

    user: int
    dc: int
    host: str
    port: int
    key: bytes = field(repr=False)

    def session(self) -> StringSession:
        """Give it as telethon wants it; nothing of it is ever written back."""
        session = StringSession()
        session.set_dc(self.dc, self.host, self.port)
        session.auth_key = AuthKey(self.key)
        return session


def login_of(session: StringSession, user: int) -> Login:
    """Give what is to be kept of a session in which an account has logged in."""
    return Login(user, session.dc_id, session.server_address, session.port, session.auth_key.key)


def stamp_of(path: Path) -> tuple[int, int, int] | None:
    """Give what changes when a file is written anew or made readable; none if it cannot be looked at."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_mode


def read_login(path: Path) -> Login:
    """Read a session file.

    Raises:
        SessionProblem: there is none, others may read it, or it is none.
    """
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            data = file.read(65_536)
    except OSError as problem:
        reason = problem.strerror or type(problem).__name__
        raise SessionProblem(f"{path}: cannot be read ({reason}); correct the path, or {_AGAIN}") from None
    if mode & OTHERS:
        raise SessionProblem(
            f"{path}: has mode {mode:04o}, others may read it and log in as you; run: chmod 600 {path}"
        )
    try:
        return _parsed(json.loads(data))
    except (ValueError, KeyError, TypeError, RecursionError):
        # the reason might quote the key
        raise SessionProblem(f"{path}: is no session of dateline, or damaged; {_AGAIN}") from None


def _parsed(said: Any) -> Login:
    if said["format"] != FORMAT:
        raise ValueError(FORMAT)
    numbers = (said["user"], said["dc"], said["port"])
    if not all(type(number) is int and number > 0 for number in numbers) or said["port"] > LAST_PORT:
        raise ValueError("user, dc and port are whole numbers")
    key = b64decode(said["key"], validate=True)
    if len(key) != KEY_BYTES:
        raise ValueError("a key of another length")
    return Login(said["user"], said["dc"], ipaddress.ip_address(said["host"]).compressed, said["port"], key)


def check_place(path: Path) -> None:
    """See that a session file could be written there, before a login is made that nobody could keep.

    Raises:
        SessionProblem: it could not.
    """
    folder = path.absolute().parent
    if not folder.is_dir():
        raise SessionProblem(f"{path}: there is no folder {folder}; run: mkdir -p -m 700 {folder}")
    if path.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        raise SessionProblem(f"{path}: cannot be written; give a path that you can write")


def write_login(path: Path, login: Login) -> None:
    """Write a session file that nobody else may read: all of it, or nothing.

    Raises:
        SessionProblem: it cannot be written.
    """
    said = {"format": FORMAT, "user": login.user, "dc": login.dc, "host": login.host, "port": login.port}
    data = json.dumps({**said, "key": b64encode(login.key).decode()}, indent=1).encode() + b"\n"
    made: str | None = None
    try:
        number, made = tempfile.mkstemp(dir=path.absolute().parent, prefix=f".{path.name}.")  # 0600
        with os.fdopen(number, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(made).replace(path)
        made = None
        _settle(path.absolute().parent)
    except OSError as problem:
        reason = problem.strerror or type(problem).__name__
        raise SessionProblem(
            f"{path}: cannot be written ({reason}); give a path that you can write"
        ) from None
    finally:
        if made is not None:
            with suppress(OSError):
                Path(made).unlink()


def _settle(folder: Path) -> None:
    """Let the folder's new entry reach the disk."""
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold the session for this process alone: a key that two use at once is dead for good.

    The lock ends with the process, however it dies.

    Raises:
        SessionLocked: another process has it.
        SessionProblem: there is no such file.
    """
    try:
        number = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as problem:
        reason = problem.strerror or type(problem).__name__
        raise SessionProblem(f"{path}: cannot be read ({reason}); correct the path, or {_AGAIN}") from None
    try:
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise SessionLocked(
                f"{path}: another process on this machine uses this session; stop it, or give each its own: "
                f"{_AGAIN}"
            ) from None
        yield
    finally:
        os.close(number)


def problem_of(path: Path) -> str | None:
    """Say why a session file cannot be used now; none if it can."""
    try:
        read_login(path)
        with held(path):
            return None
    except SessionLocked:
        return f"{path}: a process on this machine uses this session now; that is good if it is the daemon"
    except SessionProblem as problem:
        return str(problem)
