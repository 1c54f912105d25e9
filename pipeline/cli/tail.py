"""`dateline tail`: what stands on a topic, and what comes."""

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Annotated

import typer
from pydantic import ValidationError

from pipeline.cli.telling import at, printable, telling
from pipeline.cli.where import Bootstrap, ConfigFile, Prefix, kafka_of, prefix_of
from pipeline.kafka import KafkaRecord, KafkaSettings, Reader
from schemas.cloudevents import UnreadableEvent, decode
from schemas.topics import Topic, by_name

LAST = 10
BATCH = 500
WAIT_SECONDS = 1.0

Name = Annotated[str, typer.Argument(metavar="TOPIC", help="Its name, such as items, stories or flags.v1.")]
FromStart = Annotated[bool, typer.Option("--from-start", help="Begin with the oldest record.")]
Follow = Annotated[bool, typer.Option("--follow", "-f", help="Go on with what comes, until Ctrl-C.")]
AsJson = Annotated[bool, typer.Option("--json", help="Whole records, a line of JSON each.")]
Lines = Annotated[
    int | None, typer.Option("-n", min=0, help=f"So many records; by default {LAST}, from the start all.")
]


def tail(
    topic: Name,
    config: ConfigFile = None,
    bootstrap: Bootstrap = None,
    prefix: Prefix = None,
    *,
    from_start: FromStart = False,
    follow: Follow = False,
    as_json: AsJson = False,
    lines: Lines = None,
) -> None:
    """Show the records of a topic, a line each: time, type, key, and what tells most. Times are UTC."""
    full = prefix_of(config, prefix)
    found = topic_of(topic.removeprefix(full))
    settings = kafka_of(config, bootstrap)

    async def show() -> None:
        async for record in records(settings, found, full, from_start=from_start, follow=follow, lines=lines):
            typer.echo(as_line_of_json(record) if as_json else as_line(record, found))

    asyncio.run(show())


def topic_of(name: str) -> Topic:
    """Give the topic of a name.

    Raises:
        typer.BadParameter: there is none; the message lists them.
    """
    try:
        return by_name(name)
    except KeyError as problem:
        raise typer.BadParameter(str(problem.args[0]), param_hint="TOPIC") from None


async def records(
    settings: KafkaSettings, topic: Topic, prefix: str, *, from_start: bool, follow: bool, lines: int | None
) -> AsyncGenerator[KafkaRecord, None]:
    """Yield the records that are wanted."""
    reader = await Reader.open(settings, topic.full(prefix), range(topic.partitions))
    try:
        if from_start:
            left = lines
            async for batch in reader.read_to_end():
                for record in batch[:left]:
                    yield record
                left = None if left is None else left - len(batch[:left])
                if left == 0:
                    return
        else:
            for record in await newest(reader, topic.partitions, LAST if lines is None else lines):
                yield record
        while follow:
            for record in await reader.fetch(max_records=BATCH, wait_seconds=WAIT_SECONDS):
                yield record
    finally:
        await reader.close()


async def newest(reader: Reader, partitions: int, count: int) -> list[KafkaRecord]:
    """Give the last records of all partitions in the order of arrival; the reader stands behind them."""
    found: list[KafkaRecord] = []
    for partition in range(partitions):
        end = await reader.end_offset(partition)
        reader.seek(partition, end)
        last = await reader.last(partition, count=count) if count else []
        found += [record for record in last if record.offset < end]
    found.sort(key=lambda record: (record.timestamp_ms, record.partition, record.offset))
    return found[max(0, len(found) - count) :]


def as_line(record: KafkaRecord, topic: Topic) -> str:
    """Show a record to people; one that cannot be read says so."""
    place = f"{record.partition}/{record.offset}"
    try:
        event = decode(record.headers, record.value, topic.types)
    except (UnreadableEvent, ValidationError) as problem:
        return f"{place} unreadable: {printable(str(problem))}"
    kind = event.type.removeprefix("dateline.")
    return f"{at(event.time)}  {kind:<12}  {printable(event.subject)}  {printable(telling(event.data))}"


def as_line_of_json(record: KafkaRecord) -> str:
    """Show a record to programs; a value that is no JSON becomes a string."""
    text = None if record.value is None else record.value.decode(errors="replace")
    try:
        value = None if text is None else json.loads(text)
    except ValueError:
        value = text
    whole = {
        "partition": record.partition,
        "offset": record.offset,
        "key": None if record.key is None else record.key.decode(errors="replace"),
        "headers": {name: content.decode(errors="replace") for name, content in record.headers},
        "value": value,
    }
    return json.dumps(whole, ensure_ascii=False).encode(errors="replace").decode()
