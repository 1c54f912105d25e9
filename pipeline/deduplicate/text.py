"""What is compared of an item: its words, without what a channel adds to every post, and its address.

Copies are found by shingles, here pairs of neighbouring words (A. Broder, "On the resemblance and containment
of documents", 1997). The smallest of their hashes stand for all of them: texts that share most shingles share
at least one of the smallest.
"""
# ruff: noqa: RUF001 # Russian letters that look like Latin ones are meant

import re
import unicodedata
from array import array
from dataclasses import dataclass
from hashlib import blake2b
from zlib import crc32

SHORTEST_WORDS = 4
SHORTEST_CHARACTERS = 25
"""Shorter texts ("Watch live", "All clear") are said many times without one copying the other."""
SHINGLED_WORDS = 1_000
"""Behind these only the text's hash looks."""
FEWEST_SHINGLES = 12
"""Below, one changed word weighs so much that likeness says nothing."""
LONGEST_URL = 1_000
LAST_LINES = 4
CLOSING_WORDS = 8
LONG_WORD = 9
"""Characters per word, spaces included, that a script without spaces goes beyond."""

_INVISIBLE = "\u00ad\u0301\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"
_LINK = re.compile(r"\[([^\[\]\n]{0,300})\]\([^)\s]{0,500}\)")
_URL = re.compile(
    r"(?:https?://|www\.|(?<![a-z0-9-])[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){0,3}\.[a-z]{2,8}/)\S*"
)
_MENTION = re.compile(r"(?<![^\W_])@\w+")
_HASHTAG = re.compile(r"#\w+")
_WORD = re.compile(r"\w+(?:[.,:]\d+)*|[%$€£₽]|[-−](?=\d)")
_UNSPACED = re.compile("[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff]")
_CLOSING = re.compile(
    r"подпи(?:саться|сывай|ш[иь])|(?:прислать|предложить) новость|прислали через|читать? нас|"
    r"читать (?:далее|полностью)|subscribe|follow us|join (?:us|our)|read more|sign up"
)
_NEGATIONS = "не ни нет без ні no not cannot never without t nicht kein keine ne pas sin nunca"
_NUMERALS = (
    "один одна одного одну два две двое двух три трое трех четыре четверо четырех пять пятеро пяти шесть "
    "шестеро семь семеро восемь девять десять сто тысяча "
    "one two three four five six seven eight nine ten eleven twelve dozen hundred thousand"
)
_TELLING = frozenset((*_NEGATIONS.split(), *_NUMERALS.split()))
"""Words that make another statement; t as in isn't."""
_ADDRESS = re.compile(
    r"https?://(?:[^/?#@]*@)?(?:www\.)*([^/?#:@]+)(?::\d+)?(/[^?#]*)?(?:\?([^#]*))?(?:#|\Z)", re.IGNORECASE
)
_TRACKING = re.compile(
    r"(?:utm_|at_|ns_|mc_|pk_|hsa_)\w*|traffic_source|[a-z]+clid|igshid|cmp(?:id)?|[no]cid|ref(?:_src)?|"
    r"smid|partner|rss|xtor|from_?rss",
    re.IGNORECASE,
)


@dataclass(slots=True)
class Profile:
    """What is compared of a text. Never changed.

    Attributes:
        words: their number, without the closing lines.
        length: characters of these words.
        digest: 64 bits; equal for texts that say the same words in the same order.
        shingles: hashes (32 bits) of the pairs of neighbouring words, ascending; empty where they are few.
        facts: hashes (32 bits) of the numbers and negations, in the order of the text.
    """

    words: int
    length: int
    digest: int
    shingles: "array[int]"
    facts: "array[int]"

    @property
    def comparable(self) -> bool:
        """Long enough that equal words mean a copy."""
        return self.words >= SHORTEST_WORDS and self.length >= SHORTEST_CHARACTERS


def digest(text: str) -> bytes:
    """Hash a string to 8 bytes, the same in every process."""
    return blake2b(text.encode("utf-8", "replace"), digest_size=8).digest()


def digest64(text: str) -> int:
    """Give the digest of a string as a number."""
    return int.from_bytes(digest(text), "big")


def words_of(text: str) -> list[str]:
    """Give the words of a text as they are compared: no case, markup, links, emoji or closing lines."""
    if not unicodedata.is_normalized("NFKC", text):
        text = unicodedata.normalize("NFKC", text)
    text = text.casefold().replace("ё", "е")
    if not text.isascii():
        for mark in _INVISIBLE:
            if mark in text:
                text = text.replace(mark, "")
    if "](" in text:
        text = _LINK.sub(r"\1", text)
    if "/" in text or "www." in text:
        text = _URL.sub(" ", text)
    if "@" in text:
        text = _MENTION.sub(" ", text)
    text = _without_closing(text.replace("_", " "))
    words = _WORD.findall(text)
    if len(words) * LONG_WORD < len(text):
        words = _WORD.findall(_UNSPACED.sub(r" \g<0> ", text))
    return words


def profile(headline: str | None, text: str) -> Profile:
    """Give what is compared of an item's headline and text."""
    words = words_of(text if not headline or text.startswith(headline) else f"{headline}\n{text}")
    said = " ".join(words)
    whole = said.encode("utf-8", "replace")
    first = whole.split(None, SHINGLED_WORDS)[:SHINGLED_WORDS]
    shingles = set(map(crc32, first[1:], map(crc32, first)))
    facts = [word for word in words[:SHINGLED_WORDS] if word in _TELLING or not word.isalpha()]
    return Profile(
        words=len(words),
        length=len(said),
        digest=int.from_bytes(blake2b(whole, digest_size=8).digest(), "big"),
        shingles=array("I", sorted(shingles) if len(shingles) >= FEWEST_SHINGLES else ()),
        facts=array("I", [crc32(fact.encode("utf-8", "replace")) for fact in facts]),
    )


def canonical_url(url: str | None) -> str:
    """Give an address without what differs between ways to the same page.

    Returns:
        https://host/path?query without www., fragment, tracking and trailing slash; empty where it is no
        address of a single page.
    """
    found = _ADDRESS.match(url) if url else None
    if found is None:
        return ""
    host, path, query = found.groups("")
    path = path.rstrip("/")
    kept = sorted(
        pair for pair in query.split("&") if pair and not _TRACKING.fullmatch(pair.partition("=")[0])
    )
    if not path and not kept:
        return ""
    canonical = f"https://{host.lower()}{path}{'?' if kept else ''}{'&'.join(kept)}"
    return canonical if len(canonical) <= LONGEST_URL else ""


def _without_closing(text: str) -> str:
    lines = text.rstrip().rsplit("\n", LAST_LINES)
    while len(lines) > 1 and _closes(lines[-1]):
        lines.pop()
    return "\n".join(lines)


def _closes(line: str) -> bool:
    words = len(_WORD.findall(_HASHTAG.sub(" ", line)))
    return not words or (words <= CLOSING_WORDS and _CLOSING.search(line) is not None)
