"""From a post to the words that tell what happened.

Words are stemmed by the Snowball algorithms (Porter 2001) for Russian and English, chosen by their letters;
of other scripts they stay as they are. The first sentence says most, so its words count twice.
"""
# ruff: noqa: RUF001 # Russian letters that look like Latin ones are meant

import re
from collections.abc import Mapping
from functools import lru_cache
from math import log, sqrt
from unicodedata import normalize

from snowballstemmer.english_stemmer import EnglishStemmer
from snowballstemmer.russian_stemmer import RussianStemmer

from schemas.item import Item

TERMS = 48
"""Distinct terms kept of one post: news stands at the beginning."""
HEAD_WEIGHT = 2
HEADLINE_CHARACTERS = 140
TEXT_CHARACTERS = 4_000
"""Text behind that is not looked at."""
STEMS_CACHED = 100_000

_SHORTEST_HEAD = 25
"""A shorter first sentence (JUST IN.) is no headline: the whole first line is."""
_LONGEST_PLEA = 140
_MARKS = re.compile(r"\*\*|__|~~|`")
_LINK = re.compile(r"\[([^\]]*)\]\([^)\s]*\)")
_ADDRESS = re.compile(r"(?:https?://|www\.)\S+|\b[\w-]+(?:\.[\w-]+)*\.(?:com|org|net|me|ru|ly|io)/\S*|@\w+")
_PLEA = re.compile(
    r"подписаться|подписывай|подпишись|подпишитесь|прислать новость|читать нас|subscribe|follow us|join our",
    re.IGNORECASE,
)
_LETTER = re.compile(r"\w")
_SENTENCE_END = re.compile(r"(?<=[.!?…])\s+")
_WORD = re.compile(r"\d+(?:[.,]\d+)+|[^\W\d_](?:\.[^\W\d_])+\b|[^\W_]+")
_THOUSANDS = re.compile(r",(?=\d{3}(?!\d))")

_STOP_WORDS = """
a an the of to in on for and at by with from as is are was were be been has have had after over new says
say said its it his her their he she they we you this that these those will would can could who what how
why vs up out about into more not no but or than when where which while all also just if so there during
amid them him our your my do does did и в во не что он на я с со как а то все она так его но да ты к у же
вы за бы по только ее мне было вот от меня еще нет о из ему теперь когда даже ну ли если уже или ни быть
был него до вас вам там потом себя ничего ей может они тут где есть надо ней для мы тебя их чем была сам
чтоб без будто чего раз тоже себе под будет ж тогда кто этот того потому этого какой совсем этом после при
об это эта эти также которые который которая которое лишь году года год своих свой своей чтобы более между
через перед однако сообщает сообщают сообщил сообщила сообщили передает заявил заявила рассказал сказал
"""
STOP_WORDS = frozenset(_STOP_WORDS.split())


def lines(text: str) -> list[str]:
    """Give the lines that tell something: without markup, addresses, bare links and pleas to subscribe."""
    kept: list[str] = []
    for raw in _MARKS.sub("", text[:TEXT_CHARACTERS]).split("\n"):
        if kept and not _LETTER.search(_ADDRESS.sub("", _LINK.sub("", raw))):
            continue
        line = " ".join(_ADDRESS.sub(" ", _LINK.sub(r"\1", raw)).split())
        if line and not (kept and len(line) < _LONGEST_PLEA and _PLEA.search(line)):
            kept.append(line)
    return kept


def split(item: Item) -> tuple[str, str]:
    """Give the headline, or else the first sentence, and the rest of the text."""
    body = lines(item.text)
    if item.headline and (head := " ".join(lines(item.headline))):
        return head, "\n".join(body)
    if not body:
        return "", ""
    first, *rest = _SENTENCE_END.split(body[0], maxsplit=1)
    if len(first) < _SHORTEST_HEAD:
        return body[0], "\n".join(body[1:])
    return first, "\n".join((*rest, *body[1:]))


def headline(item: Item) -> str:
    """Give the headline, or else the first sentence, of at most 140 characters; may be empty."""
    head = split(item)[0]
    if len(head) <= HEADLINE_CHARACTERS:
        return head
    return head[: HEADLINE_CHARACTERS - 1].rstrip() + "…"


class Words:
    """Gives the terms of posts; remembers stems and the last post, which changes no result."""

    def __init__(self) -> None:
        self._english = EnglishStemmer()
        self._russian = RussianStemmer()
        self._stem = lru_cache(STEMS_CACHED)(self._stem_of)
        self._last: tuple[str | None, str, Mapping[str, float]] = (None, "", {})

    def of(self, item: Item) -> Mapping[str, float]:
        """Give the terms of a post with their weights, 1 + ln(count), scaled to length 1."""
        title, text, terms = self._last
        if item.headline != title or item.text != text:
            terms = self._terms(*split(item))
            self._last = (item.headline, item.text, terms)
        return terms

    def _terms(self, head: str, rest: str) -> Mapping[str, float]:
        counts: dict[str, int] = {}
        for part, weight in ((head, HEAD_WEIGHT), (rest, 1)):
            for word in _WORD.findall(normalize("NFKC", part).lower().replace("ё", "е")):
                term = self._stem(word)
                if term and (term in counts or len(counts) < TERMS):
                    counts[term] = counts.get(term, 0) + weight
        weights = {term: 1 + log(count) for term, count in counts.items()}
        length = sqrt(sum(weight * weight for weight in weights.values()))
        return {term: weight / length for term, weight in weights.items()}

    def _stem_of(self, word: str) -> str:
        """Give the term of a word in lower case; empty: it tells nothing."""
        if word[0].isdigit():
            word = _THOUSANDS.sub("", word).replace(",", ".")
        elif "." in word:
            word = word.replace(".", "")
        if len(word) == 1 or word in STOP_WORDS:
            return ""
        if "а" <= word[0] <= "я":
            return str(self._russian.stemWord(word))
        return str(self._english.stemWord(word)) if word.isascii() and word.isalpha() else word
