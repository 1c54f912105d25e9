"""Each rule of deduplicate: what is a copy, of what kind, by which evidence."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from pipeline.core import Arrival
from schemas.item import Item, Look, Relation, Ruling, SourceLook
from schemas.records import Gap

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
SHORT = "Отбой опасности атаки беспилотников"


def test_the_first_is_the_original(desk: "Desk") -> None:
    verdict = desk.post("a/1", STRIKE)
    assert (verdict.number, verdict.role, verdict.kind, verdict.rule) == (1, "original", None, "none/1")
    assert (verdict.group, verdict.original, verdict.score) == ("a/1", None, None)


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (STRIKE, STRIKE),
        (STRIKE, f"⚡️ **{STRIKE.upper()}**\n\n🔴 [Подписаться](https://t.me/x)"),
        (VOTE, VOTE.replace(" ", "  ") + "\n\nFollow us @wire"),
        ("Мэр города ушёл в отставку", "Мэр города ушел в отставку!"),
    ],
)
def test_equal_words_are_an_exact_copy(desk: "Desk", first: str, then: str) -> None:
    desk.post("a/1", first)
    desk.wait(hours=1)
    verdict = desk.post("b/1", then)
    assert (verdict.role, verdict.kind, verdict.rule, verdict.score) == ("copy", "exact", "exact/1", 1.0)
    assert (verdict.group, verdict.original) == ("a/1", "a/1")
    assert verdict.evidence[0].startswith("text_hash ")


@pytest.mark.parametrize("text", ["", "🔥", "Смотрите видео", "Watch live now", "аб вг де жз"])
def test_short_texts_match_nothing(desk: "Desk", text: str) -> None:
    desk.post("a/1", text)
    verdict = desk.post("b/1", text)
    assert (verdict.role, verdict.group, verdict.evidence) == ("original", "b/1", ("short text",))


@pytest.mark.parametrize(
    ("text", "new"),
    [
        (STRIKE, STRIKE.replace("сообщил губернатор области", "сообщил глава региона")),
        (STRIKE, "Срочно. " + STRIKE),
        (STRIKE, STRIKE.partition(" Спасатели")[0] + " Спасатели разбирают завалы."),
        (VOTE, VOTE.replace("finance minister", "minister of finance")),
        (VOTE, VOTE + " Reuters reported it."),
    ],
)
def test_light_edits_and_cuts_are_near_copies(desk: "Desk", text: str, new: str) -> None:
    desk.post("a/1", text)
    verdict = desk.post("b/1", new)
    assert (verdict.kind, verdict.rule, verdict.original) == ("near", "near/1", "a/1")
    assert verdict.score is not None
    assert 0.65 < verdict.score < 1
    assert verdict.evidence[0].startswith("shingles ")


@pytest.mark.parametrize(
    ("text", "old", "new"),
    [
        (STRIKE, "12", "21"),
        (STRIKE, "погибли 12", "не погибли 12"),
        (STRIKE, "удара", "двух ударов"),
        (STRIKE, "до утра", "до 6 утра"),
        (VOTE, "3 weeks", "4 weeks"),
        (VOTE, "3 weeks", "three weeks"),
        (VOTE, "had divided", "had not divided"),
        (VOTE, "had divided", "hadn't divided"),
    ],
)
def test_other_numbers_and_negations_are_no_copy(desk: "Desk", text: str, old: str, new: str) -> None:
    desk.post("a/1", text)
    assert old in text
    verdict = desk.post("b/1", text.replace(old, new))
    assert (verdict.role, verdict.group) == ("original", "b/1")


def test_a_cut_copy_may_leave_numbers_out_but_not_bring_its_own(desk: "Desk") -> None:
    desk.post("a/1", f"{STRIKE} Всего за год таких случаев было 7, сообщили в ведомстве.")
    assert desk.post("b/1", STRIKE).kind == "near"
    assert desk.post("c/1", STRIKE.replace("завалы", "завалы уже 2 часа")).role == "original"


def test_a_text_that_only_quotes_another_is_no_copy(desk: "Desk") -> None:
    desk.post("a/1", STRIKE)
    assert desk.post("b/1", f"{STRIKE} {VOTE} {VOTE.replace('senate', 'house')}").role == "original"


def test_the_most_alike_is_copied(desk: "Desk") -> None:
    words = [f"word{chr(97 + i)}" for i in range(26)]
    desk.post("a/1", " ".join([*words, "much", "unlike", "the", "first"]))
    desk.post("b/1", " ".join([*words[:22], "quite", "some", "thing", "else", "here", "now"]))
    assert desk.post("c/1", " ".join([*words[:24], "quite", "some", "thing"])).original == "b/1"


@pytest.mark.parametrize(("first", "second"), [("a/1", "b/1"), ("b/1", "a/1")])
def test_of_equally_alike_the_earlier_is_copied(desk: "Desk", first: str, second: str) -> None:
    words = [f"word{chr(97 + i)}" for i in range(20)]
    desk.post(first, " ".join([*words, "one", "end", "of", "this", "text"]))
    desk.wait(minutes=1)
    assert desk.post(second, " ".join([*words, "quite", "another", "end", "of", "it"])).role == "original"
    assert desk.post("c/1", " ".join([*words, "last", "way"])).original == first


def test_the_earlier_is_copied_though_the_later_is_found_first(make_desk: "Callable[..., Desk]") -> None:
    desk = make_desk(limit=1)  # a shingle leads to the last that has it
    words = [f"word{chr(97 + i)}" for i in range(20)]
    desk.post("a/1", " ".join([*words, "one0", "end", "of", "this", "text"]))
    desk.wait(minutes=1)
    desk.post("b/1", " ".join([*words, "quite", "another", "end", "of0", "it"]))
    assert desk.post("c/1", " ".join([*words, "last", "way"])).original == "a/1"


def test_a_revision_stays_in_its_group_though_another_is_more_alike(desk: "Desk") -> None:
    words = [f"word{chr(97 + i)}" for i in range(26)]
    old = " ".join([*words, "much", "unlike", "the", "first"])
    desk.post("a/1", old)
    desk.post("b/1", " ".join([*words[:22], "quite", "some", "thing", "else", "here", "now"]))
    assert desk.post("c/1", old).original == "a/1"
    new = desk.post("c/1", " ".join([*words[:24], "quite", "some", "thing"]), revision=2)
    assert (new.rule, new.original) == ("near/1", "a/1")


def test_a_source_that_repeats_itself_is_said_to(desk: "Desk") -> None:
    desk.post("a/1", STRIKE)
    verdict = desk.post("a/2", STRIKE)
    assert (verdict.kind, verdict.original, verdict.evidence[-1]) == ("exact", "a/1", "same source")


def test_the_same_address_at_another_source_is_syndicated(desk: "Desk") -> None:
    desk.post("a/1", STRIKE, url="https://www.bbc.co.uk/news/c1?at_medium=RSS")
    verdict = desk.post("b/1", VOTE, url="http://bbc.co.uk/news/c1/#top")
    assert (verdict.kind, verdict.rule, verdict.original) == ("syndicated", "url/1", "a/1")
    assert (verdict.score, verdict.evidence) == (None, ("url https://bbc.co.uk/news/c1",))


@pytest.mark.parametrize(
    ("one", "other"),
    [("https://x.org/a", "https://x.org/b"), ("https://x.org/", "https://x.org/"), (None, None)],
)
def test_other_addresses_are_not_syndicated(desk: "Desk", one: str | None, other: str | None) -> None:
    desk.post("a/1", "", url=one)
    assert desk.post("b/1", "", url=other).role == "original"


def test_a_source_may_use_its_address_again(desk: "Desk") -> None:
    desk.post("a/1", "Live: day one", url="https://x.org/live")
    assert desk.post("a/2", "Live: day two", url="https://x.org/live").role == "original"


def test_equal_words_are_stronger_than_the_address_and_that_than_likeness(desk: "Desk") -> None:
    desk.post("a/1", STRIKE)
    desk.post("b/1", VOTE, url="https://x.org/1")
    assert desk.post("c/1", STRIKE, url="https://x.org/1").original == "a/1"
    assert desk.post("d/1", f"Срочно. {STRIKE}", url="https://x.org/1").original == "b/1"


def test_a_copy_of_a_copy_names_the_original(desk: "Desk") -> None:
    desk.post("a/1", STRIKE)
    near = "Срочно. " + STRIKE
    assert desk.post("b/1", near).kind == "near"
    verdict = desk.post("c/1", near)
    assert (verdict.kind, verdict.original, verdict.group) == ("exact", "a/1", "a/1")


def test_stamps_do_not_choose_the_original(desk: "Desk") -> None:
    desk.post("a/1", STRIKE)
    stamp = {"raw": "1999", "lo": datetime(1999, 1, 1, tzinfo=UTC), "hi": datetime(1999, 1, 1, tzinfo=UTC)}
    assert desk.post("b/1", STRIKE, published=stamp).original == "a/1"


def test_what_is_older_than_a_day_is_a_repost(desk: "Desk") -> None:
    desk.post("a/1", STRIKE)
    desk.wait(hours=25)
    verdict = desk.post("b/1", STRIKE)
    assert (verdict.kind, verdict.rule, verdict.original) == ("repost", "exact/1", "a/1")
    assert verdict.evidence[-1] == "first observed 2024-12-03T12:00:00Z"


def test_age_is_counted_from_the_original_not_from_its_copies(desk: "Desk") -> None:
    desk.post("a/1", STRIKE)
    desk.wait(hours=20)
    assert desk.post("b/1", STRIKE).kind == "exact"
    desk.wait(hours=5)
    assert desk.post("c/1", STRIKE).kind == "repost"


def test_a_short_formula_is_a_copy_on_the_same_day_only(desk: "Desk") -> None:
    desk.post("a/1", SHORT)
    desk.wait(hours=1)
    assert desk.post("b/1", SHORT).kind == "exact"
    desk.wait(hours=25)
    assert desk.post("c/1", SHORT).role == "original"


@pytest.mark.parametrize("kind", ["market_opened", "market_resolved"])
def test_markets_are_neither_copies_nor_copied(desk: "Desk", kind: str) -> None:
    desk.post("a/1", STRIKE, url="https://x.org/1")
    verdict = desk.post("m/1", STRIKE, url="https://x.org/1", kind=kind)
    assert (verdict.role, verdict.group, verdict.evidence) == ("original", "m/1", (f"{kind}, usable",))
    desk.post("m/2", VOTE, kind=kind)
    assert desk.post("b/1", VOTE).role == "original"
    assert desk.post("m/2", VOTE, kind=kind, revision=2).number == 2


def test_looks_and_rulings_are_passed_on(desk: "Desk") -> None:
    look = Look(unit="main", observed=desk.at, sources={"a": SourceLook(result="ok", complete=desk.at)})
    ruling = Ruling(ruling_id="r1", observed=desk.at, subject="a/1", verdict="disputed", by="op")
    before = desk.snapshot()
    [passed] = desk.take(look)
    assert (passed.key, passed.type, passed.value) == ("main", "dateline.look", look)
    [passed] = desk.take(ruling)
    assert (passed.key, passed.type, passed.value) == ("r1", "dateline.ruling", ruling)
    assert desk.snapshot() == before


def test_any_other_record_is_refused(desk: "Desk") -> None:
    gap = Gap(gap_id="g", source="a", since=None, until=desk.at, reason="x")
    with pytest.raises(TypeError, match="Gap"):
        desk.core.decide(Arrival("c", gap, desk.at), desk.state)


def test_other_relations_are_no_forwards(desk: "Desk", make_item: Callable[..., Item]) -> None:
    desk.post("a/1", STRIKE)
    for number, relation in enumerate(
        [
            Relation(kind="reply_to", item_id="a/1"),
            Relation(kind="quotes", item_id="a/1"),
            Relation(kind="forward_of", source="someone"),
        ]
    ):
        reply = make_item(f"b/{number}", "Это неправда", at=desk.at, relations=(relation,))
        assert desk.carried(desk.take(reply)).role == "original"
