"""Faults around the processes: brokers, links, the group's offsets, the source's unit, the disk."""

import asyncio
import errno
import os
import signal
import time
from collections import deque
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from subprocess import CalledProcessError, run

from pipeline.daemon.compose import ROLES
from pipeline.kafka import Admin, KafkaSettings, Refused
from pipeline.kafka.local import LocalCluster
from pipeline.kafka.wire import Wire
from schemas.topics import ITEMS
from tests.chaos import faults
from tests.chaos.faults import Fault
from tests.chaos.link import Link
from tests.chaos.round import FROZEN_SECONDS, MACHINES, Round

DEAD_SECONDS = 0.5
"""How long a broker stays down, of which there is one or which is not missed."""
LOST_SECONDS = (8.0, 12.0)
"""How long a leader stays away."""
SLOW_SECONDS = 8.0
PULSE_SECONDS = (0.4, 0.1)
"""A slow broker stands still and runs in turn."""
BETWEEN_SECONDS = (1.0, 3.0)
POLL_SECONDS = 0.1
DISK = "256m"
BALLOON_CHUNK = 1 << 20
FULL_SECONDS = 20.0

Links = Mapping[str, Sequence[Link]]


@asynccontextmanager
async def links_of(cluster: LocalCluster) -> AsyncIterator[tuple[Links, Mapping[str, Mapping[int, int]]]]:
    """Put a link between each machine and each broker; give them, and their ports by the broker's."""
    async with AsyncExitStack() as stack:
        ports = cluster.status().ports
        found = {
            name: {port: await stack.enter_async_context(Link(port)) for port in ports} for name in MACHINES
        }
        yield (
            {name: list(links.values()) for name, links in found.items()},
            {name: {port: link.port for port, link in links.items()} for name, links in found.items()},
        )


@dataclass
class Surroundings:
    """Lets faults happen around a round, one after the other."""

    round: Round
    cluster: LocalCluster
    links: Links
    random: Random
    settings: KafkaSettings
    left: deque[Fault] = field(default_factory=deque)
    balloon: Path | None = None

    async def work(self) -> None:
        """Strike with what is left until nothing is."""
        roles = {faults.KAFKA: ROLES}
        await self.round.at_work()
        while self.left:
            await asyncio.sleep(self.random.uniform(*BETWEEN_SECONDS))
            fault = self.left[0]  # it stays if the recording ends before it is over
            at = await self._strike(fault)
            await self.round.timed(fault, at, roles.get(fault.role, (fault.role,)))
            self.left.popleft()

    async def _strike(self, fault: Fault) -> float:
        """Let it happen and pass; give the moment from which nothing worked."""
        if fault.kind in faults.LINKS:
            return await self._link(fault.kind)
        if fault.kind == faults.BROKER_SLOW:
            return await self._slow()
        if fault.kind == faults.OFFSETS_DELETED:
            return await self._forget(fault.role)
        if fault.kind == faults.DISK_FULL:
            return await asyncio.to_thread(self._fill)
        return await self._down(fault)

    async def _link(self, kind: str) -> float:
        hit = self.random.choice([MACHINES[:1], MACHINES[1:], MACHINES])
        chosen = [link for name in hit for link in self.links[name]]
        at = time.time()
        for link in chosen:
            if kind == faults.LINK_CUT:
                link.cut()
            else:
                link.hold(requests=kind == faults.LINK_HALF_OPEN)
        try:
            await asyncio.sleep(self.random.uniform(*FROZEN_SECONDS))
        finally:
            for link in chosen:
                link.heal()
        return at

    async def _slow(self) -> float:
        still, runs = PULSE_SECONDS
        at = time.time()
        pids = [pid for pid in self.cluster.status().pids if pid is not None]
        while time.time() < at + SLOW_SECONDS:
            for pid in pids:
                os.kill(pid, signal.SIGSTOP)
            try:
                await asyncio.sleep(still)
            finally:
                for pid in pids:
                    os.kill(pid, signal.SIGCONT)
            await asyncio.sleep(runs)
        return at

    async def _down(self, fault: Fault) -> float:
        node = self.random.randrange(len(self.cluster.status().ports)) + 1
        if fault.kind == faults.LEADER_LOST:
            node = await self._leader()
        if fault.kind == faults.BROKER_RESTARTED:
            await asyncio.to_thread(self._end, node)
        else:
            await asyncio.to_thread(self.cluster.kill, node)
        at = time.time()
        lost = fault.kind == faults.LEADER_LOST
        try:
            await asyncio.sleep(self.random.uniform(*LOST_SECONDS) if lost else DEAD_SECONDS)
        finally:
            await asyncio.to_thread(self.cluster.start_node, node)
        return at

    def _end(self, node: int) -> None:
        """End a broker in good order."""
        if (pid := self.cluster.status().pids[node - 1]) is not None:
            os.kill(pid, signal.SIGTERM)
        while self.cluster.status().pids[node - 1] is not None:
            time.sleep(POLL_SECONDS)

    async def _leader(self) -> int:
        wire = Wire(self.settings)
        try:
            return await wire.leader(ITEMS.full(self.round.prefix), 0)
        finally:
            await wire.close()

    async def _forget(self, stage: str) -> float:
        """Delete a stage's offsets when its killed members have expired."""
        async with self.round.held(stage), Admin(self.settings) as admin:
            at = time.time()
            while True:
                with suppress(Refused):
                    await admin.delete_group(f"{self.round.prefix}{stage}")
                    return at
                await asyncio.sleep(POLL_SECONDS)

    def _fill(self) -> float:
        """Fill the broker's disk until it dies of that, make room, and start it again."""
        assert self.balloon is not None
        with suppress(OSError), self.balloon.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(BALLOON_CHUNK))
        at = time.time()
        while self.cluster.status().running and time.time() < at + FULL_SECONDS:
            time.sleep(POLL_SECONDS)
        self.balloon.unlink()
        self.cluster.start()
        return at


async def moving(round_: Round, left: deque[Fault]) -> None:
    """Move the source from unit to unit; the process that adopts it meets its fault while it does."""
    number = 0
    await round_.at_work()
    while left:
        number += 1
        async with round_.held("ingest"):
            at = time.time()
            round_.move(f"unit {number}")
            round_.pending["ingest"].append(left.popleft())
        await round_.timed(Fault(faults.UNIT_MOVED, "ingest"), at, ["ingest"])
        await round_.met()


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """Mount a small file system there.

    Raises:
        OSError: this user may not.
    """
    folder.mkdir()
    try:
        run(
            ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(folder)],
            check=True,
            capture_output=True,
        )
    except (CalledProcessError, FileNotFoundError) as problem:
        raise OSError(errno.EPERM, "no small disk can be mounted", str(folder)) from problem
    try:
        yield
    finally:
        run(["umount", "--lazy", str(folder)], check=True)
