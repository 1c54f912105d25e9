"""A synthetic recording: events that several sources tell of, copies, forwards, replies and edits.

Words are drawn by Zipf's law from an invented vocabulary, so that terms are as common and as rare as in news:
of a thousand posts some 600 open a story, 80 are copies, and the largest stories have a hundred members.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import accumulate
from pathlib import Path
from random import Random
from typing import Any

START = datetime(2026, 7, 1, 3, tzinfo=UTC)
LAST_ID = "the-last"
LAST_SOURCE = "end of bench"
"""The last post of every recording: whoever sees it come through knows that all has."""

SOURCES = 48
SYLLABLES = "ba co da dor el fan gra hi jen ka lin mo nor os pe qua ri sten tu vel war yor zi ach"
COMMON = "the of in to a and for on that is was by with from at said has have will after over as it not"
VOCABULARY = 50_000
FLATTENED = 100
"""Rank of Zipf's law at which the commonest invented word stands: the really common words are in COMMON."""
EVENT_WORDS = 12
SENTENCE_WORDS = 11
EVENT_SHARE = 0.4
COMMON_SHARE = 0.35
NEW_SHARE = 0.68
BIG_SHARE = 0.12
BIG_EVERY = 250
BIG_AT_A_TIME = 4
"""Of so many events one is big, and sources go on telling of the last big ones."""
COPY_SHARE = 0.08
EDIT_SHARE = 0.03
REPLY_SHARE = 0.02
RECENT_POSTS = 400
RECENT_EVENTS = 40


@dataclass(frozen=True, slots=True)
class Plan:
    """What a recording is to hold.

    Attributes:
        posts: number of lines with posts, edits included and the last post not.
        every: between two posts.
        looks_every: between two looks; none: no looks.
        future_every: every so many posts one is stamped six hours ahead; 0: none is.
    """

    posts: int
    every: timedelta
    looks_every: timedelta | None = None
    future_every: int = 0


def write_recording(path: Path, plan: Plan) -> Path:
    """Write the recording of a plan: the same plan gives the same bytes."""
    with path.open("w") as file:
        for row in rows(plan):
            file.write(json.dumps(row) + "\n")
    return path


def rows(plan: Plan) -> Iterator[dict[str, Any]]:
    """Yield the lines."""
    writer = Writer()
    look_at = START
    for number in range(plan.posts):
        at = START + number * plan.every
        if plan.looks_every is not None and at >= look_at:
            yield {"look": {f"wire {n}": "ok" for n in range(SOURCES)}, "observed_at": spelled(at)}
            look_at += plan.looks_every
        ahead = plan.future_every > 0 and number % plan.future_every == plan.future_every - 1
        yield writer.line(number, at, ahead=ahead)
    at = START + plan.posts * plan.every
    text = "Nothing else is in this recording and nobody tells of it anywhere."
    yield {"id": LAST_ID, "source": LAST_SOURCE, "text": text, "observed_at": spelled(at)}


def spelled(at: datetime) -> str:
    """Spell a time as recorders do."""
    return at.isoformat().replace("+00:00", "Z")


@dataclass(slots=True)
class Writer:
    """Makes up posts, one after the other."""

    random: Random = field(default_factory=lambda: Random(4072026))
    syllables: Sequence[str] = field(default_factory=SYLLABLES.split)
    common: Sequence[str] = field(default_factory=COMMON.split)
    words: list[str] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)
    events: list[list[str]] = field(default_factory=list)
    recent: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        parts = [2, 2, 3, 3, 4]
        known: dict[str, None] = {}
        while len(known) < VOCABULARY:
            known["".join(self.random.choices(self.syllables, k=self.random.choice(parts)))] = None
        self.words = list(known)
        self.weights = list(accumulate(1 / (rank + FLATTENED) for rank in range(VOCABULARY)))

    def line(self, number: int, at: datetime, *, ahead: bool) -> dict[str, Any]:
        """Make up one line: a post of a new or a known event, a copy, a forward, or an edit."""
        chance = self.random.random()
        if ahead or number < SOURCES or chance >= COPY_SHARE + EDIT_SHARE:
            row = self._post(number, at, self._tell(), ahead=ahead)
        elif chance < COPY_SHARE:
            row = self._copy(number, at, self.random.choice(self.recent))
        else:
            row = self._edit(at, self.random.choice(self.recent))
        self.recent.append(row)
        del self.recent[:-RECENT_POSTS]
        return row

    def _post(self, number: int, at: datetime, text: str, *, ahead: bool = False) -> dict[str, Any]:
        wire = self.random.randrange(SOURCES)
        feed = wire % 3 == 0
        shift = 6 * 3600.0 if ahead else -self.random.expovariate(1 / (300 if feed else 6)) - 1
        published = (at + timedelta(seconds=shift)).replace(microsecond=0)
        row = {
            "id": str(number),
            "source": f"wire {wire}",
            "kind": "rss" if feed else "telegram",
            "seq": number,
            "url": f"https://wire{wire}.example/posts/{number}",
            "lang": "en",
            "published_at": spelled(published),
            "published_raw": format_datetime(published) if feed else str(int(published.timestamp())),
            "observed_at": spelled(at),
            "text": text,
        }
        if feed:
            row["title"] = " ".join(text.split()[:9])
        elif self.recent and self.random.random() < REPLY_SHARE:
            parent = self.random.choice(self.recent)
            row.update(source=parent["source"], reply_to=parent["id"])
        return row

    def _copy(self, number: int, at: datetime, of: dict[str, Any]) -> dict[str, Any]:
        """Repeat a post: word for word with a closing line, with a word changed, or as a forward."""
        way = self.random.randrange(4)
        words = of["text"].split()
        if way == 1:
            words[len(words) // 2] = self._word()
        row = self._post(number, at, " ".join(words) + "\nSubscribe to our channel" * (way == 0))
        if way == 2:
            row["forward"] = {"source": of["source"], "item_id": of["id"], "date": of["published_at"]}
        return row

    def _edit(self, at: datetime, of: dict[str, Any]) -> dict[str, Any]:
        """Give a post again with a sentence more."""
        more = " ".join(self._word() for _ in range(6)).capitalize()
        return {
            **of,
            "text": f"{of['text']} {more}.",
            "version": of.get("version", 1) + 1,
            "updated_at": spelled(at - timedelta(seconds=3)),
            "observed_at": spelled(at),
        }

    def _tell(self) -> str:
        """Write 300 to 500 characters on an event."""
        event = self._event()
        words: list[str] = []
        length, goal = 0, self.random.randint(300, 480)
        while length < goal:
            words.append(self._next(event))
            length += len(words[-1]) + 1
        starts = {0, *range(SENTENCE_WORDS, len(words), SENTENCE_WORDS)}
        return " ".join(
            f"{word.capitalize() if n in starts else word}{'.' if n + 1 in starts else ''}"
            for n, word in enumerate(words)
        )

    def _event(self) -> list[str]:
        """Choose an event by its words: a new one, a big one, or a recent one."""
        chance = self.random.random()
        if not self.events or chance < NEW_SHARE:
            names = [self._name() for _ in range(3)]
            self.events.append([*names, *self.random.choices(self.words, k=EVENT_WORDS)])
            return self.events[-1]
        if chance < NEW_SHARE + BIG_SHARE:
            last = (len(self.events) - 1) // BIG_EVERY
            return self.events[BIG_EVERY * max(0, last - self.random.randrange(BIG_AT_A_TIME))]
        return self.random.choice(self.events[-RECENT_EVENTS:])

    def _next(self, event: list[str]) -> str:
        chance = self.random.random()
        if chance < COMMON_SHARE:
            return self.random.choice(self.common)
        return self.random.choice(event) if chance < COMMON_SHARE + EVENT_SHARE else self._word()

    def _word(self) -> str:
        return self.random.choices(self.words, cum_weights=self.weights)[0]

    def _name(self) -> str:
        if self.random.random() < 0.2:
            return str(self.random.randint(2, 999))
        return "".join(self.random.choices(self.syllables, k=3)).capitalize()
