"""What an operator and Prometheus get over HTTP, of one process and of all."""

import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from aiohttp import ClientSession, web
from prometheus_client import CollectorRegistry, Counter, Gauge, PlatformCollector, ProcessCollector
from prometheus_client.parser import text_string_to_metric_families as plain_families

from pipeline.observe.children import Children, parsed
from pipeline.observe.health import Health
from pipeline.observe.metrics import IngestMetrics, StageMetrics, SupervisorMetrics
from pipeline.observe.server import CannotListen, PortInUse, listening, serve, serve_all

HOST = "127.0.0.1"
OPEN = {"Accept": "application/openmetrics-text; version=1.0.0"}


@dataclass(frozen=True)
class Process:
    role: str
    port: int


@pytest.fixture
async def session() -> AsyncIterator[ClientSession]:
    async with ClientSession() as session:
        yield session


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


async def get(session: ClientSession, port: int, path: str, **headers: str) -> tuple[int, str, str]:
    async with session.get(f"http://{HOST}:{port}/{path}", headers=headers) as response:
        return response.status, response.headers["Content-Type"], await response.text()


async def ready(session: ClientSession, port: int) -> tuple[int, Any]:
    async with session.get(f"http://{HOST}:{port}/readyz") as response:
        return response.status, await response.json()


async def test_metrics_come_in_the_format_that_is_asked_for(session: ClientSession) -> None:
    registry = CollectorRegistry()
    IngestMetrics(registry).observations.labels("a").inc(3)
    async with serve(registry, Health(), host=HOST, port=0) as port:
        status, kind, page = await get(session, port, "metrics")
        assert (status, kind) == (200, "text/plain; version=0.0.4; charset=utf-8")
        assert 'dateline_observations_total{source="a"} 3.0' in page
        _, kind, page = await get(session, port, "metrics", **OPEN)
        assert kind.startswith("application/openmetrics-text; version=1.0.0")
        assert page.endswith("# EOF\n")


async def test_it_lives_before_it_is_ready_and_says_what_it_waits_for(session: ClientSession) -> None:
    health = Health("ingest", "kafka")
    async with serve(CollectorRegistry(), health, host=HOST, port=0) as port:
        assert (await get(session, port, "healthz"))[0] == 200
        health.set("kafka", ready=True, note="answers")
        starting = {"ready": False, "note": "starting"}
        parts = {"ingest": starting, "kafka": {"ready": True, "note": "answers"}}
        assert await ready(session, port) == (503, {"ready": False, "parts": parts})
        health.set("ingest", ready=True, note="runs")
        assert (await ready(session, port))[0] == 200


async def test_a_taken_port_is_told_with_a_cure() -> None:
    async with serve(CollectorRegistry(), Health(), host=HOST, port=0) as port:
        with pytest.raises(PortInUse, match=rf"Port {port} on {HOST} is in use.*observe\.port"):
            async with serve(CollectorRegistry(), Health(), host=HOST, port=port):
                pytest.fail("two on one port")


@pytest.mark.parametrize(("host", "port"), [("192.0.2.1", 0), (HOST, 70_000)])
async def test_an_address_that_cannot_be_had_is_told(host: str, port: int) -> None:
    with pytest.raises(CannotListen, match=r"Cannot listen on .* Correct observe"):
        async with serve(CollectorRegistry(), Health(), host=host, port=port):
            pytest.fail("listens there")


async def test_an_error_in_the_block_is_not_mistaken_for_one_of_the_port() -> None:
    with pytest.raises(ConnectionRefusedError):
        async with serve(CollectorRegistry(), Health(), host=HOST, port=0):
            raise ConnectionRefusedError


def stage_registry(stage: str, records: int) -> CollectorRegistry:
    registry = CollectorRegistry()
    metrics = StageMetrics(registry)
    metrics.records.labels(stage).inc(records)
    metrics.commit.labels(stage).observe(0.02)
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    Gauge("dateline_loop_lag_seconds", "The same name and labels in each.", registry=registry).set(records)
    return registry


async def test_a_supervisor_serves_the_metrics_of_all_as_one_page(session: ClientSession) -> None:
    own = CollectorRegistry()
    SupervisorMetrics(own).up.labels("cluster").set(1)
    ProcessCollector(registry=own)
    async with (
        serve(stage_registry("deduplicate", 2), Health(), host=HOST, port=0) as first,
        serve(stage_registry("cluster", 3), Health(), host=HOST, port=0) as second,
        serve_all(
            own, Health(), [Process("deduplicate", first), Process("cluster", second)], host=HOST, port=0
        ) as port,
    ):
        _, _, page = await get(session, port, "metrics", **OPEN)
        _, _, plain = await get(session, port, "metrics")
    families = {family.name: family for family in parsed(page)}  # refuses duplicates
    types = [line for line in plain.splitlines() if line.startswith(("# TYPE", "# HELP"))]
    assert len(types) == len(set(types))
    assert {family.name for family in plain_families(plain)} >= set(families)

    def labels(name: str) -> list[dict[str, str]]:
        return [sample.labels for sample in families[name].samples if not sample.name.endswith("_created")]

    assert labels("dateline_stage_records") == [{"stage": "deduplicate"}, {"stage": "cluster"}]
    assert labels("dateline_process_up") == [{"role": "cluster"}]
    roles = [{"process": role} for role in ("supervisor", "deduplicate", "cluster")]
    assert labels("process_cpu_seconds") == roles
    assert labels("dateline_loop_lag_seconds") == roles[1:]
    buckets = [s for s in families["dateline_stage_commit_seconds"].samples if s.labels.get("le") == "+Inf"]
    assert [bucket.value for bucket in buckets] == [1, 1]


async def test_what_every_process_has_names_the_process_also_while_it_is_alone(
    session: ClientSession,
) -> None:
    own = CollectorRegistry()
    ProcessCollector(registry=own)
    Counter("dateline_process_restarts_total", "No process_ family.", ["role"], registry=own).labels("x")
    async with serve_all(own, Health(), [], host=HOST, port=0) as port:
        _, _, page = await get(session, port, "metrics")
    assert 'process_open_fds{process="supervisor"}' in page
    assert 'dateline_process_restarts_total{role="x"} 0.0' in page


async def test_all_are_ready_only_if_each_is(session: ClientSession) -> None:
    child, own = Health("cluster"), Health()
    async with (
        serve(CollectorRegistry(), child, host=HOST, port=0) as first,
        serve_all(CollectorRegistry(), own, [Process("cluster", first)], host=HOST, port=0) as port,
    ):
        status, answer = await ready(session, port)
        assert (status, answer["ready"]) == (503, False)
        assert answer["processes"]["cluster"]["parts"]["cluster"]["note"] == "starting"
        child.set("cluster", ready=True, note="runs")
        assert (await ready(session, port))[0] == 200
        own.set("supervisor", ready=False, note="drains")
        assert (await ready(session, port))[0] == 503


async def nonsense(_: web.Request) -> web.Response:
    return web.Response(text="# TYPE\n{")


async def test_a_child_that_is_silent_or_a_stranger_is_left_out_and_is_not_ready(
    session: ClientSession,
) -> None:
    dead = free_port()
    async with listening({"/metrics": nonsense, "/readyz": nonsense}, HOST, 0) as stranger:
        children = [Process("cluster", dead), Process("ingest", stranger), Process("unknown", 0)]
        async with serve_all(stage_registry("x", 1), Health(), children, host=HOST, port=0) as port:
            status, _, page = await get(session, port, "metrics")
            assert (status, 'dateline_stage_records_total{stage="x"} 1.0' in page) == (200, True)
            status, answer = await ready(session, port)
    assert status == 503
    assert list(answer["processes"]) == ["cluster", "ingest"]
    note = answer["processes"]["cluster"]["parts"]["cluster"]["note"]
    assert note == f"does not answer on port {dead}"


async def test_a_supervisor_reaches_its_children_where_they_listen(session: ClientSession) -> None:
    health, everywhere = Health("x"), "0.0.0.0"
    async with serve(CollectorRegistry(), health, host=everywhere, port=0) as port:
        reached = Children(session, [Process("x", port)], everywhere)
        assert (await reached.readiness())["x"]["parts"]["x"]["note"] == "starting"
    assert Children(session, [], "::1")._url(Process("x", 1), "readyz") == "http://[::1]:1/readyz"
