"""Whether a daemon that starts may run, applies its file, or has to wait. Pure."""

from datetime import datetime, timedelta
from typing import Literal

from pipeline.control.difference import difference
from pipeline.control.orders import Orders, Shared

JUST_NOW = timedelta(seconds=10)
"""Who applied a config so shortly ago is there, even if the groups do not know it yet."""

Verdict = Literal["run", "apply", "wait"]


def settle(own: Shared, orders: Orders, *, others: bool, now: datetime, insist: bool = False) -> Verdict:
    """Decide what a daemon that starts does with its file.

    Args:
        own: what its file says.
        orders: what is on control.v1.
        others: whether the prefix's groups have members.
        now: the time.
        insist: the operator wants the file to be in force, whoever else is there.
    """
    if orders.config is None:
        return "apply"
    if not difference(orders.shared, own):
        return "run"
    accompanied = others or abs(now - orders.config.changed) < JUST_NOW
    return "wait" if accompanied and not insist else "apply"
