"""A machine that follows channels, as its operator sees it: its log, its metrics, what `dateline` prints."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
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
from tests.telegram.process import HASH, NOBODY, States, ingest, logged_in, states, telegram, written
from tests.telegram.server import Server

ALARMS = ("warning", "error", "critical")
WIDE = "200"
"""Columns of the terminal that `dateline` prints on."""
API = {"name": "wire", "channel": "wire", "via": "api"}


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
    metrics: dict[str, float] = field(default_factory=dict)
    printed: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    items: str = "-"


@dataclass(frozen=True, slots=True)
class Machine:
    """One machine: a config, a login, a log, and a process that runs or not.

    Attributes:
        config: its file; the log lies beside it.
        port: where the process tells of itself.
    """

    config: Path
    port: int

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
        kept = ("source", "file", "reason", "text", "channel", "name")
        lines = (
            f"{entry['level']}: {entry['event']}"
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
                f"the log of {self.config.parent.name} has no {event!r} with {words!r}: {self.log()}"
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
        self, name: str, *sources: Mapping[str, Any], user: int = 777, desk: Desk | None = None
    ) -> Machine:
        """Make a machine with a login of this account, on this desk or another one."""
        folder = self.folder / name
        accounts = telegram(logged_in(self.server, folder, user))
        config = written(folder, desk or self.desk, *(sources or (API,)), telegram=accounts)
        self.machines.append(Machine(config, free_row(1)))
        return self.machines[-1]

    def end(self) -> None:
        """Keep what the logs say."""
        for machine in self.machines:
            self.seen.log += [line for line in machine.log() if line not in self.seen.log]

    async def look(self, source: str) -> SourceLook | None:
        """Give what ingest said last that it could see of a source, as everybody downstream reads it."""
        events = [decode(one.headers, one.value, ITEMS.types).data for one in await self.desk.records(ITEMS)]
        looks = [
            event.sources[source] for event in events if isinstance(event, Look) if source in event.sources
        ]
        return looks[-1] if looks else None

    async def looks(self, source: str, result: str, words: str = "", seconds: float = 20) -> None:
        """Wait until the looks say something of a source."""
        look: SourceLook | None = None

        async def said() -> bool:
            nonlocal look
            look = await self.look(source)
            return look is not None and look.result == result and words in (look.reason or "")

        try:
            await eventually(said, seconds)
        except TimeoutError:
            raise AssertionError(f"the looks do not say {result!r} {words!r} of {source}: {look}") from None

    async def prints(self, machine: Machine, *wanted: str, command: str = "sources") -> None:
        """Type a command, keep what it prints, and insist that it says these things."""
        said = await machine.typed(command)
        self.seen.printed += said.splitlines()
        self.seen.told += wanted
        missing = [words for words in wanted if words not in said]
        assert not missing, f"dateline {command} does not say {missing}:\n{said}"

    async def measures(self, machine: Machine, **wanted: Callable[[float], bool]) -> None:
        """Scrape the metrics of these names, keep them, and insist that each has such a value somewhere."""
        found = await machine.metrics(*wanted)
        self.seen.metrics |= found
        for name, holds in wanted.items():
            values = [value for key, value in found.items() if key.startswith(f"dateline_{name}{{")]
            assert any(map(holds, values)), f"no {name} has the value that it must have: {found}"

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
