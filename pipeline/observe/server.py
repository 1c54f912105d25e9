"""Metrics and health over HTTP: /metrics, /healthz and /readyz, of one process or of all as one."""

import errno
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import Any, TypeAlias

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from pipeline.observe.children import Child, Children, Merged
from pipeline.observe.health import Health

CLOSE_SECONDS = 1.0
"""How long a request that is being answered may hold up the end."""

Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]


class CannotListen(Exception):
    """Metrics and health cannot be served there; the message says why and what to do."""


class PortInUse(CannotListen):
    """Another program listens there."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(
            f"Port {port} on {host} is in use, perhaps by another dateline. Stop that one, or choose another "
            "port: observe.port in the config; 0 takes any free one."
        )


@asynccontextmanager
async def serve(registry: CollectorRegistry, health: Health, *, host: str, port: int) -> AsyncIterator[int]:
    """Serve one process while the block runs; yields the port.

    Args:
        registry: its metrics.
        health: what its parts say.
        host: the address to listen on.
        port: 0 for any free one.

    Raises:
        CannotListen: the address cannot be had.
    """

    async def metrics(request: web.Request) -> web.Response:
        return exposition(registry, request)

    async def readyz(_: web.Request) -> web.Response:
        return readiness({"ready": health.ready, "parts": parts_of(health)})

    async with listening({"/metrics": metrics, "/readyz": readyz}, host, port) as chosen:
        yield chosen


@asynccontextmanager
async def serve_all(
    registry: CollectorRegistry, health: Health, children: Sequence[Child], *, host: str, port: int
) -> AsyncIterator[int]:
    """Serve a supervisor and its children as one while the block runs; yields the port.

    A child whose port is 0 is left out: nobody knows where it serves.

    Raises:
        CannotListen: the address cannot be had.
    """
    async with Children.reached([child for child in children if child.port], host) as reached:

        async def metrics(request: web.Request) -> web.Response:
            pages = {"supervisor": registry.collect(), **await reached.pages()}
            return exposition(Merged(pages), request)

        async def readyz(_: web.Request) -> web.Response:
            processes = await reached.readiness()
            ready = health.ready and all(each["ready"] for each in processes.values())
            return readiness({"ready": ready, "parts": parts_of(health), "processes": processes})

        async with listening({"/metrics": metrics, "/readyz": readyz}, host, port) as chosen:
            yield chosen


def exposition(collector: Collector, request: web.Request) -> web.Response:
    """Give metrics in the format that the asker prefers."""
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    return web.Response(body=encode(collector), headers={"Content-Type": content_type})


def readiness(answer: Mapping[str, Any]) -> web.Response:
    """Give what the parts say, as 200 or 503."""
    return web.json_response(answer, status=200 if answer["ready"] else 503)


def parts_of(health: Health) -> dict[str, Any]:
    """Give what the parts of this process say, as JSON."""
    return {name: asdict(part) for name, part in health.parts.items()}


async def healthz(_: web.Request) -> web.Response:
    """Answer: the event loop runs."""
    return web.Response(text="ok\n")


@asynccontextmanager
async def listening(handlers: Mapping[str, Handler], host: str, port: int) -> AsyncIterator[int]:
    """Listen while the block runs; yields the port.

    Raises:
        CannotListen: the address cannot be had.
    """
    app = web.Application()
    app.add_routes([web.get(path, handler) for path, handler in {"/healthz": healthz, **handlers}.items()])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=CLOSE_SECONDS)
    await runner.setup()
    try:
        await bind(runner, host, port)
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


async def bind(runner: web.AppRunner, host: str, port: int) -> None:
    """Take the address.

    Raises:
        CannotListen: it cannot be had.
    """
    try:
        await web.TCPSite(runner, host, port).start()
    except (OSError, OverflowError) as problem:
        if isinstance(problem, OSError) and problem.errno == errno.EADDRINUSE:
            raise PortInUse(host, port) from None
        reason = getattr(problem, "strerror", None) or problem
        cure = "Correct observe.host or observe.port in the config."
        raise CannotListen(f"Cannot listen on {host}, port {port}: {reason}. {cure}") from None
