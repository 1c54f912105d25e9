"""`dateline backtest`: the stages' decisions over a recording, with no Kafka."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from time import monotonic
from typing import Annotated, Any

import typer

from connectors.recording import Recording, RecordingConfig
from pipeline.backtest import Chain, Placed, jsonl, play
from pipeline.cli.problems import Mistake
from pipeline.cluster.given import GivenStories
from pipeline.core import Core
from pipeline.daemon.compose import core_of
from pipeline.ingest.follow import Source
from schemas.flag import Flag
from schemas.item import Deduplicated, Item
from schemas.story import Story, StoryChange
from schemas.topics import DEADLETTERS, DEDUPLICATED, FLAGS, ITEMS, STORIES, STORY_CHANGES, Topic

FILES: Mapping[str, Topic] = {
    "deduplicated.jsonl": DEDUPLICATED,
    "story-changes.jsonl": STORY_CHANGES,
    "stories.jsonl": STORIES,
    "flags.jsonl": FLAGS,
}
STANDING = ("open", "confirmed")


def backtest(
    file: Annotated[Path, typer.Argument(help="A recording: JSON Lines, plain or .gz.")],
    out: Annotated[Path, typer.Option(help="The folder to write to.")],
    assignments: Annotated[
        Path | None,
        typer.Option(help='Stories as given: {"id", "cluster"} a line; only chronology is judged.'),
    ] = None,
) -> None:
    """Run the decisions over a recording, with no Kafka, and write what the topics would hold."""
    started = monotonic()
    source = Source(config := RecordingConfig(name="recording", path=file), recording := Recording(config))
    cluster = core_of("cluster") if assignments is None else GivenStories(dict(given(assignments)))
    cores: list[Core[Any]] = [core_of("deduplicate"), cluster, core_of("chronology")]
    chain = Chain(cores, source)
    out.mkdir(parents=True, exist_ok=True)
    asyncio.run(play(chain, recording.observe(None)))
    for name, topic in FILES.items():
        (out / name).write_bytes(b"".join(jsonl(chain.topics.values(topic))))
    items = chain.topics.values(ITEMS)
    write_lines(
        out / "assignments.jsonl", assigned(chain.topics.values(STORY_CHANGES), chain.topics.values(STORIES))
    )
    write_lines(out / "raised-flags.jsonl", raised(chain.topics.values(FLAGS), names_of(items)))
    stories, flags, dead = (len(chain.topics.values(topic)) for topic in (STORIES, FLAGS, DEADLETTERS))
    typer.echo(
        f"{len(items)} item revisions, {stories} stories, {flags} flags, "
        f"{dead} dead letters in {monotonic() - started:.1f} s: {out}"
    )


def given(path: Path) -> Iterator[tuple[str, str]]:
    """Read assignments: the recording's own id (`id` or `event_id`) and its cluster.

    Raises:
        Mistake: a line is something else.
    """
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        try:
            row = json.loads(line)
            yield str(row["id"]), str(row["cluster"])
        except (ValueError, KeyError, TypeError):
            form = '{"id": "35401", "cluster": "c7"}'
            raise Mistake(f"{path}:{number}: is no assignment. Write a line for each post: {form}") from None


def names_of(items: list[Placed]) -> dict[tuple[str, int], str]:
    """Give the recording's own id of each item revision: `event_id` where it has one."""
    names = {}
    for placed in items:
        if isinstance(item := placed.value, Item):
            names[item.item_id, item.revision] = item.alt_ids.get("event_id", item.native_id)
    return names


def assigned(changes: list[Placed], stories: list[Placed]) -> Iterator[dict[str, str]]:
    """Give each item's story as decided at arrival, and the one it belongs to after all merges."""
    merged = {
        story.story_id: story.merged_into
        for placed in stories
        if isinstance(story := placed.value, Story) and story.merged_into
    }
    told = set()
    for placed in changes:
        change = placed.value
        if not isinstance(change, StoryChange) or not isinstance(carried := change.carried, Deduplicated):
            continue
        if carried.item.item_id in told:
            continue
        told.add(carried.item.item_id)
        at_arrival = final = change.story_id or f"none:{carried.item.item_id}"
        while final in merged:
            final = merged[final]
        yield {"id": carried.item.native_id, "cluster": at_arrival, "final": final}


def raised(flags: list[Placed], names: Mapping[tuple[str, int], str]) -> Iterator[dict[str, str]]:
    """Give the flags that still stand, by the recording's own ids."""
    for placed in flags:
        if not isinstance(flag := placed.value, Flag) or flag.state not in STANDING:
            continue
        at = flag.raised.isoformat().replace("+00:00", "Z")
        if flag.scope == "source" and flag.source:
            yield {"flag": flag.flag, "source": flag.source, "raised_at": at}
            continue
        subjects = flag.subjects if flag.scope == "pair" else flag.subjects[:1]
        for subject in subjects:
            name = names[subject.item_id, subject.revision]
            yield {"flag": flag.flag, "event_id": name, "raised_at": at}


def write_lines(path: Path, rows: Iterator[dict[str, str]]) -> None:
    """Write rows as JSON Lines."""
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
