"""The records by which an operator's wish becomes an order. Pure; each change is one transaction."""

from datetime import datetime
from typing import NamedTuple

from pipeline.control.difference import difference
from pipeline.control.orders import CONFIG, SOURCE, Orders, Shared, sources_in
from schemas.records import Control


class Hand(NamedTuple):
    """Who changes something, and when."""

    by: str
    at: datetime


def applied(orders: Orders, shared: Shared, hand: Hand) -> list[Control]:
    """Give what puts a config in force: its next generation, and what becomes of single sources.

    A source that leaves or moves leaves behind what it was, so that whoever runs it next knows whom to shut
    out first. Nothing, if it is in force already.
    """
    if orders.config is not None and not difference(orders.shared, shared):
        return []
    records = [
        Control(
            name=CONFIG, generation=orders.generation + 1, config=dict(shared), by=hand.by, changed=hand.at
        )
    ]
    before, after = sources_in(orders.shared), sources_in(shared)
    for name, was in before.items():
        if name not in after:
            records.append(_said(orders, name, hand, config=dict(was), removed=hand.at))
        elif after[name].get("unit") != was.get("unit"):
            records.append(_said(orders, name, hand, config=dict(was), removed=None))
    for name in after:
        known = orders.sources.get(name)
        if known is not None and known.removed is not None:
            records.append(_said(orders, name, hand, removed=None))
    return records


def paused(orders: Orders, name: str, hand: Hand, *, rest: bool) -> list[Control]:
    """Give what makes a source rest or go on; nothing, if it does so already."""
    return [] if (name in orders.paused) == rest else [_said(orders, name, hand, paused=rest)]


def released(orders: Orders, name: str, hand: Hand, *, since: datetime) -> list[Control]:
    """Give what lets a source out of the quarantine that its checkpoint of that time tells of."""
    return [_said(orders, name, hand, released=since)]


def moved(shared: Shared, name: str, unit: str) -> Shared:
    """Give the config with a source in another unit."""
    sources = [{**row, "unit": unit} if row["name"] == name else row for row in shared["sources"]]
    return {**shared, "sources": sources}


def _said(orders: Orders, name: str, hand: Hand, **changes: object) -> Control:
    known = orders.sources.get(name) or Control(name=SOURCE + name, generation=0, changed=hand.at)
    return known.model_copy(
        update={"generation": known.generation + 1, "by": hand.by, "changed": hand.at, **changes}
    )
