"""Known faults put into real streams: what is found, and what is cried over nothing."""

import gzip
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.chronology.decide import Chronology
from pipeline.engine import Engine
from schemas.cloudevents import Event
from schemas.flag import Flag
from schemas.story import StoryChange

SHARED = Path(__file__).parents[4] / "shared"
CORPORA = ("telegram-ru-2024-12-03", "rss-2026-08-18")
SEED = 7
OF_ONE_RECORD = (
    "future_dated",
    "reply_before_parent",
    "forward_before_original",
    "edit_before_publish",
    "silent_edit",
)
Row = dict[str, Any]
Play = Callable[..., Iterator[StoryChange]]

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not SHARED.is_dir(), reason="the folder ../shared is not there"),
]


def rows_of(path: Path) -> list[Row]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def injected(corpus: str, folder: Path, *options: str) -> tuple[list[Row], list[Row]]:
    """A stream with faults, and the truth about it."""
    source, stream, gold = folder / "in", folder / "stream", folder / "gold"
    source.write_bytes(gzip.decompress((SHARED / "data" / f"{corpus}.jsonl.gz").read_bytes()))
    paths = ["--in", str(source), "--stream", str(stream), "--gold", str(gold)]
    tool = [sys.executable, str(SHARED / "tools" / "inject.py"), "--seed", str(SEED)]
    subprocess.run([*tool, *paths, *options], check=True, capture_output=True)
    return rows_of(stream), rows_of(gold)


def flagged(rows: list[Row], play: Play) -> list[tuple[str, str]]:
    """The flags that stand at the end: name, and event_id of the revision concerned."""
    engine = Engine(Chronology())
    events: dict[tuple[str, int], str] = {}
    for place, change in enumerate(play(rows, lambda row: json.dumps(row).encode())):
        assert change.carried is not None
        item = change.carried.item
        events[item.item_id, item.revision] = item.alt_ids["event_id"]
        event = Event(str(place), "/t", f"dateline.story.{change.change}", change.at, "", change)
        if engine.crosses(event):
            engine.turn(event)
        engine.step(event)
        engine.placed(engine.at, place)
    flags: list[Flag] = [flag for flag in engine.state.flags.values() if flag.state in ("open", "confirmed")]
    return [
        (flag.flag, events[flag.subjects[0].item_id, flag.subjects[0].revision])
        for flag in flags
        if flag.flag != "pair_conflict"
    ]


def scored(found: list[tuple[str, str]], gold: list[Row]) -> tuple[Counter[str], Counter[str], Counter[str]]:
    """Count what was there, what was found, and what was false, by flag; symptoms of other faults aside."""
    truth = {(line["flag"], event) for line in gold if line["flag"] for event in line["event_ids"]}
    symptoms = {(also, event) for line in gold for also in line["also_ok"] for event in line["event_ids"]}
    right = Counter(flag for flag, event in set(found) if (flag, event) in truth)
    false = Counter(flag for flag, event in set(found) if (flag, event) not in truth | symptoms)
    return Counter(line["flag"] for line in gold if line["flag"]), right, false


@pytest.mark.parametrize("corpus", CORPORA)
def test_faults_are_found_and_decoys_are_not(corpus: str, tmp_path: Path, play: Play) -> None:
    rows, gold = injected(corpus, tmp_path, "--rate", "0.02", "--decoy-rate", "0.02")
    there, right, false = scored(flagged(rows, play), gold)
    assert {flag: right[flag] for flag in OF_ONE_RECORD} == {flag: there[flag] for flag in OF_ONE_RECORD}
    assert not any(false[flag] for flag in OF_ONE_RECORD)
    assert false["lag_outlier"] <= 1
    least = 0.8 if corpus.startswith("telegram") else 0.2
    assert right["lag_outlier"] >= least * there["lag_outlier"]


@pytest.mark.parametrize("corpus", CORPORA)
def test_a_clean_stream_stays_silent(corpus: str, tmp_path: Path, play: Play) -> None:
    rows, gold = injected(corpus, tmp_path, "--rate", "0", "--decoy-rate", "0.05")
    _, _, false = scored(flagged(rows, play), gold)
    assert false == {}
