"""Reading and writing control.v1. One transactional id serialises the writers: two cannot both win."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from pydantic import ValidationError

from pipeline.control.orders import Orders, heard
from pipeline.kafka import Fenced, KafkaRecord, KafkaSettings, OutcomeUnknown, Producer, Reader
from pipeline.waiting import delay_seconds
from schemas.base import Record
from schemas.cloudevents import Event, UnreadableEvent, decode, encode
from schemas.records import Control
from schemas.topics import CONTROL, written_by

TRIES: Final = 5


async def read_orders(settings: KafkaSettings, prefix: str) -> Orders:
    """Give what is on control.v1 now.

    Raises:
        KafkaProblem: it cannot be read.
    """
    orders = Orders()
    reader = await Reader.open(settings, CONTROL.full(prefix), [0])
    try:
        async for records in reader.read_to_end():
            for record in records:
                orders = taken_in(orders, record)
    finally:
        await reader.close()
    return orders


def taken_in(orders: Orders, record: KafkaRecord) -> Orders:
    """Give the orders behind a record; one that another version wrote and we cannot read says nothing."""
    try:
        data = decode(record.headers, record.value, CONTROL.types).data
    except (UnreadableEvent, ValidationError):
        return orders
    return heard(orders, (record.key or b"").decode(), data if isinstance(data, Control) else None)


async def change(
    settings: KafkaSettings, prefix: str, decide: Callable[[Orders], Sequence[Control]]
) -> Sequence[Control]:
    """Write what is decided on the orders as they are: shut out other writers, read, decide, commit.

    A writer that is shut out meanwhile begins anew, with what the other one wrote.

    Raises:
        KafkaProblem: it cannot be written.
        Exception: what `decide` raises; nothing is written.
    """
    for attempt in range(1, TRIES + 1):
        writes = written_by("operator", prefix)
        producer = await Producer.open(settings, f"{prefix}control", writes=writes)
        try:
            records = decide(await read_orders(settings, prefix))
            if records:
                await producer.begin()
                for record in records:
                    _send(producer, prefix, record)
                await producer.commit()
        except (Fenced, OutcomeUnknown):
            if attempt == TRIES:
                raise
            await asyncio.sleep(delay_seconds(attempt, cap=2))
        else:
            return records
        finally:
            await producer.close()
    raise AssertionError("the last attempt returns or raises")


def _send(producer: Producer, prefix: str, value: Control) -> None:
    name, source = f"control:{value.name}#{value.generation}", f"/{prefix}control"
    event: Event[Record] = Event(name, source, "dateline.control", value.changed, value.name, value)
    headers, data = encode(event)
    producer.send(CONTROL.full(prefix), key=value.name.encode(), value=data, headers=headers, partition=0)
