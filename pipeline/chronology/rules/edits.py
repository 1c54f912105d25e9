"""Words that changed while the source says that nothing did."""

import re
from collections import Counter
from collections.abc import Iterator
from difflib import SequenceMatcher

from pipeline.chronology.finding import Finding, published, sighting
from pipeline.chronology.report import TEXT_KEPT_CHARACTERS, Report, Version
from schemas.flag import Evidence
from schemas.stamp import Stamp

COMPARED_WORDS = 200
"""A change that spans more words is shown as a whole: comparing them costs the square of their number."""
SHOWN_CHARACTERS = 300

_TOKEN = re.compile(r"\d+(?:[.,:]\d+)*|[^\W\d_]+(?:['\u2019-][^\W\d_]+)*")
_ADDRESS = re.compile(r"https?://\S+")
_SENTENCE_END = ".!?\u2026:"
NEGATIONS = frozenset(
    {
        *("no", "not", "never", "none", "nobody", "nothing", "neither", "nor", "without", "cannot"),
        *("deny", "denies", "denied", "nicht", "kein", "keine", "nie", "ohne", "pas", "jamais", "sans"),
        *("не", "нет", "ни", "никогда", "никто", "ничего", "без", "отрицает", "опроверг", "опровергла"),
        *("опровергли", "nunca", "sin"),
    }
)


def silent_edit(before: Version, report: Report) -> Finding | None:
    """Judge the newest version of an item against the one that we had before it."""
    after = report.current
    if after.returned_to is not None or not (before.usable and after.usable):
        return None
    if after.digest == before.digest or _shown(before, after):
        return None
    removed, added = changes(before.text or "", after.text or "")
    return Finding(
        flag="silent_edit",
        reports=(report,),
        severity=severity(before.text or "", removed, after.text or "", added),
        scope="item",
        summary=f"{report.source} changed the words of revision {before.revision} and shows no edit.",
        apart=None,
        evidence=(*_words(removed, added), *_stamps(before, report)),
        source=report.source,
        revision=after.revision,
    )


def changes(before: str, after: str) -> tuple[list[str], list[str]]:
    """Give the words that were removed and those that were added, in order."""
    old, new = before.split(), after.split()
    start = 0
    while start < min(len(old), len(new)) and old[start] == new[start]:
        start += 1
    end = 0
    while end < min(len(old), len(new)) - start and old[-1 - end] == new[-1 - end]:
        end += 1
    old, new = old[start : len(old) - end], new[start : len(new) - end]
    if max(len(old), len(new)) > COMPARED_WORDS:
        return old, new
    steps = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    return (
        [word for tag, i, j, _, _ in steps if tag != "equal" for word in old[i:j]],
        [word for tag, _, _, i, j in steps if tag != "equal" for word in new[i:j]],
    )


def severity(before: str, removed: list[str], after: str, added: list[str]) -> str:
    """Say how much the change can mislead: high with a number, a name or a negation in it."""
    old, new = list(tokens(" ".join(removed))), list(tokens(" ".join(added)))
    if [token.casefold() for token in old] == [token.casefold() for token in new]:
        return "info" if removed or added else "warn"
    lost = Counter(token.casefold() for token in old)
    won = Counter(token.casefold() for token in new)
    changed = (lost - won) + (won - lost)
    names = _names(before) | _names(after)
    grave = any(word[0].isdigit() or word in names or _negates(word) for word in changed)
    return "high" if grave else "warn"


def tokens(text: str) -> Iterator[str]:
    """Give words and numbers, without addresses and punctuation."""
    return (match[0] for match in _TOKEN.finditer(_ADDRESS.sub(" ", text)))


def _names(text: str) -> set[str]:
    """Give the words that stand with a capital letter inside a sentence, in small letters."""
    found, first = set(), True
    for word in text.split():
        inner = _TOKEN.search(word)
        if inner is not None:
            if not first and inner[0][0].isupper():
                found.add(inner[0].casefold())
            first = False
        if word[-1] in _SENTENCE_END:
            first = True
    return found


def _negates(word: str) -> bool:
    return word in NEGATIONS or word.endswith(("n't", "n\u2019t"))


def _shown(before: Version, after: Version) -> bool:
    """Whether the source shows an edit: another `revised` than before, and not hidden.

    A first `revised` that only repeats `published` shows none.
    """
    if after.revised is None or after.hidden:
        return False
    last = before.revised or after.published
    return last is None or after.revised.lo is None or after.revised.lo != last.lo


def _words(removed: list[str], added: list[str]) -> tuple[Evidence, ...]:
    named = (("removed", removed), ("added", added))
    lines = [f"{what}: {_cut(' '.join(words))}" for what, words in named if words]
    lines = lines or [f"changed: behind the first {TEXT_KEPT_CHARACTERS} characters"]
    return tuple(Evidence(what="text", text=line) for line in lines)


def _cut(text: str) -> str:
    return text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + " ..."


def _stamps(before: Version, report: Report) -> tuple[Evidence, ...]:
    after = report.current
    revised = [stamp for stamp in (before.revised, after.revised) if stamp is not None]
    return (
        published(report),
        *(_revised(report, stamp) for stamp in dict.fromkeys(revised)),
        *sighting(report, before),
        *sighting(report, after),
    )


def _revised(report: Report, stamp: Stamp) -> Evidence:
    return Evidence(what="revised", item_id=report.item_id, source=report.source, stamp=stamp)
