"""Several machines in one: daemons as people start them, each with its own folder, config and ports."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import choice
from typing import Any

import yaml

from pipeline.daemon.compose import ROLES
from pipeline.daemon.replay import kafka_section
from pipeline.daemon.supervise import PROGRAM, Child
from pipeline.kafka import KafkaSettings
from pipeline.observe.children import Children
from tests.bench.place import LOCALHOST

ROOT = Path(__file__).parents[2]
POLL_SECONDS = 0.1
END_SECONDS = 30.0
READY_SECONDS = 120.0
BELOW_OUTGOING = range(10_000, 20_000)


@dataclass
class Machine:
    """One machine: a folder with a config, and a daemon that runs or not.

    Attributes:
        folder: its own.
        settings: how it reaches Kafka.
        prefix: of the topics.
        sources: as its config has them.
        program: the module that is `dateline` here.
    """

    folder: Path
    settings: KafkaSettings
    prefix: str
    sources: Sequence[Mapping[str, Any]]
    program: str = PROGRAM
    port: int = field(init=False)
    process: "subprocess.Popen[bytes] | None" = None

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = free_row(1 + len(ROLES))

    @property
    def config(self) -> Path:
        """Its config, as it is written now."""
        path = self.folder / "dateline.yaml"
        told = {
            "kafka": kafka_section(self.folder, self.settings),
            "topics": {"prefix": self.prefix},
            "observe": {"port": self.port},
            "log": {"level": "info", "format": "json"},
            "sources": [dict(source) for source in self.sources],
        }
        path.write_text(yaml.safe_dump(told))
        return path

    @property
    def log(self) -> str:
        """What its processes have said."""
        path = self.folder / "log.jsonl"
        return path.read_text() if path.exists() else ""

    def start(self, *arguments: str) -> None:
        """Start the daemon; `ready` waits for it."""
        with (self.folder / "log.jsonl").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", self.program, "run", "-c", str(self.config), *arguments],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    async def notes(self) -> dict[str, str]:
        """Ask each process what it does; one that does not answer says nothing."""
        children = [Child(role, self.port + number) for number, role in enumerate(ROLES, 1)]
        async with Children.reached(children, LOCALHOST) as reached:
            answers = await reached.readiness()
        return {
            role: answer["parts"].get(role, {}).get("note", "") if answer["ready"] else ""
            for role, answer in answers.items()
        }

    async def until(self, wanted: Callable[[Mapping[str, str]], bool]) -> None:
        """Wait until its processes say something.

        Raises:
            RuntimeError: they do not; the message holds what they say, and the end of the log.
        """
        notes: Mapping[str, str] = {}
        try:
            async with asyncio.timeout(READY_SECONDS):
                while not wanted(notes := await self.notes()):  # noqa: ASYNC110  # they are other processes
                    await asyncio.sleep(POLL_SECONDS)
        except TimeoutError:
            raise RuntimeError(f"{self.folder.name}: {notes}\n{self.log[-4000:]}") from None

    async def ready(self) -> None:
        """Wait until all of its processes run or stand by."""
        await self.until(lambda notes: all(note.startswith(("runs", "stands by")) for note in notes.values()))

    def pids(self) -> dict[str, int]:
        """Find its processes, by role."""
        found = {}
        for path in Path("/proc").glob("[0-9]*"):
            with suppress(OSError, ValueError, IndexError):
                parent = int((path / "stat").read_text().rpartition(")")[2].split()[1])
                if self.process is not None and parent == self.process.pid:
                    words = (path / "cmdline").read_text().split("\0")
                    found[words[words.index("--only") + 1]] = int(path.name)
        return found

    def kill(self) -> None:
        """Let the machine die: all processes at once, -9."""
        if self.process is None:
            return
        pids = list(self.pids().values())
        self.process.kill()
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()
        self.process = None

    async def stop(self) -> int:
        """End the daemon as people do; give its exit code."""
        if self.process is None:
            return 0
        self.process.send_signal(signal.SIGTERM)
        code = await asyncio.to_thread(self.process.wait, END_SECONDS)
        self.process = None
        return code

    def command(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Type a command of dateline on this machine, about its config."""
        typed = [sys.executable, "-m", self.program, *words, "-c", str(self.config)]
        return subprocess.run(typed, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


def free_row(count: int) -> int:
    """Find ports in a row on which nobody listens now; give the first.

    They lie below those that systems give to outgoing connections, which could take one before it is used.
    """
    while True:
        first = choice(BELOW_OUTGOING)
        with ExitStack() as held, suppress(OSError):
            for number in range(count):
                held.enter_context(socket.create_server((LOCALHOST, first + number)))
            return first
