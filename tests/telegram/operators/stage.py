"""A machine that follows channels, as its operator sees it: its log, its metrics, what `dateline` prints."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from schemas.cloudevents import decode
from schemas.item import Look, SourceLook
from schemas.topics import ITEMS
from tests.bench.place import LOCALHOST
from tests.scenarios.desk import Desk
from tests.scenarios.numbers import eventually
from tests.takeover.daemons import ROOT, free_row
from tests.telegram.process import (
    HASH,
    NOBODY,
    States,
    come,
    ingest,
    logged_in,
    looked,
    published,
    states,
    telegram,
    written,
)
from tests.telegram.server import Room, Server

MOMENTS = 1e9
"""What is more than this are seconds since 1970."""
ALARMS = ("warning", "error", "critical")
WIDE = "200"
"""Columns of the terminal that `dateline` prints on."""
FAILURES = "source_failures_total"
NEXT = "source_next_attempt_timestamp_seconds"
GAPS = "gaps_total"
NAME = "telegram_channel_renamed"
API = {"name": "wire", "channel": "wire", "via": "api"}


def some(value: float) -> bool:
    """Say whether a counter has moved."""
    return value > 0


def none(value: float) -> bool:
    """Say whether it has not, or a state is not so."""
    return value == 0


def ahead(value: float) -> bool:
    """Say whether a moment is still to come."""
    return value > time.time()


def spelled(value: float) -> str:
    """Spell a metric; a moment by how far away it is."""
    return f"{value:g}" if value < MOMENTS else f"(in {value - time.time():.0f} s)"


@dataclass
class Seen:
    """What an operator saw of one case.

    Attributes:
        log: lines at warning or above, without those that say the same again.
        metrics: the telling ones, with their labels.
        printed: what `dateline` said.
        told: the words of it that tell of the case.
        items: what became of the posts.
    """

    log: list[str] = field(default_factory=list)
    metrics: dict[str, str] = field(default_factory=dict)
    printed: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    items: str = "-"


@dataclass(frozen=True, slots=True)
class Machine:
    """One machine: a config, a login, a log, and a process that runs or not.

    Attributes:
        desk: its topics.
        config: its file; the log lies beside it.
        port: where the process tells of itself.
    """

    desk: Desk
    config: Path
    port: int

    @property
    def name(self) -> str:
        """Of its folder."""
        return self.config.parent.name

    @contextmanager
    def running(self, pages: str = NOBODY) -> Iterator["subprocess.Popen[bytes]"]:
        """Run its ingest until the block is left; then it is killed with -9."""
        with ingest(self.config, pages, self.port) as process:
            yield process

    def alarms(self) -> list[Mapping[str, Any]]:
        """Give its log's entries at warning or above."""
        path = self.config.parent / "log.jsonl"
        text = path.read_text() if path.exists() else ""
        entries = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
        return [entry for entry in entries if entry["level"] in ALARMS]

    def log(self) -> list[str]:
        """Give them as lines, each once, without what differs from one time to the next."""
        kept = ("source", "file", "reason", "text", "channel", "renamed_to")
        lines = (
            f"{self.name}: {entry['level']}: {entry['event']}"
            + "".join(f"; {key}={self._short(entry[key])}" for key in kept if key in entry)
            for entry in self.alarms()
        )
        return list(dict.fromkeys(lines))

    def _short(self, text: object) -> str:
        """Leave out where the folder of this run lies."""
        return str(text).replace(f"{self.config.parent.parent}{os.sep}", "")

    async def alarm(self, event: str, words: str = "", seconds: float = 20) -> None:
        """Wait until the log has an event whose fields contain these words.

        Raises:
            AssertionError: it has none; the message holds what it has.
        """

        async def told() -> bool:
            return any(entry["event"] == event and words in str(entry) for entry in self.alarms())

        try:
            await eventually(told, seconds)
        except TimeoutError:
            raise AssertionError(
                f"the log of {self.name} has no {event!r} with {words!r}: {self.log()}"
            ) from None

    async def metrics(self, *names: str) -> dict[str, float]:
        """Scrape the process, as Prometheus does; give the metrics of these names, of `dateline_`."""
        async with (
            aiohttp.ClientSession() as http,
            http.get(f"http://{LOCALHOST}:{self.port}/metrics") as said,
        ):
            text = await said.text()
        found = {}
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                if sample.name.removeprefix("dateline_") in names:
                    labels = ",".join(f"{key}={value}" for key, value in sorted(sample.labels.items()))
                    found[f"{sample.name}{{{labels}}}"] = sample.value
        return found

    async def looks(self, source: str, result: str, words: str = "", seconds: float = 20) -> None:
        """Wait until ingest says this of what it can see of a source, as everybody downstream reads it.

        Raises:
            AssertionError: it does not.
        """
        look: SourceLook | None = None

        async def said() -> bool:
            nonlocal look
            look = await self._look(source)
            return look is not None and look.result == result and words in (look.reason or "")

        try:
            await eventually(said, seconds)
        except TimeoutError:
            raise AssertionError(f"the looks do not say {result!r} {words!r} of {source}: {look}") from None

    async def _look(self, source: str) -> SourceLook | None:
        events = [decode(one.headers, one.value, ITEMS.types).data for one in await self.desk.records(ITEMS)]
        looks = [one.sources[source] for one in events if isinstance(one, Look) and source in one.sources]
        return looks[-1] if looks else None

    async def typed(self, *words: str) -> str:
        """Type a command of `dateline` about its config; give what it prints."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "pipeline.cli", *words, "-c", str(self.config)),
            cwd=ROOT,
            env={**os.environ, HASH: "hash", "COLUMNS": WIDE},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate()
        return self._short(said.decode().rstrip())


@dataclass(frozen=True, slots=True)
class Stage:
    """Where a case is played.

    Attributes:
        desk: its topics.
        folder: of its machines.
        server: its Telegram.
        machines: that were made.
        seen: what is seen, as far as it has come.
    """

    desk: Desk
    folder: Path
    server: Server
    machines: list[Machine] = field(default_factory=list)
    seen: Seen = field(default_factory=Seen)

    def machine(
        self,
        name: str,
        *sources: Mapping[str, Any],
        user: int = 777,
        desk: Desk | None = None,
        session: Path | None = None,
    ) -> Machine:
        """Make a machine.

        Args:
            name: of its folder.
            sources: that its config has; by default one channel through the API.
            user: the account that logs in on it.
            desk: its topics, if they are others.
            session: a file of another machine, instead of a login of its own.
        """
        folder, own = self.folder / name, desk or self.desk
        accounts = telegram(str(session) if session else logged_in(self.server, folder, user))
        config = written(folder, own, *(sources or (API,)), telegram=accounts)
        self.machines.append(Machine(own, config, free_row(1)))
        return self.machines[-1]

    @asynccontextmanager
    async def followed(self) -> AsyncIterator[tuple[Room, Machine, States]]:
        """Follow a channel through the API while the block runs, from behind a first whole look on.

        Yields:
            The channel, the machine, and what its posts must be.
        """
        room, machine, expected = self.server.room("wire"), self.machine("desk"), States()
        published(room, expected, "Before.")
        with machine.running():
            await come(self.desk, expected)
            await looked(self.desk)
            yield room, machine, expected

    def elsewhere(self, name: str) -> Desk:
        """Give topics of their own, for somebody who has nothing to do with us but the login."""
        return Desk(self.desk.settings, f"{self.desk.prefix}{name}.")

    def end(self) -> None:
        """Keep what the logs say."""
        for machine in self.machines:
            self.seen.log += [line for line in machine.log() if line not in self.seen.log]

    async def prints(self, machine: Machine, *wanted: str, command: str = "sources") -> None:
        """Type a command, keep what it prints, and insist that it says these things."""
        said = await machine.typed(command)
        missing = [words for words in wanted if words not in said]
        assert not missing, f"dateline {command} does not say {missing}:\n{said}"
        lines = said.splitlines()
        if command != "sources":  # the others say much that has nothing to do with it
            lines = [line for line in lines if any(words in line for words in wanted)]
        self.seen.printed += [f"{machine.name}: dateline {command}", *lines]
        self.seen.told += [words for words in wanted if words not in self.seen.told]

    async def measures(self, machine: Machine, wanted: Mapping[str, Callable[[float], bool]]) -> None:
        """Scrape until each of these metrics has such a value somewhere, and keep those values.

        Raises:
            AssertionError: one has none.
        """
        found: dict[str, dict[str, float]] = {}

        async def so() -> bool:
            for name, holds in wanted.items():
                values = await machine.metrics(name) or {f"dateline_{name}": 0.0}  # it never happened
                found[name] = {key: value for key, value in values.items() if holds(value)}
            return all(found.values())

        try:
            await eventually(so)
        except TimeoutError:
            raise AssertionError(
                f"not as they must be: {[name for name in wanted if not found[name]]}"
            ) from None
        for values in found.values():
            self.seen.metrics |= {f"{machine.name}: {key}": spelled(value) for key, value in values.items()}

    async def counts(self, expected: States) -> None:
        """Keep how many posts were lost, doubled and invented, and insist that it is none."""
        found = await states(self.desk)
        lost = [key for key in expected if key not in found]
        doubled = [key for key in found if len(found[key]) > len(expected.get(key, found[key]))]
        invented = [key for key in found if key not in expected]
        self.seen.items = (
            f"{len(expected)} posts: {len(lost)} lost, {len(doubled)} doubled, {len(invented)} of nobody"
        )
        assert found == expected, f"{self.seen.items}: {lost[:5]}, {doubled[:5]}, {invented[:5]}"


async def failed(stage: Stage, machine: Machine, words: str, source: str = "wire") -> None:
    """Insist that a source failed where an operator looks for it: log, looks, metrics, `dateline sources`."""
    await machine.alarm("source failed", words)
    await machine.looks(source, "failed", words)
    await stage.measures(machine, {FAILURES: some})
    await stage.prints(machine, "failed", words)
