"""What is compared: words without dressing, numbers and negations, addresses."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.deduplicate.text import canonical_url, profile, words_of


@pytest.mark.parametrize(
    ("dressed", "plain"),
    [
        ("**Срочно!** Ёлку зажгли на площади", "срочно елку зажгли на площади"),
        ("Ｆｕｌｌ width №5", "full width no5"),
        ("⚡️ Взрыв в порту — источник", "взрыв в порту источник"),
        ("Текст [ссылка](https://t.me/+a_b) дальше", "текст ссылка дальше"),
        ("see https://example.org/a?b=1 and bit.ly/xyz now", "see and now"),
        ("пишет @some_channel сегодня", "пишет сегодня"),
        ("__под__черк", "под черк"),
        ("слово\u200b\u00adслитно", "словослитно"),
        ("1.5 % и -5, в 14:05", "1.5 % и - 5 в 14:05"),
        ("#новости дня", "новости дня"),
        ("", ""),
        ("🔥🔥🔥", ""),
    ],
)
def test_words_are_freed_of_case_markup_links_and_emoji(dressed: str, plain: str) -> None:
    assert words_of(dressed) == plain.split()


@pytest.mark.parametrize(
    "closing",
    [
        "🔴 [Подписаться](https://t.me/x) | [Прислать новость](https://t.me/y)",
        "🎯[ Подписывайся на SHOT](https://t.me/shot_shot)\n\n📩 [Прислать новость](https://t.me/shot_go)",
        "__Читать нас без VPN можно здесь: ____bit.ly/bbcrussian__",
        "Follow us @wire",
        "@wire",
        "#новости #мир",
        "👉 https://t.me/wire",
        "**\n\n**",
    ],
)
def test_closing_lines_of_a_channel_are_no_part_of_the_text(closing: str) -> None:
    text = "Президент выступил с обращением к нации"
    assert words_of(f"{text}\n\n{closing}") == words_of(text)


@pytest.mark.parametrize(
    "text",
    [
        "Новость дня\nПутин подписал указ о сокращении штата министерства",
        "Подписаться",
        "Первая строка\nПодписывайтесь под петицией против закона до конца этой недели все вместе",
    ],
)
def test_news_that_looks_like_a_closing_line_is_kept(text: str) -> None:
    assert len(words_of(text)) == len(text.split())


def test_a_headline_that_the_text_repeats_counts_once() -> None:
    assert profile("Title here", "Title here and more") == profile(None, "Title here and more")
    assert profile("Title here", "Other text") == profile(None, "Title here\nOther text")


def test_scripts_without_spaces_are_compared_by_character() -> None:
    text = "韓国の尹錫悦大統領は3日夜、緊急の談話を発表し、非常戒厳を宣布した。"
    assert profile(None, text).comparable
    assert len(profile(None, text).shingles) > 20


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("погибли 12 человек", "погиб 21 человек", False),
        ("12 dead, 21 hurt", "21 dead, 12 hurt", False),
        ("мэр не ушёл", "мэр ушёл", False),
        ("it isn't over", "it is over", False),
        ("двое погибли", "трое погибли", False),
        ("temperature -5", "temperature 5", False),
        ("$5 a barrel", "€5 a barrel", False),
        ("мэр ушёл сам", "глава города ушёл", True),
    ],
)
def test_facts_are_the_numbers_and_negations_in_order(one: str, other: str, same: bool) -> None:  # noqa: FBT001 # a table
    assert (profile(None, one).facts == profile(None, other).facts) is same


@pytest.mark.parametrize(
    ("url", "canonical"),
    [
        (
            "https://www.bbc.co.uk/news/articles/c1?at_medium=RSS&at_campaign=rss",
            "https://bbc.co.uk/news/articles/c1",
        ),
        ("http://WWW.Example.org:80/A/b/?utm_source=x&id=2&a=1#top", "https://example.org/A/b?a=1&id=2"),
        ("https://www.aljazeera.com/n/2026?traffic_source=rss", "https://aljazeera.com/n/2026"),
        ("https://example.org/?p=7", "https://example.org?p=7"),
        ("https://example.org/a?fbclid=1", "https://example.org/a"),
        ("https://example.org/", ""),
        ("https://example.org", ""),
        ("mailto:a@example.org", ""),
        ("https://example.org/" + "a" * 2000, ""),
        ("", ""),
        (None, ""),
    ],
)
def test_addresses_lose_what_differs_between_ways_to_the_same_page(url: str | None, canonical: str) -> None:
    assert canonical_url(url) == canonical


@settings(deadline=None)
@given(st.text(max_size=300), st.none() | st.text(max_size=40))
def test_any_text_has_a_profile(text: str, headline: str | None) -> None:
    made = profile(headline, text)
    assert list(made.shingles) == sorted(set(made.shingles))
    assert made == profile(headline, text)


@settings(deadline=None)
@given(st.text(max_size=200))
def test_any_address_is_canonical_once_and_for_all(url: str) -> None:
    for form in (url, f"https://{url}", f"https://h/{url}"):
        assert canonical_url(canonical_url(form)) == canonical_url(form)


@pytest.mark.parametrize(
    "text",
    [
        "слово " * 30_000,
        "a-" * 99_999 + "/",
        "[" * 90_000 + "](" + "[" * 90_000,
        "[x](" * 40_000,
        "ﷺ" * 60_000,
    ],
)
@pytest.mark.timeout(10)
def test_no_text_takes_long(text: str) -> None:
    made = profile(None, text)
    assert max(len(made.shingles), len(made.facts)) <= 1_000
