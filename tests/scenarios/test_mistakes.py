"""What people get wrong, with the command as they type it: one message, place and cure, no traceback."""

import gzip
import json
import os
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipeline.demo import RECORDED_DAY

ROOT = Path(__file__).parents[2]
AWAY = "127.0.0.1:1"
AT_ONCE = 4
LONGEST_SECONDS = 60
USAGE = 2


@dataclass(frozen=True)
class Row:
    """One mistake.

    Attributes:
        typed: the arguments; words in braces are files and ports that the fixture prepares.
        told: what the message must say, in this order: the place, then the cure.
        code: the exit code.
        state: XDG_STATE_HOME, where a local Kafka would live; none runs there.
    """

    typed: str
    told: tuple[str, ...]
    code: int = 1
    state: str = "{state}"


START = "dateline kafka start"
RUNNING = "Is it running, and are address, security_protocol and login right?"
HOST_PORT = "host:port, several with commas"

ROWS = {
    "no broker, check --online": Row("check -c {away} --online", (f"Kafka at {AWAY}", RUNNING)),
    "no broker, topics verify": Row("topics verify -c {away}", (f"Kafka at {AWAY}", RUNNING)),
    "no broker, tail": Row("tail items -c {away}", (f"Kafka at {AWAY}", RUNNING)),
    "no broker, replay": Row(f"replay {RECORDED_DAY} --bootstrap {AWAY}", (f"Kafka at {AWAY}", RUNNING)),
    "no local broker, run": Row("run -c {local}", ("local Kafka is not running", START)),
    "no local broker, tail": Row("tail items", ("local Kafka is not running", START)),
    "no local broker, replay": Row(f"replay {RECORDED_DAY}", ("local Kafka is not running", START)),
    "port in use": Row("run -c {taken}", ("Port {port} on 127.0.0.1 is in use", "observe.port")),
    "port that is none": Row("run -c {away} --port 70000", ("--port", "less than or equal to 65531"), USAGE),
    "state below a file": Row(
        "kafka start", ("Cannot use {file}/dateline/kafka: Not a dir", "XDG_STATE_HOME"), state="{file}"
    ),
    "no config, run": Row("run -c {none}", ("{none}: there is no such file", "Correct the path")),
    "config is a folder": Row("run -c {state}", ("{state}: is a folder", "Name the file in it")),
    "unknown process": Row("run -c {away} --only bogus", ("--only", "ingest, deduplicate"), USAGE),
    "no recording, replay": Row("replay {none}", ("{none}: there is no such file", "correct")),
    "no recording, backtest": Row(
        "backtest {none} --out {new}", ("{none}: there is no such file", "correct")
    ),
    "damaged gzip, replay": Row(
        f"replay {{cut}} --bootstrap {AWAY}", ("{cut}: damaged gzip", "Copy it again")
    ),
    "damaged gzip, backtest": Row("backtest {cut} --out {new}", ("{cut}: damaged gzip", "Copy it again")),
    "no --out": Row(f"backtest {RECORDED_DAY}", ("Missing option '--out'",), USAGE),
    "--out is a file": Row(
        f"backtest {RECORDED_DAY} --out {{file}}", ("{file}: File exists", "another path")
    ),
    "--out below a file": Row(
        f"backtest {RECORDED_DAY} --out {{file}}/out",
        ("{file}/out: Not a directory", "is a file: correct it"),
    ),
    "no assignments": Row(
        f"backtest {RECORDED_DAY} --out {{new}} --assignments {{none}}",
        ("{none}: No such file", "Correct the path"),
    ),
    "malformed assignments": Row(
        f"backtest {RECORDED_DAY} --out {{new}} --assignments {{half}}",
        ("{half}:2: is no assignment", '"id": "35401", "cluster": "c7"'),
    ),
    "speed": Row(f"replay {RECORDED_DAY} --speed slow", ("--speed", "'slow'", "'max', 'real'"), USAGE),
    "prefix": Row("replay x --prefix 'bad prefix!'", ("--prefix", "'bad prefix!'", "letters, digits"), USAGE),
    "bootstrap, replay": Row(f"replay {RECORDED_DAY} --bootstrap=", ("--bootstrap", HOST_PORT), USAGE),
    "bootstrap, tail": Row("tail items --bootstrap=", ("--bootstrap", HOST_PORT), USAGE),
    "unknown topic": Row(
        "tail nonsense", ("Invalid value for TOPIC", "no topic 'nonsense'", "raw.v1, items.v1"), USAGE
    ),
    "time that is none": Row("reprocess --from soon --to 1h", ("--from", "'soon' is no time"), USAGE),
    "nothing to retry": Row("dlq retry -c {away}", ("name ORIGINs", "--all"), USAGE),
    "no broker, dlq": Row("dlq list -c {away}", (f"Kafka at {AWAY}", RUNNING)),
    "unknown command": Row("chekc", ("No such command 'chekc'", "'check'"), USAGE),
}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    """What the rows name: files in a folder, and a port that is taken."""
    folder = tmp_path_factory.mktemp("mistakes")
    source = f"sources: [{{kind: recording, name: day, path: {RECORDED_DAY}}}]\n"
    kafka = f"kafka: {{bootstrap_servers: '{AWAY}', deadline_seconds: 1}}\n"
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        texts = {
            "away": f"{source}{kafka}observe: {{port: 0}}\n",
            "taken": f"{source}{kafka}observe: {{port: {port}}}\n",
            "local": source,
            "loud": "log: {level: loud}\n",
            "half": '{"id": "1", "cluster": "a"}\n{"id": "2"}\n',
            "file": "",
        }
        for name, text in texts.items():
            (folder / name).write_text(text)
        cut = folder / "cut.jsonl.gz"
        cut.write_bytes(gzip.compress(RECORDED_DAY.read_bytes())[:-40])
        (folder / "state").mkdir()
        names = [*texts, "state", "none", "new"]
        yield {**{name: str(folder / name) for name in names}, "cut": str(cut), "port": str(port)}


def command(prepared: Mapping[str, str], typed: str) -> list[str]:
    words = [word.format_map(prepared) for word in shlex.split(typed)]
    return [sys.executable, "-m", "pipeline.cli", *words]


def environment(state: str) -> dict[str, str]:
    """The state directory that is meant, and a terminal that breaks no lines."""
    return {**os.environ, "XDG_STATE_HOME": state, "COLUMNS": "300"}


@pytest.fixture(scope="module")
def outcomes(prepared: Mapping[str, str]) -> dict[str, subprocess.CompletedProcess[str]]:
    """All rows at once: what takes long in them is waiting for a broker that is not there."""

    def run(row: Row) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command(prepared, row.typed),
            cwd=ROOT,
            env=environment(row.state.format_map(prepared)),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LONGEST_SECONDS,
            check=False,
        )

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return dict(zip(ROWS, pool.map(run, ROWS.values()), strict=True))


@pytest.mark.parametrize("name", ROWS)
def test_a_mistake_is_told_once_with_place_and_cure(
    outcomes: Mapping[str, subprocess.CompletedProcess[str]], prepared: Mapping[str, str], name: str
) -> None:
    row, done = ROWS[name], outcomes[name]
    assert done.returncode == row.code, done.stderr
    assert "Traceback" not in done.stderr
    words = " ".join(done.stderr.split())
    assert '"event":' not in words, "a log, not a message"
    told = [part.format_map(prepared) for part in row.told]
    assert [words.count(part) for part in told] == [1] * len(told), words
    assert sorted(told, key=words.index) == told, "the place comes first, then the cure"


def test_the_daemon_waits_for_kafka_says_so_and_ends_when_told(prepared: Mapping[str, str]) -> None:
    typed = command(prepared, "run -c {away}")
    state = environment(prepared["state"])
    with subprocess.Popen(typed, cwd=ROOT, env=state, stderr=subprocess.PIPE) as daemon:
        assert daemon.stderr is not None
        try:
            tries = [json.loads(daemon.stderr.readline()) for _ in range(2)]
            daemon.send_signal(signal.SIGTERM)
            assert daemon.wait(LONGEST_SECONDS) == 0
        finally:
            daemon.kill()
    for told in tries:
        assert told["event"] == "kafka cannot be used yet"
        assert told["reason"].startswith(f"Kafka at {AWAY} did not")
        assert RUNNING in told["reason"]
        assert told["next_seconds"] <= 30
