"""One cluster of daemons: sources that change hands, units and names lose nothing and double nothing."""

import asyncio
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.control.following import Following
from pipeline.daemon.replay import table
from pipeline.ingest.plan import partition_of
from pipeline.kafka import Admin, KafkaSettings, Membership
from schemas.records import Checkpoint, Seen
from schemas.topics import CHECKPOINTS, CONTROL, SEEN
from tests.scenarios.numbers import Site, eventually
from tests.takeover.daemons import Machine

pytestmark = pytest.mark.kafka
SESSION_SECONDS = 6.0


@pytest.fixture
def site(kafka: str, topic_prefix: str) -> Site:
    return Site(KafkaSettings(bootstrap_servers=kafka), topic_prefix)


async def test_a_paused_source_stops_says_so_and_goes_on_where_it_stood(site: Site) -> None:
    await site.apply({"name": "a"}, {"name": "b", "unit": "eu"})
    async with site.machine("one"), site.machine("two"):
        await site.until("a")
        await site.rest("a", rest=True)

        async def says_so() -> bool:
            return "paused" in await site.results("a")

        await eventually(says_so, 5)
        stood = max(await site.numbers("a"))
        await site.until("b", 20)
        assert max(await site.numbers("a")) == stood
        await site.rest("a", rest=False)
        await site.until("a")
    assert await site.numbers("a") == list(range(1, max(await site.numbers("a")) + 1))
    assert [result for result in await site.results("a") if result != "never"] == ["ok", "paused", "ok"]


async def test_units_are_spread_and_a_source_moves_comes_back_and_gets_another_name(site: Site) -> None:
    await site.apply({"name": "a"})
    async with site.machine("one"), site.machine("two"):
        await site.until("a")
        for unit in ("eu", "main", "asia", "main"):
            await site.apply({"name": "a", "unit": unit})
            await site.until("a")
            async with Admin(site.settings) as admin:
                members = await admin.members(f"{site.prefix}ingest")
            assert sum(partition_of(unit) in member.partitions for member in members) == 1
        await site.apply({"name": "b", "renamed_from": "a", "unit": "eu"})
        await site.until("b")
        await site.apply({"name": "c"})
        await asyncio.sleep(0.5)
        await site.apply({"name": "c"}, {"name": "b", "renamed_from": "a", "unit": "asia"})
        await site.until("b")
    numbers = [number for name in ("a", "b") for number in await site.numbers(name)]
    assert numbers == list(range(1, len(numbers) + 1))
    checkpoints = await table(site.settings, CHECKPOINTS, site.prefix)
    assert {value.unit for value in checkpoints.values() if isinstance(value, Checkpoint)} == {"asia", "main"}


async def test_a_source_that_was_removed_long_ago_is_forgotten(site: Site) -> None:
    await site.apply({"name": "a", "unit": "eu"}, {"name": "b"})
    async with site.machine("one"):
        await site.until("a")
        await site.apply({"name": "b"}, at=datetime.now(UTC) - timedelta(days=31))

        async def forgotten() -> bool:
            return "source/a" not in await table(site.settings, CONTROL, site.prefix)

        await eventually(forgotten, 10)
    checkpoints = await table(site.settings, CHECKPOINTS, site.prefix)
    assert set(checkpoints) <= {"b"}
    seen = (await table(site.settings, SEEN, site.prefix)).values()
    assert {value.source for value in seen if isinstance(value, Seen)} <= {"b"}


async def test_who_has_not_heard_of_a_move_is_shut_out(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[Following] = []
    really = Following.open

    async def remembered(settings: KafkaSettings, prefix: str) -> Following:
        opened.append(await really(settings, prefix))
        return opened[-1]

    monkeypatch.setattr(Following, "open", remembered)
    await site.apply({"name": "a"})
    async with site.machine("deaf"):
        await site.until("a")
        hears, fetch = asyncio.Event(), opened[0]._reader.fetch

        async def fetch_later(**how: Any) -> Any:
            await hears.wait()
            return await fetch(**how)

        monkeypatch.setattr(opened[0]._reader, "fetch", fetch_later)
        async with site.machine("other"):
            await site.until("a", 200)  # by now it is deaf
            await site.apply({"name": "a", "unit": "eu"})

            async def moved() -> bool:
                return ("a", "other") in site.wire.spoken

            await eventually(moved)
            await site.until("a")
            hears.set()
            await site.until("a")
    numbers = await site.numbers()
    assert numbers == list(range(1, len(numbers) + 1))


async def test_who_cannot_reach_kafka_stops_its_connectors_before_its_session_ends(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Membership] = []
    really = Membership.open

    async def remembered(*given: object, **named: object) -> Membership:
        opened.append(await really(*given, **named))  # type: ignore[arg-type]
        return opened[-1]

    monkeypatch.setattr(Membership, "open", remembered)
    await site.apply({"name": "a"})
    async with site.machine("cut off"):
        await site.until("a")
        monkeypatch.undo()
        async with site.machine("other"):
            await site.until("a", 100)  # it has joined by now, and stands by
            assert ("a", "other") not in site.wire.spoken
            with socket.create_server(("127.0.0.1", 0)) as silent:  # accepts, and never answers
                wire = opened[0]._wire
                host, port = silent.getsockname()
                brokers, wire._brokers = wire._brokers, dict.fromkeys(wire._brokers, (str(host), int(port)))
                for connection in wire._connections.values():
                    connection._writer.transport.abort()
                cut = asyncio.get_running_loop().time()

                async def taken_over() -> bool:
                    return ("a", "other") in site.wire.spoken

                await eventually(taken_over)
                began = asyncio.get_running_loop().time()
                await site.until("a")
            wire._brokers = brokers
            assert SESSION_SECONDS / 2 < site.wire.spoken["a", "cut off"] - cut < SESSION_SECONDS - 1
            assert site.wire.spoken["a", "cut off"] < began - 0.5
    numbers = await site.numbers()
    assert numbers == list(range(1, len(numbers) + 1))


async def test_a_daemon_with_another_file_shows_what_differs_and_waits_until_it_is_applied(
    site: Site, tmp_path: Path
) -> None:
    recordings = [tmp_path / "a.jsonl", tmp_path / "b.jsonl"]
    for path in recordings:
        path.write_text(
            "".join(f'{{"id": "{n}", "source": "{path.stem}", "text": "t{n}"}}\n' for n in range(5))
        )
    both = [{"kind": "recording", "name": path.stem, "path": str(path)} for path in recordings]
    one = Machine(tmp_path / "one", site.settings, site.prefix, both[:1])
    two = Machine(tmp_path / "two", site.settings, site.prefix, both)
    try:
        one.start()
        await one.ready()
        two.start()

        async def waits() -> bool:
            return "waits: others run with another config (generation 1), 4 settings" in two.log

        await eventually(waits, 40)
        assert "+ sources.b.kind: recording" in two.log
        told = two.command("check", "--online")
        assert (told.returncode, "+ sources.b.unit: main" in told.stdout) == (1, True), told
        told = two.command("apply")
        assert (told.returncode, "as generation 2" in told.stdout) == (0, True), told
        await two.ready()

        async def both_read() -> bool:
            return len(await site.numbers()) == 10

        await eventually(both_read)
    finally:
        one.kill()
        two.kill()
