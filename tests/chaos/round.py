"""One round: a prefix, two machines, the recording, and faults while it passes through."""

import asyncio
import os
import signal
import time
from asyncio.subprocess import Process
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from secrets import token_hex

import yaml
from structlog.typing import FilteringBoundLogger

from pipeline.daemon.compose import ROLES, topics_at_last
from pipeline.daemon.replay import table, write_config
from pipeline.failpoints import ORDERS, REACHED
from pipeline.kafka import Admin, KafkaProblem, KafkaSettings, Reader
from pipeline.observe.health import Health
from schemas.records import Checkpoint
from schemas.topics import CHECKPOINTS, STORY_CHANGES
from tests.bench.place import is_last
from tests.chaos.child import CLOCK as CLOCK_OFF
from tests.chaos.child import HURRY, LINKS, MUTANT, PACE
from tests.chaos.evidence import NOTES, Evidence
from tests.chaos.faults import ALL_KILLED, CLOCK, FREEZE, HOURS, KILL, ZOMBIE, Fault, zombie
from tests.chaos.machine import Born, Machine

Work = Callable[[], Awaitable[None]]
MACHINES = ("a", "b")
SESSION_SECONDS = 6.0
FROZEN_SECONDS = (SESSION_SECONDS + 0.5, SESSION_SECONDS + 2.5)
CALM_SECONDS = (0.3, 1.5)
"""Between the recovery from a fault that a process outlives, and its end by kill -9."""
RANDOM_SECONDS = (1.5, 5.0)
"""After its start a process is hit that is hit at no failpoint."""
GIVE_WAY_SECONDS = 7.0
UNREACHED_SECONDS = 45.0
RECOVERY_SECONDS = 90.0
THROUGH_SECONDS = 150.0
LOOK_SECONDS = 0.5
SETTLE_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Ground:
    """Where rounds take place.

    Attributes:
        settings: how we reach Kafka, past all proxies.
        folder: for files.
        log: hears of what the supervisors say.
        mutant: what is removed from the daemon; none: nothing.
    """

    settings: KafkaSettings
    folder: Path
    log: FilteringBoundLogger
    mutant: str = ""


@dataclass(frozen=True, slots=True)
class Struck:
    """A fault that happened.

    Attributes:
        fault: it.
        seconds: from then until the role worked again; none: it never did.
    """

    fault: Fault
    seconds: float | None


@dataclass
class Round:
    """Runs the daemon on two machines and lets its processes meet their faults."""

    ground: Ground
    recording: Path
    random: Random
    pace: float
    links: Mapping[str, Mapping[int, int]] = field(default_factory=dict)
    pending: dict[str, deque[Fault]] = field(default_factory=lambda: {role: deque() for role in ROLES})
    struck: list[Struck] = field(default_factory=list)
    unmet: list[Fault] = field(default_factory=list)
    unit: str = "main"

    def __post_init__(self) -> None:
        self.prefix = f"chaos-{token_hex(3)}."
        self.folder = self.ground.folder / self.prefix.rstrip(".")
        self.folder.mkdir()
        self.config = write_config(
            self.folder, self.recording, self.ground.settings, self.prefix, speed="max", level="info"
        )
        self.hurry = self.folder / "hurry"
        self.evidence = Evidence(self.folder / "reached.jsonl")
        self.machines: dict[str, Machine] = {}
        self._waiting: dict[int, Fault] = {}
        self._lives: set[asyncio.Task[None]] = set()
        self._frozen: set[int] = set()
        self._over = False

    async def run(self, work: Work) -> None:
        """Let the work go on until it is done or the recording is through; then let everything pass through.

        Raises:
            TimeoutError: it does not come through.
        """
        await topics_at_last(self.ground.settings, self.prefix, self.ground.log, Health(), asyncio.Event())
        async with AsyncExitStack() as stack:
            for name in MACHINES:
                machine = Machine(
                    self.config,
                    partial(self._begin, name),
                    output=self.folder / f"{name}.log",
                    log=self.ground.log,
                )
                self.machines[name] = await stack.enter_async_context(machine)
            working = asyncio.ensure_future(work())
            through = asyncio.create_task(self._through())
            try:
                await asyncio.wait({working, through}, return_when=asyncio.FIRST_COMPLETED)
                if working.done():
                    working.result()
                await self._calm(working)
                async with asyncio.timeout(THROUGH_SECONDS):
                    await through
            finally:
                working.cancel()
                through.cancel()
                await self._calm(working)

    async def at_work(self) -> None:
        """Wait until everything runs for the first time."""
        await asyncio.gather(*(self.evidence.recovery(role, 0.0) for role in ROLES))
        await asyncio.gather(*(machine.complete.wait() for machine in self.machines.values()))

    async def lives(self, faults: Mapping[str, Iterable[Fault]]) -> None:
        """Let each role's processes meet these, one in the life of each process."""
        await self.at_work()
        await asyncio.gather(*map(self.duel, ROLES))
        for role, mine in faults.items():
            self.pending[role].extend(mine)
        present = [(role, p) for one in self.machines.values() for role, p in one.processes.items()]
        await asyncio.gather(*(self._end(role, process, ALL_KILLED) for role, process in present))
        await self.met()

    async def duel(self, role: str) -> None:
        """Freeze an owner in its commit, and its successor when it has read; wake them in this order."""
        old_fault, new_fault = zombie(role)
        first, second = self.machines.values()
        began = time.time()
        await self.hold(role)
        self.pending[role].append(old_fault)
        first.gates[role].set()
        old = await self.evidence.fault_of(role, began)
        self.pending[role].append(new_fault)
        second.gates[role].set()
        new = await self.evidence.fault_of(role, old.at)
        self._wake(old.pid)
        await asyncio.sleep(self.random.uniform(*CALM_SECONDS))
        self._wake(new.pid)
        await self.timed(Fault(ZOMBIE, role), old.at, [role])

    async def met(self) -> None:
        """Wait until all pending faults have been met."""
        while any(self.pending.values()) or any(not life.done() for life in self._lives):
            await asyncio.wait({*self._lives, asyncio.create_task(asyncio.sleep(LOOK_SECONDS))})

    async def timed(self, fault: Fault, at: float, roles: Sequence[str]) -> None:
        """Enter a fault with the time until all these roles work again."""
        try:
            async with asyncio.timeout(RECOVERY_SECONDS):
                back = [await self.evidence.recovery(role, at) for role in roles]
            self.struck.append(Struck(fault, max(back) - at))
        except TimeoutError:
            self.struck.append(Struck(fault, None))

    @asynccontextmanager
    async def held(self, role: str) -> AsyncIterator[None]:
        """Kill a role's processes everywhere; they start again when the block is left."""
        await self.hold(role)
        try:
            yield
        finally:
            for machine in self.machines.values():
                machine.gates[role].set()

    async def hold(self, role: str) -> None:
        """Kill a role's processes everywhere; their gates stay closed."""
        for machine in self.machines.values():
            machine.gates[role].clear()
        await asyncio.sleep(SETTLE_SECONDS)  # one may just be born
        for machine in self.machines.values():
            kill(machine.processes[role])

    def move(self, unit: str) -> None:
        """Write the source into another unit; it holds for processes that start from now on."""
        self.unit = unit
        config = yaml.safe_load(self.config.read_text())
        config["sources"][0]["unit"] = unit
        self.config.write_text(yaml.safe_dump(config))

    def _begin(self, machine: str, role: str) -> tuple[Mapping[str, str], Born]:
        fault = self.pending[role].popleft() if self.pending[role] and not self._over else None
        orders = f"{NOTES},{fault.order}" if fault is not None and fault.order else NOTES
        clock = fault is not None and fault.kind == CLOCK
        environment = {
            ORDERS: orders,
            REACHED: str(self.evidence.path),
            PACE: str(self.pace),
            HURRY: str(self.hurry),
            LINKS: ",".join(f"{port}={proxy}" for port, proxy in self.links.get(machine, {}).items()),
            MUTANT: self.ground.mutant,
            **({CLOCK_OFF: self.random.choice(HOURS)} if clock else {}),
        }
        return environment, partial(self._born, role, fault)

    def _born(self, role: str, fault: Fault | None, process: Process) -> None:
        if not self._over:
            self._lives.add(asyncio.create_task(self._live(role, process, fault)))

    async def _live(self, role: str, process: Process, fault: Fault | None) -> None:
        """Let a process meet its fault, and end it after that, so that another can meet another."""
        if fault is None:
            await self._give_way(role, process)
            return
        at = await self._strike(process, fault)
        if at is None or fault.kind == ZOMBIE:
            return
        await self.timed(fault, at, [role])
        if process.returncode is None and (self.pending[role] or self._others_wait(role)):
            await asyncio.sleep(self.random.uniform(*CALM_SECONDS))
            await self._end(role, process)

    async def _strike(self, process: Process, fault: Fault) -> float | None:
        """Wait until it happens, or make it happen; give the moment, none if it never came."""
        if fault.point is None:
            await asyncio.sleep(self.random.uniform(*RANDOM_SECONDS))
            at = time.time()
            process.send_signal(signal.SIGKILL if fault.kind == KILL else signal.SIGSTOP)
        else:
            self._waiting[process.pid] = fault
            try:
                async with asyncio.timeout(UNREACHED_SECONDS):
                    at = (await self.evidence.fault(process.pid)).at
            except TimeoutError:
                self.unmet.append(fault)
                kill(process)
                return None
            finally:
                self._waiting.pop(process.pid, None)
        if fault.kind == FREEZE:
            await self._keep_frozen(process)
        elif fault.kind == ZOMBIE:
            self._frozen.add(process.pid)
        return at

    async def _keep_frozen(self, process: Process) -> None:
        self._frozen.add(process.pid)
        await asyncio.sleep(self.random.uniform(*FROZEN_SECONDS))
        self._wake(process.pid)

    async def _give_way(self, role: str, process: Process) -> None:
        """Die if another process of the role cannot meet its fault for our sake."""
        while self._others_wait(role):
            await asyncio.sleep(GIVE_WAY_SECONDS)
            if self._others_wait(role) and process.returncode is None:
                await self._end(role, process)
                return

    async def _end(self, role: str, process: Process, kind: str = KILL) -> None:
        at = time.time()
        kill(process)
        await self.timed(Fault(kind, role), at, [role])

    def _others_wait(self, role: str) -> bool:
        return any(fault.role == role for fault in self._waiting.values())

    async def _calm(self, working: "asyncio.Future[None]") -> None:
        """End all faults; what did not happen is unmet."""
        self._over = True
        working.cancel()
        waiting = dict(self._waiting)
        for life in self._lives:
            life.cancel()
        await asyncio.gather(working, *self._lives, return_exceptions=True)
        for pid in list(self._frozen):
            self._wake(pid)
        for machine in self.machines.values():
            for process in machine.processes.values():
                if process.pid in waiting:
                    kill(process)
        self.unmet += [*waiting.values(), *(fault for mine in self.pending.values() for fault in mine)]
        for mine in self.pending.values():
            mine.clear()
        self._lives.clear()
        self.hurry.touch()

    def _wake(self, pid: int) -> None:
        self._frozen.discard(pid)
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)

    async def _through(self) -> None:
        while True:
            with suppress(KafkaProblem):
                if await self._is_through():
                    return
            await asyncio.sleep(LOOK_SECONDS)

    async def _is_through(self) -> bool:
        settings = self.ground.settings
        marks = (await table(settings, CHECKPOINTS, self.prefix)).values()
        if not any(isinstance(mark, Checkpoint) and mark.done for mark in marks):
            return False
        topic = STORY_CHANGES.full(self.prefix)
        reader = await Reader.open(settings, topic, [0])
        try:
            last = await reader.last(0)
        finally:
            await reader.close()
        async with Admin(settings) as admin:
            offsets = await admin.group_offsets(f"{self.prefix}chronology")
        return bool(last) and is_last(last[0]) and offsets.get((topic, 0), 0) > last[0].offset


def kill(process: Process) -> None:
    """Kill a process that may be gone."""
    with suppress(ProcessLookupError):
        process.kill()
