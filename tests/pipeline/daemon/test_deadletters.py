"""What became of a dead letter, which ones can come back, and what stands on the topic then."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pipeline.burial import BODY_LIMIT_BYTES
from pipeline.daemon.deadletters import Filter, refusal, returning, taken_in
from pipeline.daemon.replay import STAGE_INPUTS
from pipeline.retries import Retries, attempts_of
from schemas.records import DeadLetter

NOON = datetime(2026, 7, 4, 12, tzinfo=UTC)


def letter(**changes: Any) -> DeadLetter:
    fields = {"origin": "t.items.v1/0/7@d1", "stage": "deduplicate", "cause": "c", "body": "{}", "length": 2}
    headers = {"ce_id": "w/1#1", "ce_subject": "w/1", "content-type": "application/json"}
    return DeadLetter(**{**fields, "headers": headers, "source": "s", "recorded": NOON, **changes})


@pytest.mark.parametrize(
    ("then", "state"),
    [
        ([], "open"),
        ([{"state": "retried"}], "retried"),
        ([{"state": "dropped"}], "dropped"),
        ([{"state": "dropped"}, {}], "dropped"),
        ([{"state": "dropped"}, {"state": "requested"}], "requested"),
        ([{"state": "requested"}, {"attempts": 2, "retry_of": "t.items.v1/0/7@d1"}], "open"),
        ([{"state": "retried"}, {}], "open"),
    ],
)
def test_the_newest_record_of_an_origin_holds_and_what_was_dropped_is_not_brought_back_by_being_seen(
    then: list[dict[str, Any]], state: str
) -> None:
    letters: dict[str, DeadLetter] = {}
    for changes in [{}, *then]:
        taken_in(letters, letter(**changes))
    assert [one.state for one in letters.values()] == [state]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, None),
        ({"state": "dropped"}, None),
        ({"stage": "ingest"}, None),
        ({"state": "retried", "marked": NOON}, "was retried"),
        ({"state": "requested"}, "ingest was asked"),
        ({"truncated": True, "length": BODY_LIMIT_BYTES * 2}, "only the first part"),
        ({"stage": "ingest", "item_id": "w/1"}, "was written"),
        ({"item_id": "w/1"}, None),
        ({"stage": "translate"}, "no stage"),
    ],
)
def test_what_cannot_come_back_says_why(changes: dict[str, Any], words: str | None) -> None:
    why = refusal(letter(**changes))
    assert (why is None) if words is None else (why is not None and words in why)


def test_a_filter_knows_the_source_of_posts_of_old() -> None:
    post = letter(stage="ingest", origin="my wire/http://x/1@d1", place="http://x/1", source=None)
    assert Filter(source="my wire")(post)
    assert not Filter(source="my")(post)
    assert Filter(stage="ingest", since=NOON)(post)
    assert not Filter(since=NOON + timedelta(seconds=1))(post)
    assert not Filter(stage="cluster")(post)


@pytest.mark.parametrize("stage", STAGE_INPUTS)
def test_what_comes_back_names_the_first_letter_and_counts(stage: str) -> None:
    topic = STAGE_INPUTS[stage]
    first = letter(stage=stage, origin=f"t.{topic.name}/0/7@d1")
    headers, value = returning(first)
    told = {name.removeprefix("ce_"): text.decode() for name, text in headers}
    assert value == b"{}"
    assert told["id"] == "w/1#1"
    assert Retries(topic).origin(told) == first.origin
    assert attempts_of(told) == 2
    all_headers = {name: text.decode() for name, text in headers}
    second = letter(
        stage=stage, origin=f"t.{topic.name}/0/9@d1", retry_of=first.origin, attempts=2, headers=all_headers
    )
    again, _ = returning(second)
    told = {name.removeprefix("ce_"): text.decode() for name, text in again}
    assert len(told) == len(again) == len(headers)
    assert Retries(topic).origin(told) == first.origin
    assert attempts_of(told) == 3
