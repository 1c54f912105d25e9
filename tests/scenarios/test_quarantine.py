"""A source that cannot be read is stopped, told of, and goes on without a loss once it can be."""

import asyncio
from typing import Any

import pytest
from typer.testing import CliRunner

from pipeline.cli.app import app
from pipeline.daemon import deadletters
from pipeline.ingest.quarantine import LEAST
from pipeline.observe.health import Health
from schemas.item import Item, Look
from schemas.records import Checkpoint, DeadLetter
from schemas.topics import CHECKPOINTS, DEADLETTERS, ITEMS
from tests.scenarios.desk import Desk
from tests.scenarios.wire import Wire, as_text, followed, unreadable, until, values

pytestmark = pytest.mark.kafka
ALL = 60


def posts() -> list[bytes]:
    return [f"post number {number}".encode() for number in range(ALL)]


def items(found: list[Any]) -> list[str]:
    return [value.text for value in found if isinstance(value, Item)]


def whole(found: list[Any]) -> bool:
    return len(items(found)) == ALL


async def typed(desk: Desk, *words: str) -> Any:
    where = ["--prefix", desk.prefix, "--bootstrap", desk.settings.bootstrap_servers]
    return await asyncio.to_thread(CliRunner().invoke, app, [*words, *where])


async def assert_held(desk: Desk, health: Health) -> None:
    """The cursor stays, the look says why, and the process is ready all the same."""
    await until(desk, CHECKPOINTS, lambda _: "source wire" in health.parts)
    found = await until(desk, ITEMS, lambda all_: any(isinstance(one, Look) and told(one) for one in all_))
    assert items(found) == []
    (stands,) = (one for one in (await values(desk, CHECKPOINTS))[-1:] if isinstance(one, Checkpoint))
    assert stands.cursor == {"behind": LEAST}
    assert health.ready
    assert "quarantined: 20 of its last 20" in health.parts["source wire"].note
    assert len(await values(desk, DEADLETTERS)) == LEAST


def told(look: Look) -> bool:
    seen = look.sources["wire"]
    return seen.result == "failed" and (seen.reason or "").startswith("quarantined: 20 of its last 20 posts")


async def recover(desk: Desk) -> None:
    """Retry what became dead letters, and see that all is there, each once."""
    marked = await deadletters.retry(
        desk.settings, desk.prefix, lambda letters: list(letters.values()), "ann"
    )
    assert {one.state for one in marked} == {"requested"}
    found = await until(desk, ITEMS, whole)
    assert sorted(items(found)) == sorted(post.decode() for post in posts())
    done = await until(desk, DEADLETTERS, lambda all_: len(all_) == 3 * LEAST)
    newest = {one.origin: one.state for one in done if isinstance(one, DeadLetter)}
    assert set(newest.values()) == {"retried"}


async def test_it_goes_on_when_it_is_released_and_nothing_is_lost(desk: Desk) -> None:
    wire = Wire(posts(), unreadable)
    async with followed(desk, wire) as health:
        await assert_held(desk, health)
    async with followed(desk, wire) as health:  # another process takes over
        await assert_held(desk, health)
        wire.read = as_text
        released = await typed(desk, "release", "wire")
        assert released.output.startswith("wire is released; it was quarantined: 20 of its last 20 posts")
        await until(desk, ITEMS, lambda all_: len(items(all_)) == ALL - LEAST)
        assert "source wire" not in health.parts
        assert "is not in quarantine" in (await typed(desk, "release", "wire")).output
        await recover(desk)
    async with followed(desk, wire) as health:
        wire.posts.append(b"one more")
        found = await until(desk, ITEMS, lambda all_: len(items(all_)) > ALL)
        assert items(found)[-1] == "one more"


async def test_a_new_version_of_the_connector_is_a_release(desk: Desk) -> None:
    wire = Wire(posts(), unreadable)
    async with followed(desk, wire) as health:
        await assert_held(desk, health)
    wire.read = as_text
    async with followed(desk, wire, version=2):
        await until(desk, ITEMS, lambda all_: len(items(all_)) == ALL - LEAST)
        await recover(desk)


async def test_what_was_asked_for_while_no_ingest_ran_is_done_by_the_next_one_and_counts_its_tries(
    desk: Desk,
) -> None:
    wire = Wire(posts()[:3], unreadable)
    async with followed(desk, wire):
        await until(desk, DEADLETTERS, lambda all_: len(all_) == 3)
    assert (await typed(desk, "dlq", "retry", "--all", "--source", "wire")).output.startswith(
        "0 put back onto the stages' topics, 3 handed to ingest"
    )
    async with followed(desk, wire):
        again = (await until(desk, DEADLETTERS, lambda all_: len(all_) == 9))[6:]
        assert [(one.state, one.attempts, one.retry_of == one.origin) for one in again] == [
            ("open", 2, True)
        ] * 3
        wire.read = as_text
        assert "3 handed" in (await typed(desk, "dlq", "retry", "--all", "--stage", "ingest")).output
        assert len(items(await until(desk, ITEMS, lambda all_: len(items(all_)) == 3))) == 3
