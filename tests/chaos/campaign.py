"""A campaign: rounds on one cluster until enough faults have happened."""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random

from rich.console import Console
from structlog.typing import FilteringBoundLogger

from pipeline.backtest import Topics
from pipeline.kafka import Admin, KafkaSettings
from pipeline.kafka.local import LocalCluster
from tests.chaos import faults
from tests.chaos.compare import Difference, differences, undisturbed
from tests.chaos.faults import Fault
from tests.chaos.mutants import MUTANTS
from tests.chaos.recording import write_recording
from tests.chaos.round import Ground, Round, Struck, Work
from tests.chaos.surroundings import Surroundings, links_of, moving, small_disk

PACE = 30.0
"""Lines a second; each is then a transaction or two of ingest's."""
ROUNDS_AT_MOST = 40


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much a campaign does.

    Attributes:
        posts: of the recording.
        each: faults of each role in a round.
        times: each fault around the processes.
    """

    posts: int
    each: int
    times: int


FULL = Sizes(2400, 8, 3)
QUICK = Sizes(1200, 3, 0)


@dataclass
class Campaign:
    """Collects what the rounds come to.

    Attributes:
        struck: the faults that happened.
        found: the differences, each with its round's prefix.
        blocked: what could not be done here, and why.
    """

    nodes: int
    random: Random
    sizes: Sizes
    folder: Path
    log: FilteringBoundLogger
    console: Console
    mutant: str = ""
    struck: list[Struck] = field(default_factory=list)
    found: list[tuple[str, Difference]] = field(default_factory=list)
    blocked: dict[str, str] = field(default_factory=dict)
    rounds: int = 0

    async def processes(self, cluster: LocalCluster, least: int, most_rounds: int = ROUNDS_AT_MOST) -> None:
        """Let processes meet their faults, round after round, until so many faults have happened."""
        left = faults.of_processes(self.random)
        recording, expected = await self._recorded(looks=True)
        for _ in range(most_rounds):
            if len(self.struck) >= least and not faults.count(left):
                return
            if not faults.count(left):
                left = faults.of_processes(self.random)
            mine = faults.shared_out(left, self.sizes.each)
            with self._round(cluster, recording) as round_:
                await self._run(round_, partial(round_.lives, mine), expected)
            for fault in round_.unmet:
                left[fault.role].insert(0, fault)

    async def surroundings(self, cluster: LocalCluster, left: Sequence[Fault]) -> None:
        """Let faults happen around the processes."""
        recording, expected = await self._recorded(looks=True)
        queue = deque(left)
        async with links_of(cluster) as (links, ports):
            while queue:
                with self._round(cluster, recording, ports) as round_:
                    settings = round_.ground.settings
                    around = Surroundings(round_, cluster, links, self.random, settings, left=queue)
                    await self._run(round_, around.work, expected)

    async def moves(self, cluster: LocalCluster) -> None:
        """Let the source move between units."""
        recording, expected = await self._recorded(looks=False)
        left = deque(faults.moves())
        while left:
            with self._round(cluster, recording) as round_:
                await self._run(round_, partial(moving, round_, left), expected)
            left.extend(round_.unmet)

    async def full_disk(self) -> None:
        """Let a broker's disk run full, where a small one can be had."""
        recording, expected = await self._recorded(looks=True)
        place = self.folder / "small"
        try:
            with small_disk(place):
                cluster = LocalCluster(place / "kafka")
                cluster.start()
                try:
                    with self._round(cluster, recording) as round_:
                        around = Surroundings(
                            round_,
                            cluster,
                            {},
                            self.random,
                            round_.ground.settings,
                            balloon=place / "balloon",
                        )
                        around.left.extend([Fault(faults.DISK_FULL, faults.KAFKA)] * 2)
                        await self._run(round_, around.work, expected)
                finally:
                    cluster.destroy()
        except OSError as problem:
            self.blocked[faults.DISK_FULL] = str(problem)

    @contextmanager
    def _round(
        self, cluster: LocalCluster, recording: Path, links: Mapping[str, Mapping[int, int]] | None = None
    ) -> Iterator[Round]:
        settings = KafkaSettings(
            bootstrap_servers=cluster.status().bootstrap,
            replication_factor=self.nodes,
            min_insync_replicas=self.nodes // 2 + 1,
        )
        ground = Ground(settings, self.folder, self.log, self.mutant)
        yield Round(ground, recording, self.random, PACE, links or {})

    async def _run(self, round_: Round, work: Work, expected: Topics) -> None:
        self.rounds += 1
        try:
            await round_.run(work)
        except TimeoutError:
            self.found.append((round_.prefix, Difference("all", 1, 0, 0, "it does not come through")))
        settings = round_.ground.settings
        found = await differences(settings, round_.prefix, expected, round_.unit)
        self.found += [(round_.prefix, one) for one in found]
        self.struck += round_.struck
        self.console.print(
            f"round {self.rounds}, {self.nodes} nodes: {len(round_.struck)} faults, "
            f"{len(round_.unmet)} put off, {len(found)} topics differ"
        )
        if not found:
            async with Admin(settings) as admin:
                await admin.delete(round_.prefix)

    async def _recorded(self, *, looks: bool) -> tuple[Path, Topics]:
        if self.mutant and MUTANTS[self.mutant].pure:
            MUTANTS[self.mutant].apply()
        path = write_recording(self.folder / f"looks-{looks}.jsonl", self.sizes.posts, looks=looks)
        return path, await undisturbed(path)
