"""What a comparison of topics finds, and what it leaves out by name."""

from random import Random

import pytest

from pipeline.failpoints import POINTS, parse
from schemas.topics import TOPICS
from tests.chaos.compare import EXPLAINED, ORDERED, TABLES, TRANSLATED, UNORDERED, Stands, compared
from tests.chaos.faults import MOVES, moves, of_processes


def stands(*names: str, number: int = 1) -> list[Stands]:
    return [Stands(name, "t", {"number": number}) for name in names]


@pytest.mark.parametrize(
    ("there", "counts"),
    [
        (stands("a", "c"), (1, 0, 0)),
        (stands("a", "b", "b", "c"), (0, 1, 0)),
        (stands("a", "b", "c", "d"), (0, 1, 0)),
        (stands("b", "a", "c"), (0, 0, 2)),
        ([*stands("a", "b"), *stands("c", number=2)], (0, 0, 1)),
        ([], (3, 0, 0)),
    ],
    ids=["lost", "doubled", "unexpected", "out of order", "another value", "nothing there"],
)
def test_each_way_to_be_wrong_is_counted(there: list[Stands], counts: tuple[int, int, int]) -> None:
    found = compared("items.v1", stands("a", "b", "c"), there)
    assert (found.lost, found.doubled, found.different) == counts
    assert found.first.startswith(
        f"record {2 if counts == (0, 0, 1) else found.first.split()[1].rstrip(':')}"
    )


def test_a_value_that_differs_is_shown_field_by_field() -> None:
    found = compared("items.v1", stands("a"), stands("a", number=2))
    assert found.first == "record 0: a (t): number should be 1, is 2"


def test_every_topic_but_control_is_compared_and_what_is_explained_exists() -> None:
    compared_topics = {topic.name for topic in (*ORDERED, *UNORDERED, *TABLES)}
    assert compared_topics == {topic.name for topic in TOPICS} - {"control.v1"}
    for topic, name in {**EXPLAINED, **TRANSLATED}:
        models = next(one for one in TOPICS if one.name == topic).types.values()
        assert any(name in model.model_fields for model in models)


def test_a_campaign_comes_by_every_failpoint_with_every_action() -> None:
    drawn = [fault for mine in of_processes(Random(1)).values() for fault in mine] + moves()
    armed = {(fault.point, fault.kind) for fault in drawn if fault.point is not None}
    for point in POINTS:
        assert {kind for name, kind in armed if name == point.name} >= {"kill -9", "freeze", "fail"}
    for fault in drawn:
        parse(fault.order or "")
    assert {fault.point for fault in moves()} == {f"ingest.{step}" for step in MOVES}


def test_the_same_seed_draws_the_same_faults() -> None:
    assert of_processes(Random(7)) == of_processes(Random(7))
    assert of_processes(Random(7)) != of_processes(Random(8))
