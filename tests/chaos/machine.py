"""One machine of a campaign: the daemon's supervisor and its processes, each armed as it is started."""

import asyncio
import os
import sys
from asyncio.subprocess import Process
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Self

from prometheus_client import CollectorRegistry
from structlog.typing import FilteringBoundLogger

from pipeline.daemon import supervise
from pipeline.daemon.compose import ROLES
from pipeline.daemon.supervise import Child, Supervisor
from pipeline.observe.health import Health
from pipeline.observe.metrics import SupervisorMetrics

DRAIN_SECONDS = 15.0
supervise.HEALTHY_SECONDS = 0.0  # the tenth death of a process is not met with half a minute of waiting

Born = Callable[[Process], None]
Begin = Callable[[str], tuple[Mapping[str, str], Born]]
"""Gives, for a process of a role that is about to start, its variables and who is to hear of it."""


class Machine(Supervisor):
    """Keeps one process of each role alive, as the daemon does.

    Attributes:
        gates: a role's processes start only while its gate is open.
        processes: the present ones.
        complete: every role has had one.
    """

    def __init__(self, config: Path, begin: Begin, *, output: Path, log: FilteringBoundLogger) -> None:
        super().__init__(
            config,
            [Child(role, 0) for role in ROLES],
            drain_seconds=DRAIN_SECONDS,
            metrics=SupervisorMetrics(CollectorRegistry()),
            health=Health(),
            log=log,
        )
        self.gates = {role: asyncio.Event() for role in ROLES}
        self.processes: dict[str, Process] = {}
        self.complete = asyncio.Event()
        self._begin = begin
        self._output = output
        self._stop = asyncio.Event()
        for gate in self.gates.values():
            gate.set()

    async def __aenter__(self) -> Self:
        """Start it."""
        self._task = asyncio.create_task(self.run(self._stop))
        return self

    async def __aexit__(self, *_: object) -> None:
        """End it; its processes drain."""
        self._stop.set()
        for gate in self.gates.values():
            gate.set()
        with suppress(asyncio.CancelledError):
            await self._task

    async def _start(self, child: Child) -> Process:
        await self.gates[child.role].wait()
        environment, born = self._begin(child.role)
        command = [sys.executable, "-m", "tests.chaos.child", "run", "-c", str(self._config)]
        command += ["--only", child.role, "--port", "0", "--supervised"]
        with self._output.open("ab") as output:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.PIPE,
                stderr=output,
                start_new_session=True,
                env={**os.environ, **environment},
            )
        self.pids[child.role] = process.pid
        self.processes[child.role] = process
        if len(self.processes) == len(ROLES):
            self.complete.set()
        born(process)
        return process
