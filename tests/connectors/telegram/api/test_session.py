"""Session files: private, whole, and held by one process."""

import json
import multiprocessing
import os
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.telegram.api.session import (
    Login,
    SessionLocked,
    SessionProblem,
    held,
    login_of,
    problem_of,
    read_login,
    stamp_of,
    write_login,
)

LOGIN = Login(user=777, dc=2, host="149.154.167.51", port=443, key=bytes(range(256)))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "desk.session"
    write_login(path, LOGIN)
    return path


def test_it_comes_back_as_it_was(file: Path) -> None:
    assert read_login(file) == LOGIN
    session = LOGIN.session()
    assert (session.dc_id, session.server_address, session.port) == (2, "149.154.167.51", 443)
    assert login_of(session, 777) == LOGIN


def test_it_is_private_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        write_login(tmp_path / "a.session", LOGIN)
    finally:
        os.umask(before)
    assert (tmp_path / "a.session").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["a.session"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o601])
def test_one_that_others_may_read_is_refused(file: Path, mode: int) -> None:
    file.chmod(mode)
    with pytest.raises(SessionProblem, match=f"mode {mode:04o}.*chmod 600 {file}"):
        read_login(file)


def test_one_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SessionProblem, match=r"No such file.*dateline login telegram"):
        read_login(tmp_path / "none.session")


@given(st.binary(max_size=60) | st.text().map(lambda text: json.dumps({"key": text}).encode()))
def test_what_is_no_session_is_told(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("s") / "x.session"
    path.touch(0o600)
    path.write_bytes(data)
    with pytest.raises(SessionProblem, match="is no session of dateline"):
        read_login(path)


@pytest.mark.parametrize(
    "change", [{"user": "777"}, {"port": 70_000}, {"host": "telegram.org"}, {"key": "AAAA"}, {"dc": True}]
)
def test_a_damaged_one_is_told_without_its_key(file: Path, change: dict[str, object]) -> None:
    said = json.loads(file.read_bytes())
    file.write_text(json.dumps({**said, **change}))
    with pytest.raises(SessionProblem) as caught:
        read_login(file)
    assert said["key"][:20] not in str(caught.value)
    assert caught.value.__cause__ is None


def test_the_key_is_never_shown() -> None:
    assert "key" not in repr(LOGIN)


def test_a_failed_writing_leaves_the_former_one(file: Path) -> None:
    (file.parent / "folder").mkdir()
    with pytest.raises(SessionProblem, match="cannot be written"):
        write_login(file.parent / "folder", LOGIN)
    assert sorted(path.name for path in file.parent.iterdir()) == ["desk.session", "folder"]
    assert read_login(file) == LOGIN


def test_writing_changes_the_stamp(file: Path) -> None:
    before = stamp_of(file)
    write_login(file, LOGIN)
    assert stamp_of(file) != before
    assert stamp_of(file.with_name("none")) is None


def _hold(path: Path, there: Event, end: Event) -> None:
    with held(path):
        there.set()
        end.wait(30)


def test_a_second_process_is_refused_until_the_first_one_dies(file: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    there, end = spawn.Event(), spawn.Event()
    process = spawn.Process(target=_hold, args=(file, there, end))
    process.start()
    try:
        assert there.wait(30)
        with pytest.raises(SessionLocked, match="another process on this machine"), held(file):
            pass
        assert "uses this session now" in (problem_of(file) or "")
    finally:
        process.kill()
        process.join()
    with held(file):
        pass
    assert problem_of(file) is None
