"""Before a daemon runs: is its file in force, may it apply it, or does it tell what differs, and wait?"""

import asyncio
import getpass
import socket
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic

from structlog.typing import FilteringBoundLogger

from pipeline.config import shared_of
from pipeline.control.changes import Hand, applied
from pipeline.control.difference import difference
from pipeline.control.orders import CONFIG, Orders, Shared
from pipeline.control.settling import settle
from pipeline.control.topic import change, read_orders
from pipeline.daemon.compose import ROLES
from pipeline.kafka import Admin, KafkaProblem, KafkaSettings
from pipeline.observe.health import Health
from pipeline.waiting import delay_seconds, first_of

GRACE_SECONDS = 12.0
"""So long a newcomer looks whether the others are there for good: a dead one stays in its groups for 6 s."""
LOOK_SECONDS = 1.0


async def settled(
    path: Path,
    settings: KafkaSettings,
    prefix: str,
    *,
    log: FilteringBoundLogger,
    health: Health,
    stop: asyncio.Event,
    insist: bool,
) -> None:
    """Return when the file's config is in force, or `stop` is set.

    Raises:
        ConfigProblem: the file changed meanwhile, and cannot be used.
    """
    own, began, failures, told = shared_of(path), monotonic(), 0, -1
    while not stop.is_set():
        try:
            orders = await read_orders(settings, prefix)
            others = told >= 0 or await company(settings, prefix)  # who came to others goes on waiting
            now = datetime.now(UTC)
            verdict = settle(own, orders, others=others, now=now, insist=insist)
            if verdict == "wait" and monotonic() - began > GRACE_SECONDS:
                note = waiting(path, own, orders)
                health.set("config", ready=False, note=note)
                if told != orders.generation:
                    log.error(note, differences=difference(orders.shared, own))
                told = orders.generation
            elif verdict == "apply" and await put_in_force(settings, prefix, own, basis=orders):
                log.info(
                    "config applied", generation=orders.generation + 1, changes=difference(orders.shared, own)
                )
            elif verdict == "run":
                health.set("config", ready=True, note=f"generation {orders.generation}")
                return
            failures, delay = 0, 0.0 if verdict == "apply" else LOOK_SECONDS
        except KafkaProblem as problem:
            failures += 1
            delay = delay_seconds(failures, cap=30)
            health.set("config", ready=False, note=str(problem))
            log.warning("the config in force cannot be read", reason=str(problem))
        if told < 0:
            health.set("config", ready=False, note="looks who else is there")
        await first_of(stop.wait(), asyncio.sleep(delay))


async def company(settings: KafkaSettings, prefix: str) -> bool:
    """Say whether anybody is in the prefix's groups.

    Raises:
        KafkaProblem: Kafka does not tell.
    """
    async with Admin(settings) as admin:
        for role in ROLES:
            if await admin.members(f"{prefix}{role}"):
                return True
    return False


async def put_in_force(
    settings: KafkaSettings, prefix: str, shared: Shared, *, basis: Orders | None = None
) -> int | None:
    """Apply a config; give its generation, or none if that changed nothing.

    Args:
        settings: where Kafka is.
        prefix: of the topics.
        shared: the config's part that holds for all.
        basis: the orders on which that was decided; if they are others by now nothing is done.

    Raises:
        KafkaProblem: it could not be written.
    """
    mine = hand()
    records = await change(
        settings,
        prefix,
        lambda orders: (
            []
            if basis is not None and orders.generation != basis.generation
            else applied(orders, shared, mine)
        ),
    )
    return next((record.generation for record in records if record.name == CONFIG), None)


def hand() -> Hand:
    """Say who changes something now: user@host."""
    return Hand(f"{getpass.getuser()}@{socket.gethostname()}", datetime.now(UTC))


def waiting(path: Path, own: Shared, orders: Orders) -> str:
    """Say why a daemon waits, and what to do."""
    return (
        f"waits: others run with another config (generation {orders.generation}), "
        f"{len(difference(orders.shared, own))} settings differ. Correct {path}, or put it in force for all: "
        f"dateline apply -c {path}"
    )
