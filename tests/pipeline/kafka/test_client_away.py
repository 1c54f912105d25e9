"""Kafka that is not there, or does not say a word: named errors in time, and nothing left behind."""

import asyncio
import gc
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from aiokafka.conn import create_conn
from pydantic import SecretStr, ValidationError

from pipeline.kafka import Admin, KafkaSettings, Membership, Producer, Reader, Refused, Unreachable, wire

DEADLINE = 0.4
MakeTopic = Callable[..., Awaitable[str]]
pytestmark = pytest.mark.usefixtures("no_noise")


async def pinged(settings: KafkaSettings) -> None:
    async with Admin(settings) as admin:
        await admin.ping()


async def created(settings: KafkaSettings) -> None:
    async with Admin(settings) as admin:
        await admin.create([], "p.")


async def verified(settings: KafkaSettings) -> None:
    async with Admin(settings) as admin:
        await admin.verify([], "p.")


async def group_asked(settings: KafkaSettings) -> None:
    async with Admin(settings) as admin:
        await admin.group_offsets("g")


OPENINGS: list[Callable[[KafkaSettings], Awaitable[Any]]] = [
    lambda settings: Producer.open(settings, "id"),
    lambda settings: Reader.open(settings, "t"),
    lambda settings: Reader.open(settings, "t", [0]),
    lambda settings: Membership.open(settings, "g", "t"),
    pinged,
    created,
    verified,
    group_asked,
]


async def fails_in_time(opening: Callable[[KafkaSettings], Awaitable[Any]], address: str) -> None:
    began = time.monotonic()
    with pytest.raises(Unreachable, match=rf"Kafka at {re.escape(address)} did not .* Is it running"):
        await opening(KafkaSettings(bootstrap_servers=address, deadline_seconds=DEADLINE))
    assert time.monotonic() - began < DEADLINE + 1


@pytest.mark.parametrize("opening", OPENINGS)
async def test_nobody_listens(opening: Callable[[KafkaSettings], Awaitable[Any]], nobody: str) -> None:
    await fails_in_time(opening, nobody)


@pytest.mark.parametrize("opening", OPENINGS)
async def test_somebody_listens_and_says_nothing(
    opening: Callable[[KafkaSettings], Awaitable[Any]], frozen: str
) -> None:
    await fails_in_time(opening, frozen)


@pytest.mark.parametrize("opening", OPENINGS)
async def test_an_opening_can_be_cancelled(
    opening: Callable[[KafkaSettings], Awaitable[Any]], frozen: str
) -> None:
    task = asyncio.ensure_future(opening(KafkaSettings(bootstrap_servers=frozen)))
    async with asyncio.timeout(0.5):
        await asyncio.wait([task], timeout=0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


def send_to(address: str, *parts: Any) -> None:
    """Let everything that these talk to be at another address from now on."""
    host, port = address.split(":")
    for part in parts:
        part._wire._brokers = dict.fromkeys(part._wire._brokers, (host, int(port)))
        for connection in part._wire._connections.values():
            connection._writer.transport.pause_reading()


@pytest.mark.kafka
async def test_kafka_freezes_in_the_middle(
    settings: KafkaSettings, topic_prefix: str, make_topic: MakeTopic, frozen: str
) -> None:
    topic = await make_topic()
    hasty = settings.model_copy(update={"deadline_seconds": DEADLINE})
    producer, reader = await Producer.open(hasty, topic_prefix), await Reader.open(hasty, topic)
    send_to(frozen, producer, reader)
    await producer.begin()
    future = producer.send(topic, key=b"k", value=b"v" * 900_000, headers=[])
    with pytest.raises(Unreachable):
        await producer.commit()
    assert isinstance(future.exception(), Unreachable)
    with pytest.raises(Unreachable):
        await reader.fetch(max_records=1, wait_seconds=0.1)
    with pytest.raises(Unreachable):
        await reader.lag()
    with pytest.raises(Unreachable):
        [records async for records in reader.read_to_end()]
    async with asyncio.timeout(3):
        await producer.abort()
        await producer.close()
        await reader.close()


@pytest.fixture
async def relay(kafka: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Callable[[], None]]:
    """Puts itself between every client and the broker; when called, it reads no more of what clients send."""
    ours: list[asyncio.WriteTransport] = []
    stalled = False

    async def pass_on(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while data := await source.read(65_536):
            sink.write(data)
        sink.close()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ours.append(writer.transport)
        answers, broker = await asyncio.open_connection(*kafka.split(":"))
        if stalled:
            writer.transport.pause_reading()  # type: ignore[attr-defined]
        await asyncio.gather(pass_on(reader, broker), pass_on(answers, writer), return_exceptions=True)
        broker.close()

    def stall() -> None:
        nonlocal stalled
        stalled = True
        for transport in ours:
            transport.pause_reading()  # type: ignore[attr-defined]

    async with await asyncio.start_server(accept, "127.0.0.1", 0) as server:
        address = server.sockets[0].getsockname()
        monkeypatch.setattr(wire, "create_conn", lambda _host, _port, **how: create_conn(*address, **how))
        yield stall
        for transport in ours:
            transport.abort()


@pytest.mark.kafka
async def test_a_broker_that_stops_reading_cannot_hold_us(
    settings: KafkaSettings, topic_prefix: str, make_topic: MakeTopic, relay: Callable[[], None]
) -> None:
    topic = await make_topic(max_bytes=4_194_304, partitions=6)
    producer = await Producer.open(settings.model_copy(update={"deadline_seconds": 1}), topic_prefix)
    await producer.begin()
    for partition in range(6):
        producer.send(topic, key=b"k", value=b"small", headers=[], partition=partition)
    await producer.flush()
    for partition in range(6):  # together more than the system takes off our hands
        producer.send(topic, key=b"k", value=bytes(4_000_000), headers=[], partition=partition)
    used = list(producer._wire._connections.values())
    relay()
    with pytest.raises(Unreachable):
        await producer.commit()
    async with asyncio.timeout(3):
        await producer.close()
    assert all(connection._closed_fut.done() for connection in used)


@pytest.mark.kafka
async def test_a_whole_life_leaves_nothing_behind(
    settings: KafkaSettings, topic_prefix: str, make_topic: MakeTopic, frozen: str
) -> None:
    loop = asyncio.get_running_loop()
    loop.set_debug(True)
    complaints: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _loop, context: complaints.append(context))
    topic = await make_topic()
    hasty = settings.model_copy(update={"deadline_seconds": DEADLINE})
    before = asyncio.all_tasks()
    for ending in ("commit", "abort", "fenced", "frozen", "cancelled"):
        producer = await Producer.open(hasty, topic_prefix)
        reader = await Reader.open(settings, topic)
        member = await Membership.open(settings, topic_prefix, topic)
        waiting = [
            asyncio.create_task(reader.fetch(max_records=1, wait_seconds=9)),
            asyncio.create_task(member.changed()),
        ]
        await producer.begin()
        producer.send(topic, key=b"k", value=b"v", headers=[])
        if ending == "fenced":
            await (await Producer.open(settings, topic_prefix)).close()
        elif ending == "frozen":
            send_to(frozen, producer, reader, member)
        if ending == "cancelled":
            committing = asyncio.create_task(producer.commit())
            await asyncio.wait([committing], timeout=0.001)
            committing.cancel()
            await asyncio.wait([committing])
        elif ending == "abort":
            await producer.abort()
        else:
            await asyncio.wait([asyncio.create_task(swallow(producer.commit()))])
        for task in waiting:
            task.cancel()
        await asyncio.wait(waiting)
        async with asyncio.timeout(5):
            await asyncio.gather(producer.close(), reader.close(), member.close())
        del producer, reader, member, waiting
    gc.collect()
    await asyncio.wait(asyncio.all_tasks() - before or [asyncio.create_task(asyncio.sleep(0))], timeout=1)
    assert asyncio.all_tasks() <= before
    assert complaints == []


async def swallow(call: Awaitable[None]) -> None:
    try:
        await call
    except Exception:  # noqa: BLE001 # only what is left behind matters here
        return


async def test_settings_say_what_is_missing(tmp_path: Any) -> None:
    with pytest.raises(ValidationError, match="needs sasl_username and sasl_password"):
        KafkaSettings(security_protocol="SASL_PLAINTEXT", sasl_username="u")
    with pytest.raises(ValidationError, match="not both"):
        KafkaSettings(sasl_password=SecretStr("x"), sasl_password_file=tmp_path)
    with pytest.raises(ValidationError, match="nothing could be written"):
        KafkaSettings(min_insync_replicas=2)
    secret = tmp_path / "secret"
    secret.write_text("pass word\n")
    login = {"security_protocol": "SASL_PLAINTEXT", "sasl_username": "u"}
    assert KafkaSettings(sasl_password_file=secret, **login).password() == "pass word"
    hidden = KafkaSettings(sasl_password=SecretStr("hush"), **login)
    assert hidden.password() == "hush"
    assert "hush" not in repr(hidden)
    with pytest.raises(Refused, match=r"kafka\.ssl_cafile: .*none\.pem cannot be used: No such file"):
        Admin(KafkaSettings(security_protocol="SSL", ssl_cafile=tmp_path / "none.pem"))


@pytest.mark.kafka
async def test_one_address_that_answers_is_enough(settings: KafkaSettings, nobody: str) -> None:
    both = settings.model_copy(update={"bootstrap_servers": f"{nobody},{settings.bootstrap_servers}"})
    for _ in range(4):  # they are asked in any order
        await pinged(both)
