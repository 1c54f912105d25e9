"""From a post to the words that tell what happened.

Words are stemmed by the Snowball algorithms (Porter 2001) for Russian and English, chosen by their letters;
of other scripts they stay as they are. The first sentence says most, so its words count twice.
"""
# ruff: noqa: RUF001 # Russian letters that look like Latin ones are meant

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain
from math import log, sqrt
from unicodedata import normalize

from Stemmer import Stemmer

from schemas.item import Item

TERMS = 24
"""Distinct terms read of one post: the news stands at the beginning."""
HEAD_WEIGHT = 2
HEADLINE_CHARACTERS = 140
TEXT_CHARACTERS = 4_000
"""Text behind that is not looked at."""
CHUNKS_REMEMBERED = 100_000

_SHORTEST_HEAD = 25
"""A shorter first sentence (JUST IN.) is no headline: the whole first line is."""
_LONGEST_PLEA = 140
_MARKS = re.compile(r"\*\*|__|~~|`")
_LINK = re.compile(r"\[([^\]]*)\]\([^)\s]*\)")
_ADDRESS = re.compile(r"(?:https?://|www\.)\S+|\b[\w-]+(?:\.[\w-]+)*\.(?:com|org|net|me|ru|ly|io)/\S*|@\w+")
_PLEA = re.compile(
    r"подписаться|подписывай|подпишись|подпишитесь|прислать новость|читать нас|subscribe|follow us|join our"
)
_LETTER = re.compile(r"\w")
_SENTENCE_END = re.compile(r"[.!?…] ")
_PUNCTUATION = ".,:;!?…()«»\"'"
"""Stands at a word's edges and is in no word there."""
_WORD = re.compile(r"\d+(?:[.,]\d+)+|[^\W\d_](?:\.[^\W\d_])+\b|[^\W_]+")
_THOUSANDS = re.compile(r",(?=\d{3}(?!\d))")

_STOP_WORDS = """
a an the of to in on for and at by with from as is are was were be been has have had after over new says
say said its it his her their he she they we you this that these those will would can could who what how
why vs up out about into more not no but or than when where which while all also just if so there during
amid them him our your my do does did и в во не что он на я с со как а то все она так его но да ты к у же
вы за бы по только ее мне было вот от меня еще нет о из ему теперь когда даже ну ли если уже или ни быть
был него до вас вам там потом себя ничего ей может они тут где есть надо ней для мы тебя их чем была сам
чтоб без будто чего раз тоже себе под над будет ж тогда кто этот того потому этого какой совсем этом после при
об это эта эти также которые который которая которое лишь году года год своих свой своей чтобы более между
через перед однако сообщает сообщают сообщил сообщила сообщили передает заявил заявила рассказал сказал
"""
STOP_WORDS = frozenset(_STOP_WORDS.split())


def lines(text: str) -> Iterator[str]:
    """Give the lines that tell something: without markup, addresses, bare links and pleas to subscribe."""
    first = True
    text = text[:TEXT_CHARACTERS]
    # To look for four characters is far quicker than to look for a pattern, and most texts have none of them.
    if "*" in text or "_" in text or "~" in text or "`" in text:
        text = _MARKS.sub("", text)
    for raw in text.split("\n"):
        line = raw
        if "](" in line or "/" in line or "@" in line:
            line = _ADDRESS.sub(" ", _LINK.sub("", line))
            if first or _LETTER.search(line):
                line = _ADDRESS.sub(" ", _LINK.sub(r"\1", raw))
        line = " ".join(line.split())
        if line and (
            first or (_LETTER.search(line) and not (len(line) < _LONGEST_PLEA and _PLEA.search(line.lower())))
        ):
            first = False
            yield line


def parts(item: Item) -> Iterator[str]:
    """Give the headline, or else the first sentence, then the rest of the text; all may be missing."""
    body = lines(item.text)
    head = " ".join(lines(item.headline)) if item.headline else ""
    if head:
        yield head
        yield from body
        return
    for line in body:
        end = _SENTENCE_END.search(line)
        if end and end.start() + 1 >= _SHORTEST_HEAD:
            yield line[: end.start() + 1]
            yield line[end.end() :]
        else:
            yield line
        break
    yield from body


def headline(item: Item) -> str:
    """Give the headline, or else the first sentence, of at most 140 characters; may be empty."""
    head = next(parts(item), "")
    if len(head) <= HEADLINE_CHARACTERS:
        return head
    return head[: HEADLINE_CHARACTERS - 1].rstrip() + "…"


class Words:
    """Gives the terms of posts; remembers those of chunks and of the last post, which changes no result."""

    def __init__(self) -> None:
        self._terms = _Terms()
        self._last: tuple[str | None, str, Mapping[str, float]] = (None, "", {})

    def of(self, item: Item) -> Mapping[str, float]:
        """Give the terms with which a post begins: weights 1 + ln(count), scaled to length 1."""
        title, text, terms = self._last
        if item.headline != title or item.text != text:
            terms = _scaled(self._counts(parts(item)))
            self._last = (item.headline, item.text, terms)
        return terms

    def _counts(self, texts: Iterable[str]) -> Mapping[str, int]:
        counts: dict[str, int] = {}
        weight = HEAD_WEIGHT
        terms_of = self._terms.__getitem__
        for text in texts:
            chunks = normalize("NFKC", text).lower().replace("ё", "е").split()
            for term in chain.from_iterable(map(terms_of, chunks)):
                if term in counts:
                    counts[term] += weight
                elif len(counts) < TERMS:
                    counts[term] = weight
                else:
                    return counts
            weight = 1
        return counts


class _Terms(dict[str, tuple[str, ...]]):
    """The terms of chunks of text; filled as it is asked, emptied when it is full.

    A chunk is what stands between spaces, in lower case. No word reaches over a space, so the terms of a
    text are those of its chunks.
    """

    def __init__(self) -> None:
        super().__init__()
        self._english: Callable[[str], str] = Stemmer("english", 0).stemWord  # 0: no cache of its own
        self._russian: Callable[[str], str] = Stemmer("russian", 0).stemWord

    def __missing__(self, chunk: str) -> tuple[str, ...]:
        if len(self) >= CHUNKS_REMEMBERED:
            self.clear()
        bare = chunk.strip(_PUNCTUATION)
        if bare != chunk:
            terms = self[bare]
        else:
            words = (chunk,) if chunk.isalpha() else _WORD.findall(chunk)
            terms = tuple([term for term in map(self._stem, words) if term])
        self[chunk] = terms
        return terms

    def _stem(self, word: str) -> str:
        """Give the term of a word in lower case; empty: it tells nothing."""
        if word[0].isdigit():
            word = _THOUSANDS.sub("", word).replace(",", ".")
        elif "." in word:
            word = word.replace(".", "")
        if len(word) == 1 or word in STOP_WORDS:
            return ""
        if "а" <= word[0] <= "я":
            return self._russian(word)
        return self._english(word) if word.isascii() and word.isalpha() else word


def _scaled(counts: Mapping[str, int]) -> Mapping[str, float]:
    # Few counts differ, so few weights do.
    weights = {count: 1 + log(count) for count in set(counts.values())}
    length = sqrt(sum([(weight := weights[count]) * weight for count in counts.values()]))
    weights = {count: weight / length for count, weight in weights.items()}
    return {term: weights[count] for term, count in counts.items()}
