"""One process for ingest and one for each stage: two cores are used, and a fault stays in its room."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from prometheus_client import CollectorRegistry
from structlog.typing import FilteringBoundLogger

from pipeline.observe.health import Health
from pipeline.observe.metrics import SupervisorMetrics
from pipeline.waiting import delay_seconds, first_of

PROGRAM = "pipeline.cli"
"""The module that each child runs."""
DRAIN_SECONDS = 15.0
HEALTHY_SECONDS = 60.0
"""A child that ran so long has recovered: its next restart is the first again."""


@dataclass(frozen=True, slots=True)
class Child:
    """One process to keep.

    Attributes:
        role: what it does: ingest, or a stage's name.
        port: where it serves its metrics.
    """

    role: str
    port: int


class Supervisor:
    """Starts the children, starts them again when they die, and ends them in time.

    Attributes:
        pids: the process id of each role's present process.
    """

    def __init__(
        self,
        config: Path,
        children: Sequence[Child],
        *,
        drain_seconds: float,
        metrics: SupervisorMetrics,
        health: Health,
        log: FilteringBoundLogger,
    ) -> None:
        self._config = config
        self._children = children
        self._drain_seconds = drain_seconds
        self._metrics = metrics
        self._health = health
        self._log = log
        self.pids: dict[str, int] = {}

    async def run(self, stop: asyncio.Event) -> bool:
        """Keep the children until `stop`; then end them.

        Returns:
            Whether all of them drained in time.
        """
        return all(await asyncio.gather(*(self._keep(child, stop) for child in self._children)))

    async def _keep(self, child: Child, stop: asyncio.Event) -> bool:
        failures = 0
        while True:
            started = monotonic()
            process = await self._start(child)
            self._metrics.up.labels(child.role).set(1)
            self._health.set(child.role, ready=True, note=f"pid {process.pid}")
            try:
                await first_of(stop.wait(), process.wait())
                if stop.is_set():
                    return await self._end(child, process)
            finally:
                self._metrics.up.labels(child.role).set(0)
                if process.returncode is None:
                    process.kill()
            failures = 1 if monotonic() - started > HEALTHY_SECONDS else failures + 1
            delay = delay_seconds(failures, cap=30)
            self._metrics.restarts.labels(child.role).inc()
            self._health.set(child.role, ready=False, note=f"died with exit code {process.returncode}")
            self._log.error(
                "process died", died=child.role, exit=process.returncode, next_seconds=round(delay, 1)
            )
            await first_of(stop.wait(), asyncio.sleep(delay))
            if stop.is_set():
                return True

    async def _start(self, child: Child) -> asyncio.subprocess.Process:
        """Start a child; its standard input is a pipe that closes when we die, and then it ends too."""
        command = [sys.executable, "-m", PROGRAM, "run", "-c", str(self._config), "--only", child.role]
        command += ["--port", str(child.port), "--supervised"]
        # A group of its own, so that Ctrl-C reaches us alone; no session, or Linux would heed no niceness
        # between the children.
        process = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.PIPE, process_group=0, env={**os.environ}
        )
        self.pids[child.role] = process.pid
        self._log.info("process started", started=child.role, pid=process.pid, port=child.port)
        return process

    async def _end(self, child: Child, process: asyncio.subprocess.Process) -> bool:
        started = monotonic()
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(self._drain_seconds):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
            self._log.error("process did not drain in time and was killed", killed=child.role)
            return False
        self._log.info("process drained", drained=child.role, seconds=round(monotonic() - started, 2))
        return process.returncode == 0


@asynccontextmanager
async def supervised(
    config: Path, roles: Iterable[str], log: FilteringBoundLogger
) -> AsyncIterator[Supervisor]:
    """Run processes of the daemon, whose metrics nobody asks for, until the block is left."""
    stop = asyncio.Event()
    supervisor = Supervisor(
        config,
        [Child(role, 0) for role in roles],
        drain_seconds=DRAIN_SECONDS,
        metrics=SupervisorMetrics(CollectorRegistry()),
        health=Health(),
        log=log,
    )
    task = asyncio.create_task(supervisor.run(stop))
    try:
        yield supervisor
    finally:
        stop.set()
        with suppress(asyncio.CancelledError):
            await task


async def orphaned(stop: asyncio.Event) -> None:
    """Set `stop` when standard input closes: our supervisor is gone."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    await reader.read()
    stop.set()


def on_signals(stop: asyncio.Event) -> None:
    """Let SIGTERM and SIGINT end the run."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
