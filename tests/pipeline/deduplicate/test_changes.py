"""What becomes of a verdict: forwards before their originals, edits, withdrawals, late revisions."""

from typing import TYPE_CHECKING

import pytest

from schemas.item import VerdictChanged

if TYPE_CHECKING:
    from tests.pipeline.deduplicate.conftest import Desk

STRIKE = (
    "В результате удара по городу погибли 12 человек, ещё 30 пострадали, сообщил губернатор области. "
    "Спасатели разбирают завалы, движение по центральной улице перекрыто до утра."
)
VOTE = (
    "The senate voted on Tuesday to confirm the new finance minister after a long debate that "
    "had divided the ruling coalition for 3 weeks and delayed the budget."
)
FLOOD = (
    "Heavy rain has flooded the old town and the river keeps rising, said the fire brigade, which is "
    "moving people from the lower streets to the school and to the theatre."
)


@pytest.mark.parametrize("text", [STRIKE, "", "🔥"])
def test_a_forward_is_a_copy_of_what_it_forwards_whatever_the_text(desk: "Desk", text: str) -> None:
    desk.post("a/1", STRIKE)
    verdict = desk.post("b/1", text, forward="a/1")
    assert (verdict.kind, verdict.rule, verdict.score) == ("forward", "forward/1", 1.0)
    assert (verdict.group, verdict.original, verdict.evidence) == ("a/1", "a/1", ("forward_of a/1",))


def test_a_forward_of_a_copy_joins_its_group(desk: "Desk") -> None:
    desk.post("a/1", STRIKE)
    desk.post("b/1", STRIKE)
    verdict = desk.post("c/1", forward="b/1")
    assert (verdict.kind, verdict.group, verdict.original) == ("forward", "a/1", "b/1")


def test_a_forward_overrules_likeness(desk: "Desk") -> None:
    desk.post("a/1", STRIKE)
    desk.post("b/1", VOTE)
    assert desk.post("c/1", STRIKE, forward="b/1").original == "b/1"


def test_an_original_behind_its_forward_takes_its_place(desk: "Desk") -> None:
    first = desk.post("b/1", STRIKE, forward="a/1")
    assert (first.role, first.group) == ("original", "b/1")
    desk.post("c/1", STRIKE)
    desk.wait(minutes=5)
    outputs = desk.take_item("a/1", STRIKE)
    original = desk.carried(outputs)
    assert (original.role, original.group, original.rule) == ("original", "b/1", "forward/1")
    assert original.evidence == ("forwarded by b/1 before",)
    [_, output] = outputs
    assert (output.key, output.type) == ("b/1", "dateline.deduplicated.changed")
    assert output.suffix == "v2:b/1"
    changed = output.value
    assert isinstance(changed, VerdictChanged)
    assert (changed.item_id, changed.previous, changed.at) == ("b/1", first, desk.at)
    assert changed.cause == f"cause-{desk.count}"
    now = changed.verdict
    assert (now.number, now.role, now.kind, now.rule, now.score) == (2, "copy", "forward", "forward/1", 1.0)
    assert (now.group, now.original) == ("b/1", "a/1")
    later = desk.post("d/1", STRIKE)
    assert (later.group, later.original) == ("b/1", "a/1")
    assert desk.post("b/1", f"{STRIKE} Да.", forward="a/1", revision=2).number == 3


def test_two_forwards_of_an_unknown_post_are_one_group(desk: "Desk") -> None:
    desk.post("b/1", forward="a/1")
    second = desk.post("c/1", forward="a/1")
    assert (second.kind, second.group, second.original) == ("forward", "b/1", "b/1")
    assert second.evidence == ("forward_of a/1", "forwarded by b/1 before")
    assert len(desk.take_item("a/1")) == 2
    assert desk.post("d/1", forward="a/1").group == "b/1"


def test_a_forward_that_is_a_copy_already_stays_one(desk: "Desk") -> None:
    desk.post("o/1", STRIKE)
    assert desk.post("b/1", STRIKE, forward="a/1").original == "o/1"
    outputs = desk.take_item("a/1", STRIKE)
    assert len(outputs) == 1
    assert desk.carried(outputs).original == "o/1"


def test_a_post_that_forwards_itself_forwards_nothing(desk: "Desk") -> None:
    assert desk.post("a/1", STRIKE, forward="a/1").role == "original"
    assert len(desk.take_item("a/1", VOTE, forward="a/1", revision=2)) == 1


@pytest.mark.parametrize("fields", [{"status": "withdrawn"}, {"late": True}, {"kind": "market_opened"}])
def test_only_a_living_post_takes_its_forwards_place(desk: "Desk", fields: dict[str, str]) -> None:
    desk.post("b/1", STRIKE, forward="a/1")
    assert len(desk.take_item("a/1", STRIKE, **fields)) == 1


def test_an_original_that_is_edited_stays_one(desk: "Desk") -> None:
    desk.post("a/1", STRIKE)
    desk.post("b/1", STRIKE)
    edited = desk.post("a/1", STRIKE.replace("12", "15") + " Обновлено.", revision=2)
    assert (edited.number, edited.role, edited.group, edited.rule) == (2, "original", "a/1", "revision/1")
    assert desk.post("c/1", STRIKE.replace("12", "15") + " Обновлено.").original == "a/1"


def test_an_edit_back_to_what_others_copied_stays_the_original(desk: "Desk") -> None:
    desk.post("a/1", STRIKE)
    desk.post("b/1", STRIKE)
    desk.post("a/1", VOTE, revision=2)
    back = desk.post("a/1", STRIKE, revision=3)
    assert (back.number, back.role, back.group, back.evidence) == (3, "original", "a/1", ("copied by b/1",))


def test_an_original_whose_new_text_is_anothers_becomes_its_copy(desk: "Desk") -> None:
    desk.post("a/1", "Срочно!")
    desk.post("b/1", STRIKE)
    edited = desk.post("a/1", STRIKE, revision=2)
    assert (edited.number, edited.role, edited.original) == (2, "copy", "b/1")


def test_a_revision_with_the_same_text_keeps_the_verdict(desk: "Desk") -> None:
    desk.post("a/1", STRIKE)
    first = desk.post("b/1", f"Срочно. {STRIKE}")
    desk.wait(hours=30)
    for number in (2, 3):
        again = desk.post("b/1", f"Срочно. {STRIKE}", revision=number)
        kept = {"number": number, "evidence": (*first.evidence, "text unchanged")}
        assert again == first.model_copy(update=kept)


def test_a_copy_that_is_edited_lightly_stays_one_and_no_repost(desk: "Desk") -> None:
    desk.post("a/1", STRIKE)
    assert desk.post("b/1", STRIKE).kind == "exact"
    desk.wait(hours=30)
    edited = desk.post("b/1", f"Срочно. {STRIKE}", revision=2)
    assert (edited.number, edited.kind, edited.original) == (2, "near", "a/1")


def test_a_repost_that_is_edited_stays_a_repost(desk: "Desk") -> None:
    desk.post("a/1", STRIKE)
    desk.wait(hours=30)
    assert desk.post("b/1", STRIKE).kind == "repost"
    assert desk.post("b/1", f"Срочно. {STRIKE}", revision=2).kind == "repost"


def test_a_copy_that_diverges_becomes_an_original_of_its_own(desk: "Desk") -> None:
    desk.post("a/1", STRIKE)
    desk.post("b/1", STRIKE)
    edited = desk.post("b/1", VOTE, revision=2)
    assert (edited.number, edited.role, edited.group) == (2, "original", "b/1")
    assert edited.evidence == ("no longer like a/1",)
    assert desk.post("c/1", VOTE).original == "b/1"
    assert desk.post("d/1", STRIKE).original == "a/1"


def test_a_copy_that_turns_to_another_copies_that(desk: "Desk") -> None:
    desk.post("a/1", STRIKE)
    desk.post("v/1", VOTE)
    desk.post("b/1", STRIKE)
    edited = desk.post("b/1", VOTE, revision=2)
    assert (edited.number, edited.kind, edited.group) == (2, "exact", "v/1")


def test_an_edited_copy_prefers_its_own_group(desk: "Desk") -> None:
    words = [f"word{chr(97 + i)}" for i in range(26)]
    desk.post("a/1", " ".join([*words, "ends", "like", "this"]))
    desk.post("b/1", " ".join([*words[:20], "or", "ends", "in", "quite", "another", "way", "at", "last"]))
    desk.post("c/1", " ".join([*words[:20], "or", "ends", "in", "quite", "another", "way", "at", "long"]))
    assert desk.state.window["c/1"].group == "b/1"
    mixed = " ".join([*words[:23], "or", "ends", "like", "this"])
    assert desk.post("c/1", mixed, revision=2).group == desk.post("d/1", mixed).group == "a/1"


def test_a_withdrawn_post_keeps_its_group_and_matches_nothing(desk: "Desk") -> None:
    desk.post("a/1", STRIKE)
    desk.post("b/1", STRIKE)
    gone = desk.post("b/1", STRIKE, status="withdrawn", revision=2)
    assert (gone.number, gone.role, gone.group) == (2, "original", "a/1")
    assert gone.evidence == ("post, withdrawn",)
    unknown = desk.post("x/1", FLOOD, status="withdrawn", revision=2)
    assert (unknown.number, unknown.role, unknown.group) == (1, "original", "x/1")
    assert desk.post("y/1", FLOOD).role == "original"
    assert desk.post("c/1", STRIKE).original == "a/1"


def test_a_withdrawn_copy_that_returns_is_judged_anew(desk: "Desk") -> None:
    desk.post("a/1", STRIKE)
    desk.post("b/1", STRIKE)
    desk.post("b/1", status="withdrawn", revision=2)
    back = desk.post("b/1", VOTE, revision=3)
    assert (back.number, back.role, back.group) == (3, "original", "b/1")
    desk.post("b/1", STRIKE, status="withdrawn", revision=4)
    assert desk.post("b/1", STRIKE, revision=5).original == "a/1"


def test_a_withdrawn_original_that_returns_has_its_group_again(desk: "Desk") -> None:
    desk.post("a/1", STRIKE)
    desk.post("b/1", STRIKE)
    desk.post("a/1", status="withdrawn", revision=2)
    assert desk.post("c/1", STRIKE).original == "a/1"
    back = desk.post("a/1", STRIKE, revision=3)
    assert (back.number, back.role, back.group) == (3, "original", "a/1")


def test_a_late_revision_gets_a_verdict_and_changes_nothing_else(desk: "Desk") -> None:
    desk.post("a/1", STRIKE)
    desk.post("b/1", STRIKE)
    late = desk.post("b/1", VOTE, revision=2, late=True)
    assert (late.number, late.kind, late.original) == (2, "exact", "a/1")
    assert late.evidence[-1] == "an older revision"
    assert desk.post("c/1", VOTE).role == "original"
    assert desk.post("b/1", STRIKE, revision=3).number == 3


def test_a_late_revision_of_an_unknown_post_is_judged_but_not_kept(desk: "Desk") -> None:
    desk.post("a/1", STRIKE)
    assert desk.post("b/1", STRIKE, late=True, revision=2).original == "a/1"
    assert desk.post("x/1", VOTE, late=True, revision=2).role == "original"
    assert desk.post("c/1", VOTE).role == "original"
    assert list(desk.state.window) == ["a/1", "c/1"]


def test_a_late_withdrawal_does_not_withdraw(desk: "Desk") -> None:
    desk.post("a/1", STRIKE)
    desk.post("a/1", status="withdrawn", late=True, revision=2)
    assert desk.post("b/1", STRIKE).original == "a/1"
