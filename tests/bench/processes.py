"""Processes from outside: their memory and processor time; and work in a process of its own. Linux alone."""

import asyncio
import os
from collections.abc import Callable, Coroutine
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Generic, TypeVar

T = TypeVar("T")
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T]):
    """What work in a process of its own came to.

    Attributes:
        result: what it returned.
        cpu_seconds: its processor time, imports not counted.
        peak_mb: the most memory that its process ever had, in 10^6 bytes.
    """

    result: T
    cpu_seconds: float
    peak_mb: float


def peak_mb(pid: int | str) -> float:
    """Give the most resident memory that a process ever had, in 10^6 bytes."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise ValueError(f"process {pid} has no memory of its own")


def cpu_seconds(pid: int | str) -> float:
    """Give the processor time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


async def apart(work: Callable[..., Coroutine[Any, Any, T]], *args: object) -> Outcome[T]:
    """Run a coroutine function of some module in a fresh process, so that nothing else counts."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return await asyncio.get_running_loop().run_in_executor(pool, _measured, work, args)


def _measured(work: Callable[..., Coroutine[Any, Any, T]], args: tuple[object, ...]) -> Outcome[T]:
    before = cpu_seconds("self")
    result = asyncio.run(work(*args))
    return Outcome(result, cpu_seconds("self") - before, peak_mb("self"))
