"""What stands on the topics, against what each connection of a process that was killed had been shown."""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from telethon.tl import types

from schemas.item import Item
from tests.telegram.server import Room
from tests.telegram.server.link import Link
from tests.telegram.week.verdict import count_in, missed_in
from tests.telegram.week.witness import State, Witness


class Proof:
    """Judges one channel.

    A state that a connection was sent is known for sure as soon as a whole look at the channel is committed
    that began later and over the same connection: what was sent before stands before its answers. So what was
    sent just before a kill or a cut may be missing, unless it was there to be seen again afterwards.

    Attributes:
        excused: states that were sent and may be missing.
        lost: in words what is missing, and all that is known of it.

    Args:
        witness: what was sent.
        room: the truth.
        looks: when the whole looks that are committed began, ascending.
        first: nobody asked for messages below it.
    """

    def __init__(self, witness: Witness, room: Room, looks: Sequence[float], *, first: int) -> None:
        self.room, self.looks, self.first = room, looks, first
        sent = {state: links for state, links in witness.shown.items() if state.channel == room.number}
        self._sent = sent
        self._must = {state for state, links in sent.items() if self._proven(links)}
        self._links = sorted({link.ended for links in sent.values() for link in links})
        self._made: dict[int, float] = {}
        self._gone: dict[int, float] = {}
        self._group: dict[int, int] = {}
        self._truth = [one for one in witness.truth if one[1] is room]
        for at, _, update in self._truth:
            self._happened(at, update)
        self.excused = 0
        self.lost: list[str] = []

    def _happened(self, at: float, update: Any) -> None:
        if isinstance(update, types.UpdateNewChannelMessage):
            self._made[update.message.id] = at
            if group := getattr(update.message, "grouped_id", None):
                self._group[update.message.id] = group
        elif isinstance(update, types.UpdateDeleteChannelMessages):
            self._gone |= dict.fromkeys(update.messages, at)

    def _proven(self, links: Mapping[Link, float]) -> bool:
        return any(self._looked(since, link.ended) for link, since in links.items())

    def _looked(self, since: float, until: float) -> bool:
        return bisect_left(self.looks, since) < bisect_right(self.looks, until)

    def judge(self, items: Sequence[Item], gaps: Sequence[str]) -> Counter[str]:
        """Count what is wrong; nothing is right."""
        posts: dict[int, list[Item]] = {}
        for item in items:
            posts.setdefault(int(item.native_id), []).append(item)
        wrong: Counter[str] = Counter()
        for number, revisions in posts.items():
            wrong += self._false(number, revisions)
        wrong += self._missing(posts)
        return +(wrong + self._unsaid(posts, gaps))

    def _false(self, number: int, revisions: Sequence[Item]) -> Counter[str]:
        """Count revisions of a post that there must not be."""
        wrong: Counter[str] = Counter()
        wrong["revisions doubled or out of order"] += [one.revision for one in revisions] != list(
            range(1, len(revisions) + 1)
        )
        wrong["false revisions"] += sum(
            one.content_hash == other.content_hash for one, other in pairwise(revisions)
        )
        told = [one for one in revisions if one.status == "usable"]
        wrong["states never shown"] += sum(
            State(self.room.number, number, one.text) not in self._sent for one in told
        )
        wrong["posts nobody asked for"] += number < self.first
        wrong["posts that are part of another"] += not self._leads(number)
        gone = [one.status for one in revisions if not one.late]
        wrong["deletions taken back"] += "withdrawn" in gone[:-1]
        return wrong

    def _leads(self, number: int) -> bool:
        """Say whether a message was the first of its post at any time."""
        group = self._group.get(number)
        lower = [one for one, other in self._group.items() if other == group and one < number]
        return group is None or all(one in self._gone for one in lower)

    def _missing(self, posts: Mapping[int, Sequence[Item]]) -> Counter[str]:
        """Count states that are missing."""
        wrong: Counter[str] = Counter()
        for state in self._sent:
            lower = self._group.get(state.message - 1)
            part = lower is not None and lower == self._group.get(state.message)
            if part or state.message < self.first:
                continue  # of an album's other parts the judgement of how it all ended tells
            revisions = posts.get(state.message)
            if revisions and any(one.text == state.text for one in revisions if one.status == "usable"):
                continue
            must = state in self._must
            self.excused += not must
            if must:
                self.lost.append(self._story(state, revisions or ()))
            wrong["posts lost"] += must and revisions is None
            wrong["revisions lost"] += must and revisions is not None
        return wrong

    def _story(self, state: State, revisions: Sequence[Item]) -> str:
        """Say what is known of a state: when it was made and sent, over what, and what was told instead."""
        made = [
            f"{at:.2f} {type(one).__name__}" for at, where, one in self._truth if _about(one, state.message)
        ]
        sent = [f"{since:.2f} until {link.ended:.2f}" for link, since in self._sent[state].items()]
        told = [f"#{one.revision} {one.status} {one.text!r} {one.observed:%T.%f}" for one in revisions]
        return (
            f"{self.room.name}/{state.message} {state.text!r}: happened {made}; sent {sent}; told {told}; "
            f"looks {[f'{look:.2f}' for look in self.looks]}"
        )

    def _unsaid(self, posts: Mapping[int, Sequence[Item]], gaps: Sequence[str]) -> Counter[str]:
        """Count what nobody could see any more and no gap tells, and what a gap tells and was seen."""
        said = Counter(number for reason in gaps for number in missed_in(reason))
        parts = {
            int((relation.item_id or "").rpartition("/")[2])
            for revisions in posts.values()
            for item in revisions
            for relation in item.relations
            if relation.kind == "album"
        }
        seen = parts | set(posts)
        wrong: Counter[str] = Counter()
        wrong["gaps doubled"] += sum(times > 1 for times in said.values())
        wrong["gaps of what was seen"] += len(seen & set(said))
        withheld = {number for number in self._gone if number not in seen and self._blind(number)}
        unnamed = sum(count_in(reason) - len(missed_in(reason)) for reason in gaps)
        wrong["gaps not told"] += max(0, len(withheld - set(said)) - unnamed)
        return wrong

    def _blind(self, number: int) -> bool:
        """Say whether a message came and went while nobody could know that he saw nothing.

        A process knows that it was blind if it, or its connection, ended between two looks; and that there
        was something, if the later look shows a message above.
        """
        gone = self._gone[number]
        later = bisect_left(self.looks, gone)
        if number < self.first or later in (0, len(self.looks)):
            return False
        since, until = self.looks[later - 1], self.looks[later]
        cut = any(since < ended < until for ended in self._links)
        above = (
            one
            for one, at in self._made.items()
            if one > number and at < until and self._gone.get(one, until) >= until
        )
        return cut and self._made[number] > since and any(above)


def _about(update: Any, message: int) -> bool:
    return (
        message in getattr(update, "messages", ())
        or getattr(getattr(update, "message", None), "id", 0) == message
    )


def told(rooms: Iterable[Room], items: Iterable[Item]) -> dict[int, list[Item]]:
    """Sort revisions by the channel that they are of."""
    found: dict[int, list[Item]] = {room.number: [] for room in rooms}
    for item in items:
        found[int(item.item_id.split("/")[1])].append(item)
    return found
