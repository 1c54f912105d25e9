"""The long memory: what left the window is known when it comes back."""

import string
from typing import TYPE_CHECKING

import pytest

from pipeline.deduplicate.memory import Memory
from schemas.item import Originals
from schemas.topics import LEARNED, ORIGINALS

if TYPE_CHECKING:
    from tests.pipeline.deduplicate.conftest import Desk

STRIKE = (
    "В результате удара по городу погибли 12 человек, ещё 30 пострадали, сообщил губернатор области. "
    "Спасатели разбирают завалы, движение по центральной улице перекрыто до утра."
)
SHORT = "Отбой опасности атаки беспилотников"
URL = "https://x.org/news/1"


def page_of(desk: "Desk") -> Originals:
    """End an epoch, and give the one page that it writes."""
    [output] = desk.turn()
    assert isinstance(output.value, Originals)
    assert (output.type, output.key) == ("dateline.originals", str(output.value.page))
    return output.value


@pytest.fixture
def year_later(desk: "Desk") -> "Desk":
    """Give a desk that had four posts a year ago."""
    desk.post("a/1", STRIKE, url=URL)
    desk.post("a/2", SHORT)
    desk.post("a/3", "🔥")
    desk.post("b/1", STRIKE)
    desk.wait(days=365)
    page = page_of(desk)
    assert page.item_ids == ("a/1", "a/2", "a/3")
    assert not desk.state.window
    return desk


def test_a_page_has_what_originals_are_known_by(desk: "Desk") -> None:
    start = desk.at
    desk.post("a/1", STRIKE, url="http://www.x.org/news/1/?utm_source=tg")
    desk.post("a/2", SHORT, published=None)
    desk.wait(hours=73)
    page = page_of(desk)
    assert (page.page, page.at) == (0, desk.at)
    assert page.item_ids == ("a/1", "a/2")
    assert page.sources == ("a", "a")
    assert page.urls == (URL, "")
    assert page.published == (start, None)
    assert page.observed == (start, start)
    assert [len(text) for text in page.text_hashes] == [16, 16]
    assert [len(signature) for signature in page.signatures] == [112, 0]


@pytest.mark.parametrize(
    ("text", "rule"),
    [(STRIKE, "exact/1"), (STRIKE.upper(), "exact/1"), (f"{STRIKE} Видео очевидцев.", "near/1")],
)
def test_a_post_from_last_year_is_a_repost(year_later: "Desk", text: str, rule: str) -> None:
    verdict = year_later.post("c/1", text)
    assert (verdict.kind, verdict.rule, verdict.original, verdict.group) == ("repost", rule, "a/1", "a/1")
    assert verdict.evidence[-1] == "first observed 2024-12-03T12:00:00Z"
    assert verdict.score == pytest.approx(1, abs=0.2)


def test_so_is_its_address_at_another_source(year_later: "Desk") -> None:
    verdict = year_later.post("c/1", "Очень короткий", url=URL)
    assert (verdict.kind, verdict.rule, verdict.original) == ("repost", "url/1", "a/1")


def test_a_source_may_use_last_years_address_again(year_later: "Desk") -> None:
    assert year_later.post("a/9", "Очень короткий", url=URL).role == "original"


@pytest.mark.parametrize("target", ["a/1", "a/3"])
def test_a_forward_of_it_is_a_forward(year_later: "Desk", target: str) -> None:
    verdict = year_later.post("c/1", "", forward=target)
    assert (verdict.kind, verdict.original, verdict.group) == ("forward", target, target)


@pytest.mark.parametrize("text", [SHORT, STRIKE.replace("12", "21"), STRIKE + STRIKE.upper()[::-1]])
def test_formulas_other_numbers_and_other_texts_are_new(year_later: "Desk", text: str) -> None:
    assert year_later.post("c/1", text).role == "original"


def test_an_original_that_returns_does_not_copy_itself(year_later: "Desk") -> None:
    for text in (STRIKE, f"{STRIKE} Видео очевидцев."):
        verdict = year_later.post("a/1", text, url=URL, revision=2)
        assert (verdict.role, verdict.group) == ("original", "a/1")


def test_a_repost_names_the_group_that_the_original_has_now(year_later: "Desk") -> None:
    year_later.post("c/1", STRIKE)
    verdict = year_later.post("d/1", STRIKE)
    assert (verdict.kind, verdict.group, verdict.original) == ("repost", "a/1", "a/1")


def test_what_left_leaves_nothing_in_the_window(year_later: "Desk") -> None:
    empty = year_later.core.empty()
    empty.memory = year_later.state.memory
    assert year_later.state == empty


def test_withdrawn_posts_and_markets_are_not_remembered(desk: "Desk") -> None:
    desk.post("a/1", STRIKE, status="withdrawn")
    desk.post("m/1", STRIKE, kind="market_opened")
    desk.wait(hours=73)
    assert desk.turn() == []


def test_only_what_was_folded_before_leaves(desk: "Desk") -> None:
    desk.post("a/1", STRIKE)
    desk.wait(hours=72)
    assert desk.turn() == []
    desk.post("a/2", SHORT)
    desk.wait(microseconds=1)
    assert page_of(desk).item_ids == ("a/1",)
    assert list(desk.state.window) == ["a/2"]


def test_pages_are_numbered_on_and_hold_two_thousand(desk: "Desk") -> None:
    for number in range(2_001):
        desk.post(f"a/{number}", "")
    desk.wait(hours=73)
    pages = desk.turn()
    assert [output.key for output in pages] == ["0", "1"]
    assert [len(output.value.item_ids) for output in pages if isinstance(output.value, Originals)] == [
        2_000,
        1,
    ]
    desk.post("b/1")
    desk.wait(hours=73)
    assert page_of(desk).page == 2
    assert desk.post("c/1", forward="a/2000").original == "a/2000"
    assert desk.post("c/2", forward="b/1").original == "b/1"


def test_pages_stay_below_the_size_of_a_record(desk: "Desk") -> None:
    for number in range(1_000):
        desk.post(f"a/{number}", url=f"https://x.org/{number}/{'q' * 900}")
    desk.wait(hours=73)
    pages = desk.turn()
    assert len(pages) == 2
    assert all(output.value and len(output.value.dump()) < 1_000_000 for output in pages)


def test_pages_are_forgotten_after_400_days(desk: "Desk") -> None:
    desk.post("a/1", STRIKE)
    desk.wait(days=4)
    page_of(desk)
    desk.wait(days=399)
    desk.turn()
    assert desk.post("b/1", STRIKE, late=True).kind == "repost"
    desk.wait(days=1)
    desk.turn()
    assert desk.state.memory == Memory(next_page=1)
    assert desk.post("c/1", STRIKE).role == "original"


def test_an_expired_page_takes_no_younger_knowledge_along(desk: "Desk") -> None:
    desk.post("a/1", STRIKE, url=URL)
    desk.wait(days=4)
    page_of(desk)
    desk.post("a/1", STRIKE, url=URL, revision=2)
    desk.wait(days=4)
    page_of(desk)
    desk.wait(days=397)
    desk.turn()
    assert list(desk.state.memory.pages) == [1]
    assert desk.post("b/1", forward="a/1", late=True).kind == "forward"
    assert desk.post("b/2", STRIKE, late=True).rule == "exact/1"
    assert desk.post("b/3", url=URL, late=True).rule == "url/1"


def test_a_page_whose_key_is_gone_is_forgotten(year_later: "Desk") -> None:
    year_later.core.load(ORIGINALS, "0", None, year_later.state)
    year_later.core.load(ORIGINALS, "0", None, year_later.state)
    assert year_later.state.memory == Memory(next_page=1)


def test_other_tables_are_ignored(year_later: "Desk") -> None:
    before = year_later.snapshot()
    year_later.core.load(LEARNED, "deduplicate/window", None, year_later.state)
    assert year_later.snapshot() == before


def test_the_sketch_tells_copies_from_texts_that_share_half(desk: "Desk") -> None:
    words = [letter * length for length in range(1, 5) for letter in string.ascii_lowercase]
    desk.post("a/1", " ".join(words))
    desk.wait(days=4)
    desk.turn()
    assert desk.post("b/1", " ".join(["new", *words[1:]])).kind == "repost"
    assert desk.post("c/1", " ".join([*words[:70], *reversed(words[70:])])).role == "original"


def test_a_group_keeps_its_name_over_the_years(desk: "Desk") -> None:
    """A forward came before its original: the original bears the group's older name, also in memory."""
    desk.post("b/1", STRIKE, forward="a/1")
    assert desk.post("a/1", STRIKE).group == "b/1"
    desk.wait(days=365)
    assert page_of(desk).groups == ("b/1",)
    assert desk.post("c/1", STRIKE).group == "b/1"
