"""A local cluster on paper."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.kafka.local import layout
from pipeline.kafka.local.layout import Node, Plan

HOME = Path("/home/ada")
ONE = layout.lay_out("id", [20000, 20001])
THREE = layout.lay_out("id", range(20000, 20006))


def test_nodes_are_numbered_from_one_and_have_two_ports_each() -> None:
    assert THREE.nodes == (Node(1, 20000, 20001), Node(2, 20002, 20003), Node(3, 20004, 20005))
    assert THREE.bootstrap == "127.0.0.1:20000,127.0.0.1:20002,127.0.0.1:20004"
    assert layout.ports_of(THREE) == list(range(20000, 20006))


def test_one_node_needs_no_other() -> None:
    values = layout.properties(ONE, ONE.nodes[0])
    assert values["controller.quorum.voters"] == "1@127.0.0.1:20001"
    assert values["listeners"] == "PLAINTEXT://127.0.0.1:20000,CONTROLLER://127.0.0.1:20001"
    for name in ("offsets.topic", "transaction.state.log", "share.coordinator.state.topic"):
        assert values[f"{name}.replication.factor"] == "1"
    assert values["min.insync.replicas"] == values["transaction.state.log.min.isr"] == "1"


def test_three_nodes_bear_the_loss_of_one() -> None:
    values = [layout.properties(THREE, node) for node in THREE.nodes]
    assert [each["node.id"] for each in values] == ["1", "2", "3"]
    assert {each["controller.quorum.voters"] for each in values} == {
        "1@127.0.0.1:20001,2@127.0.0.1:20003,3@127.0.0.1:20005"
    }
    assert {each["default.replication.factor"] for each in values} == {"3"}
    assert {each["min.insync.replicas"] for each in values} == {"2"}
    assert {each["transaction.state.log.min.isr"] for each in values} == {"2"}


def test_nothing_listens_outside_this_machine() -> None:
    text = layout.write_properties(layout.properties(THREE, THREE.nodes[0]))
    assert "0.0.0.0" not in text
    assert text.count("://") == text.count("://127.0.0.1:")


def test_the_largest_dead_letter_fits_everywhere() -> None:
    values = layout.properties(ONE, ONE.nodes[0])
    assert int(values["message.max.bytes"]) > 3 * 1024 * 1024
    assert int(values["replica.fetch.max.bytes"]) >= int(values["message.max.bytes"])


def test_properties_name_no_absolute_path_so_a_cluster_may_be_moved() -> None:
    assert "=/" not in layout.write_properties(layout.properties(ONE, ONE.nodes[0]))


@given(st.text(max_size=22), st.lists(st.integers(1, 65535), max_size=3).map(lambda some: some * 2))
def test_a_plan_is_read_as_it_was_written(cluster_id: str, ports: list[int]) -> None:
    plan = layout.lay_out(cluster_id, ports)
    assert layout.read_plan(layout.write_plan(plan)) == plan


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", "7", '{"cluster_id": "x", "nodes": [{"id": 1}]}'])
def test_what_is_no_plan_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        layout.read_plan(text)


def test_taken_ports_are_passed_over() -> None:
    assert layout.choose_ports(2, range(20000, 30000), lambda port: port % 10 == 7) == [20007, 20017]
    assert layout.choose_ports(2, range(20000, 20010), lambda port: port % 10 == 7) == [20007]


@pytest.mark.parametrize(
    ("environ", "state", "cache"),
    [
        ({}, "/home/ada/.local/state/dateline/kafka", "/home/ada/.cache/dateline/kafka"),
        ({"XDG_STATE_HOME": "/s", "XDG_CACHE_HOME": "/c"}, "/s/dateline/kafka", "/c/dateline/kafka"),
        (
            {"XDG_STATE_HOME": "", "XDG_CACHE_HOME": "relative"},
            "/home/ada/.local/state/dateline/kafka",
            "/home/ada/.cache/dateline/kafka",
        ),
    ],
)
def test_directories_follow_the_xdg_specification(environ: dict[str, str], state: str, cache: str) -> None:
    assert layout.state_directory(environ, HOME) == Path(state)
    assert layout.cache_directory(environ, HOME) == Path(cache)


def test_no_plan_has_no_servers() -> None:
    assert Plan("", ()).bootstrap == ""
