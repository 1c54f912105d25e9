"""Failpoints: one table, one call site each, told in the docs; an armed process does as it is told."""

import json
import os
import re
import signal
import subprocess
import sys
import timeit
from collections import Counter
from pathlib import Path

import pytest
import structlog
from structlog.testing import capture_logs

from pipeline.failpoints import ORDERS, POINTS, REACHED, MalformedOrders, from_environment, parse, pass_by

ROOT = Path(__file__).parents[2]
REACHES = re.compile(r'reach\("([a-z]+\.[a-z]+)"\)')
NAMES = [point.name for point in POINTS]
SCRIPT = """
import os
import structlog
from pipeline.failpoints import from_environment
reach = from_environment(os.environ, "test", structlog.get_logger(), RuntimeError)
for _ in range(3):
    reach("stage.tables")
    print("passed", flush=True)
"""


def test_every_point_of_the_table_is_reached_at_one_place_and_no_other_is() -> None:
    found = Counter(
        name
        for path in (ROOT / "pipeline").rglob("*.py")
        if path.name != "failpoints.py"
        for name in REACHES.findall(path.read_text())
    )
    assert found == Counter(NAMES)


def test_the_docs_tell_of_every_point_as_the_table_does() -> None:
    rows = re.findall(r"^\| `([a-z]+\.[a-z]+)` \| .*$", (ROOT / "docs/delivery.md").read_text(), re.MULTILINE)
    assert sorted(rows) == sorted(NAMES)
    text = (ROOT / "docs/delivery.md").read_text()
    for point in POINTS:
        assert f"| `{point.name}` | {point.leaves} | {point.repairs} |" in text


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("stage.tables", "'stage.tables' is no order"),
        ("stage.tables=kill@", "'stage.tables=kill@' is no order"),
        ("stage.table=kill", "there is no 'stage.table', but ingest.assigned"),
        ("stage.tables=explode", "'explode' is none of kill, freeze, fail, note"),
        ("commit.ended=kill@2, stage.tables=kill@0", "'stage.tables=kill@0': the first time is 1"),
    ],
)
def test_a_malformed_variable_is_told_with_its_part(text: str, told: str) -> None:
    with pytest.raises(MalformedOrders, match=f"^{ORDERS}: ") as problem:
        parse(text)
    assert told in str(problem.value)


def test_nothing_is_done_unless_armed() -> None:
    with capture_logs() as logs:
        assert from_environment({}, "ingest", structlog.get_logger(), RuntimeError) is pass_by
        assert from_environment({ORDERS: ""}, "ingest", structlog.get_logger(), RuntimeError) is pass_by
    assert logs == []


def test_an_armed_process_warns_and_fails_at_the_time_that_was_ordered(tmp_path: Path) -> None:
    file = tmp_path / "reached"
    with capture_logs() as logs:
        reach = from_environment(
            {ORDERS: "stage.tables=fail@2,stage.folded=note", REACHED: str(file)},
            "cluster",
            structlog.get_logger(),
            ConnectionError,
        )
    (warned,) = logs
    assert warned["log_level"] == "warning"
    assert warned["orders"] == ["stage.tables=fail@2", "stage.folded=note@1"]
    reach("stage.tables")
    reach("stage.folded")
    with pytest.raises(ConnectionError, match=r"told to fail: stage\.tables=fail@2"):
        reach("stage.tables")
    reach("stage.tables")
    reach("stage.folded")
    told = [json.loads(line) for line in file.read_text().splitlines()]
    expected = [("stage.folded", "note"), ("stage.tables", "fail"), ("stage.folded", "note")]
    assert [(one["point"], one["action"]) for one in told] == expected
    assert {one["role"] for one in told} == {"cluster"}


def run_armed(order: str, file: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT],
        cwd=ROOT,
        env={ORDERS: order, REACHED: str(file), "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )


def test_kill_ends_the_process_at_once_and_leaves_evidence(tmp_path: Path) -> None:
    file = tmp_path / "reached"
    with run_armed("stage.tables=kill@2", file) as process:
        out, _ = process.communicate(timeout=30)
    assert process.returncode == -signal.SIGKILL
    assert out.count("passed") == 1
    told = json.loads(file.read_text())
    assert (told["pid"], told["point"], told["action"]) == (process.pid, "stage.tables", "kill")


def test_a_frozen_process_goes_on_where_it_was_when_it_is_woken(tmp_path: Path) -> None:
    with run_armed("stage.tables=freeze@2", tmp_path / "reached") as process:
        _, status = waited(process.pid)
        assert status == signal.SIGSTOP
        process.send_signal(signal.SIGCONT)
        out, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    assert out.count("passed") == 3


def waited(pid: int) -> tuple[int, int]:
    """Wait until a child stops; give its pid and the signal that stopped it."""
    child, status = os.waitpid(pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status)
    return child, os.WSTOPSIG(status)


def test_passing_by_costs_nothing_that_counts() -> None:
    assert timeit.timeit(lambda: pass_by("stage.decided"), number=10_000) < 0.05
