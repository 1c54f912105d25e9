"""What of a post counts, and how it is weighed."""

from math import isclose, log, sqrt
from typing import Any
from unicodedata import normalize
from unittest.mock import patch

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.cluster import terms
from pipeline.cluster.terms import HEADLINE_CHARACTERS, TERMS, Words, headline, lines


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("**Bold** and __slanted__ `words`", ["Bold and slanted words"]),
        ("Read [the story](https://example.org/a?b=c) now", ["Read the story now"]),
        ("See https://example.org/x and www.example.org", ["See and"]),
        ("By @channel today", ["By today"]),
        ("News\n\nMore news", ["News", "More news"]),
        ("News\n[👉 ](https://t.me/+x)[Join](https://t.me/+y)", ["News"]),
        ("News\n👉 Подписаться на «Молнию 24»", ["News"]),
        ("News\nПрислать новость", ["News"]),
        ("News\n👉 Follow us: @globalflash_demo", ["News"]),
        ("Путин подписал указ\nОн его подписал вчера", ["Путин подписал указ", "Он его подписал вчера"]),
        ("[A headline](https://example.org/1)\nText", ["A headline", "Text"]),
        ("Подписаться", ["Подписаться"]),
        ("News\n❗️❗️", ["News"]),
        ("", []),
    ],
)
def test_lines_that_tell_something(text: str, expected: list[str]) -> None:
    assert list(lines(text)) == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"text": "A ferry is back in Piraeus. All are ashore."}, "A ferry is back in Piraeus."),
        ({"text": "JUST IN. A ferry is back.\nMore"}, "JUST IN. A ferry is back."),
        ({"text": "A long text that is not told.", "headline": "Ferry back"}, "Ferry back"),
        (
            {"text": "A ferry is back in Piraeus", "headline": "https://example.org/1"},
            "A ferry is back in Piraeus",
        ),
        ({"text": ""}, ""),
        ({"text": "word " * 60}, ("word " * 28)[:-1] + "…"),
    ],
)
def test_headline(tell: Any, fields: dict[str, str], expected: str) -> None:
    assert headline(tell(**fields).item) == expected


def test_forms_of_a_word_are_one_term(tell: Any) -> None:
    words = Words()
    english = words.of(tell("Quakes shook Davao; the quake shaking continued").item)
    assert set(english) == {"quak", "shook", "davao", "shake", "continu"}
    russian = words.of(tell("Ёлки горят: пожар в Якутске, пожары под Якутском").item)
    assert set(russian) == {"елк", "гор", "пожар", "якутск"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("U.S. and US", {"us"}),
        ("40,000 people, 40000 people", {"40000", "peopl"}),
        ("19,5 процента и 19.5 процента", {"19.5", "процент"}),
        ("1,234,567", {"1234567"}),
        ("𝗕𝗥𝗘𝗔𝗞𝗜𝗡𝗚 breaking", {"break"}),
        ("東京 地震", {"東京", "地震"}),
        ("the of и не", set()),
        ("a b c 7", set()),
    ],
)
def test_words_become_terms(tell: Any, text: str, expected: set[str]) -> None:
    assert set(Words().of(tell(text).item)) == expected


def test_the_first_sentence_counts_twice_and_the_length_is_one(tell: Any) -> None:
    weights = Words().of(tell("Ferry stands off Aegina island tonight. Engine fault, engine smoke.").item)
    assert isclose(sqrt(sum(w * w for w in weights.values())), 1)
    assert isclose(weights["ferri"], weights["engin"])
    assert isclose(weights["ferri"] / weights["fault"], 1 + log(2))


def test_only_the_beginning_is_read(tell: Any) -> None:
    weights = Words().of(tell(" ".join(f"word{n}" for n in range(500))).item)
    assert list(weights) == [f"word{n}" for n in range(TERMS)]


def test_memory_changes_no_result(tell: Any) -> None:
    words = Words()
    first, second = tell("Ferry in Piraeus").item, tell("Volcano in Kamchatka").item
    titled = first.model_copy(update={"headline": "Quake"})
    assert [words.of(item) for item in (first, second, first, titled, first)] == [
        Words().of(item) for item in (first, second, first, titled, first)
    ]


def test_a_full_memory_is_emptied_and_changes_no_result(tell: Any) -> None:
    items = [tell(f"Ferry {n} sails, the ferry {n}. And ferries call at port {n}!").item for n in range(9)]
    words = Words()
    with patch.object(terms, "CHUNKS_REMEMBERED", 5):
        assert [words.of(item) for item in items] == [Words().of(item) for item in items]
        assert len(words._terms) <= 5 + 1  # a chunk and itself without its punctuation


@settings(max_examples=300)
@given(
    text=st.text(st.sampled_from("aZé1Яи7 .,:;!?…()«»\"'_-/@$\u00a0\u00a8\u0308\u2126\ufb01ΑΣ"), max_size=30)
)
@example("U.S_ (a.B.) 1,5, .7")
def test_the_words_of_a_text_are_those_of_its_chunks(text: str) -> None:
    words = Words()
    read = normalize("NFKC", text).lower().replace("ё", "е")
    whole = [words._terms._stem(word) for word in terms._WORD.findall(read)]
    expected = list(dict.fromkeys(term for term in whole if term))[:TERMS]
    assert list(words._counts([text])) == expected


@settings(max_examples=150)
@given(text=st.text(max_size=300), title=st.none() | st.text(max_size=40))
def test_any_text_has_terms_of_length_one_or_none(tell: Any, text: str, title: str | None) -> None:
    item = tell(text, "x", headline=title).item
    weights = Words().of(item)
    assert len(weights) <= TERMS
    assert not weights or isclose(sqrt(sum(w * w for w in weights.values())), 1)
    assert all(term and term == term.strip() for term in weights)
    assert len(headline(item)) <= HEADLINE_CHARACTERS
