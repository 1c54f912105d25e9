"""What is known of a channel's last posts, and what a look at them changes. Pure.

A post is named here by the id of its first message: of an album the lowest, its other parts have no name of
their own. Its fingerprint is the content hash of the draft that is made of it (`draft_of(post).hashed()`),
which is the same whichever way it came. None stands for a post of which only its existence is known, as after
a restart: the cursor remembers which posts there were, and not what they said.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple, TypeAlias

Prints: TypeAlias = Mapping[int, str | None]
"""Fingerprints by id of the post."""

Bounds: TypeAlias = tuple[int, int | None]
"""Lowest and highest id, inclusive, between which a look shows all there is; no highest: up to the newest."""


class Change(NamedTuple):
    """What a look changes in what is known; each ascending.

    Attributes:
        new: posts that were not known.
        changed: posts that say something else than before, or of which nobody knows what they said.
        gone: posts that were known, lie within the bounds of the look, and are not shown.
    """

    new: tuple[int, ...]
    changed: tuple[int, ...]
    gone: tuple[int, ...]


def compare(known: Prints, shown: Prints, bounds: Bounds) -> Change:
    """Compare what is known with what a look shows.

    Args:
        known: what is known.
        shown: what the look shows; also outside of the bounds, as one post that a page cut in two.
        bounds: within which nothing is missing from the look. Only there an absence means anything.
    """
    return Change(
        new=tuple(sorted(shown.keys() - known.keys())),
        changed=tuple(sorted(one for one in shown.keys() & known.keys() if _differs(known[one], shown[one]))),
        gone=tuple(sorted(one for one in known.keys() - shown.keys() if covers(bounds, one))),
    )


def covers(bounds: Bounds, post: int) -> bool:
    """Say whether a post would be shown by a look with these bounds."""
    low, high = bounds
    return low <= post and (high is None or post <= high)


def after(known: Prints, shown: Prints, bounds: Bounds, *, keep: int) -> dict[int, str | None]:
    """Give what is known after a look: within its bounds what it shows, outside also what was known before.

    Args:
        known: what was known.
        shown: what the look shows.
        bounds: within which nothing is missing from the look.
        keep: so many of the newest posts are remembered.
    """
    outside = {one: known[one] for one in known if not covers(bounds, one)}
    return newest({**outside, **shown}, keep)


def newest(known: Prints, keep: int) -> dict[int, str | None]:
    """Give so many of the newest posts, ascending."""
    return {one: known[one] for one in sorted(known)[-keep:]} if keep > 0 else {}


def spell(posts: Iterable[int]) -> str:
    """Spell ids for the cursor, runs as a range: `35201-35240,35243`."""
    ids = sorted(set(posts))
    if len(ids) > 1 and ids[-1] - ids[0] == len(ids) - 1:  # as it mostly is, behind every post that is told
        return f"{ids[0]}-{ids[-1]}"
    runs: list[list[int]] = []
    for post in ids:
        if runs and post == runs[-1][1] + 1:
            runs[-1][1] = post
        else:
            runs.append([post, post])
    return ",".join(f"{low}-{high}" if low < high else f"{low}" for low, high in runs)


def read_spelled(spelled: str) -> tuple[int, ...]:
    """Read what `spell` wrote: ids, ascending.

    Raises:
        ValueError: it is no such spelling; the message shows the part that is not.
    """
    posts: set[int] = set()
    for run in filter(None, spelled.split(",")):
        low, dash, high = run.partition("-")
        if not (low.isdecimal() and (high.isdecimal() if dash else not high)):
            raise ValueError(f"window: {run[:40]!r} is neither an id nor a range of ids")
        if int(high or low) - int(low) > LONGEST_RUN:
            raise ValueError(f"window: {run[:40]!r} is longer than any window")
        posts.update(range(int(low), int(high or low) + 1))
    return tuple(sorted(posts))


LONGEST_RUN = 100_000
"""A damaged cursor must not fill the memory."""


def _differs(known: str | None, shown: str | None) -> bool:
    return known is None or shown != known
