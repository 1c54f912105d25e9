"""Every message has its few words."""

from datetime import UTC, datetime
from typing import Any

import pytest

from pipeline.cli.telling import SHOWN, beginning, telling
from schemas.base import Record
from schemas.flag import Flag
from schemas.item import Deduplicated, Item, Originals, Raw, Ruling, Verdict, VerdictChanged
from schemas.records import Baseline, Checkpoint, Control, DeadLetter, Learned, Seen
from schemas.stamp import Stamp
from schemas.story import Story, StoryChange, Tally
from schemas.topics import TOPICS

NOON = datetime(2026, 7, 4, 12, tzinfo=UTC)
TALLY = Tally(items=3, originals=2, sources=2, owners=2, revisions=4)
ORIGINAL = Verdict(number=1, role="original", group="a", rule="exact/1")
COPY = Verdict(number=2, role="copy", kind="near", group="a", original="x:1", score=0.875, rule="near/1")


def made(model: type[Record], **fields: Any) -> Any:
    """Make a message of the fields that matter here."""
    return model.model_construct(**fields)


ITEM = made(Item, source="bbc", revision=2, published=Stamp.parse("2026-07-04T10:00Z"), text="Long\n text")

WORDS: list[tuple[Any, str]] = [
    (None, "gone"),
    (ITEM, "bbc r2, stamped '2026-07-04T10:00Z': Long text"),
    (
        made(Item, source="bbc", revision=3, status="withdrawn", published=None, headline="Gone"),
        "bbc r3 withdrawn, no stamp: Gone",
    ),
    (made(Deduplicated, item=ITEM, verdict=ORIGINAL), "bbc r2, original: Long text"),
    (made(Deduplicated, item=ITEM, verdict=COPY), "bbc r2, near copy 0.88 of x:1: Long text"),
    (
        made(VerdictChanged, previous=ORIGINAL, verdict=COPY),
        "was original, is near copy 0.88 of x:1",
    ),
    (
        made(
            StoryChange, story_id="s1", score=0.5, reason="same place", carried=made(Deduplicated, item=ITEM)
        ),
        "s1 0.50, same place: Long text",
    ),
    (
        made(StoryChange, story_id=None, score=None, reason="too short", carried=None, item_id="i"),
        "no story, too short: i",
    ),
    (
        made(Story, state="open", number=4, tally=TALLY, headline="Fire"),
        "open #4, 3 items, 2 owners: Fire",
    ),
    (
        made(Flag, severity="high", flag="pair_conflict", state="open", summary="5 h apart"),
        "high pair_conflict open: 5 h apart",
    ),
    (
        made(Raw, place="day.jsonl:1", content_type="text/html", body="abc"),
        "day.jsonl:1 text/html, 3 characters",
    ),
    (made(Ruling, by="me", subject="s1", verdict="disputed", other=None, note="no"), "me: s1 disputed no"),
    (made(Originals, page=3, item_ids=("a", "b")), "page 3, 2 originals"),
    (made(DeadLetter, stage="cluster", length=9, cause="ValueError: x"), "cluster, 9 bytes: ValueError: x"),
    (
        made(Checkpoint, unit="main", looked=NOON, done=True, cursor={"line": 3}),
        "unit main, looked 2026-07-04 12:00:00, done: {'line': 3}",
    ),
    (
        made(Seen, source="bbc", revision=1, status="usable", listed=NOON),
        "bbc r1 usable, listed 2026-07-04 12:00:00",
    ),
    (
        made(Learned, boundary=NOON, fold_from=7, values={"a": 1}),
        "until 2026-07-04 12:00:00, fold from 7, 1 values",
    ),
    (made(Baseline, boundary=NOON, count=9, zone="UTC"), "until 2026-07-04 12:00:00, 9 items, zone UTC"),
    (made(Control, generation=2, paused=True, removed=None, by="me"), "generation 2, paused, by me"),
]


@pytest.mark.parametrize(("value", "words"), WORDS, ids=[type(value).__name__ for value, _ in WORDS])
def test_a_message_in_a_few_words(value: Any, words: str) -> None:
    assert telling(value) == words


def test_no_message_on_any_topic_is_without_words() -> None:
    plain = telling.dispatch(object)
    mute = {model for topic in TOPICS for model in topic.types.values() if telling.dispatch(model) is plain}
    assert mute == set()


def test_a_long_text_is_cut() -> None:
    assert beginning("a" * SHOWN) == "a" * SHOWN
    assert beginning("a " * SHOWN) == "a " * (SHOWN // 2) + "…"
