"""Where a channel stands: its cursor, read and spelled. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from connectors.seam import Cursor, SourceFailed
from connectors.telegram.window import read_spelled, spell

OWN = ("channel", "name", "last", "window", "looked", "pts", "first", "backlog", "unseen", "gone")


@dataclass(frozen=True, slots=True)
class Stand:
    """Where a channel stands; keys of the cursor that nobody here knows are carried along.

    Attributes:
        channel: the channel's number, pinned at first sight.
        name: its public name.
        last: highest message id up to which pages proved everything; none: first contact is not over.
        window: posts that existed, the newest ones.
        looked: when the last posts were looked at completely.
        pts: the channel's count of changes behind which the next difference begins; a hint, never a proof.
        first: lowest message id that was taken in.
        backlog: up to this id it is first contact that brings posts in.
        unseen: messages that were gone before they were seen; the look that will say so is not over.
        gone: messages above `last` that are known to be gone: no page shows a hole there as news.
        rest: the cursor's other keys.
    """

    channel: int
    name: str
    last: int | None = None
    window: tuple[int, ...] = ()
    looked: datetime | None = None
    pts: int | None = None
    first: int | None = None
    backlog: int = 0
    unseen: tuple[int, ...] = ()
    gone: tuple[int, ...] = ()
    rest: Mapping[str, Any] = field(default_factory=dict)

    def spell(self) -> dict[str, Any]:
        """Give the cursor."""
        spelled = {
            "channel": self.channel,
            "name": self.name,
            "last": self.last,
            "window": spell(self.window),
            "looked": self.looked and self.looked.isoformat(),
            "pts": self.pts,
            "first": self.first,
            "backlog": self.backlog or None,
            "unseen": spell(self.unseen) or None,
            "gone": spell(self.gone) or None,
        }
        return {**self.rest, **{key: value for key, value in spelled.items() if value is not None}}


def read_stand(cursor: Cursor | None, *, channel: int, name: str) -> Stand:
    """Read a cursor of either way; none is first contact.

    Args:
        cursor: as it was stored.
        channel: the channel's number now.
        name: its public name now.

    Raises:
        SourceFailed: it is damaged, or of another channel; the message says what to do.
    """
    if cursor is None:
        return Stand(channel, name)
    pinned = pinned_channel(cursor)
    if pinned is not None and pinned != channel:
        raise SourceFailed(
            f"@{name} is now another channel (id {channel}, was {pinned}): somebody else has the name. Give "
            "`channel` the former channel's new name, or follow the other one as a source of its own"
        )
    try:
        looked = cursor.get("looked")
        return Stand(
            channel,
            name,
            last=_number(cursor.get("last")),
            window=read_spelled(str(cursor.get("window") or "")),
            looked=datetime.fromisoformat(looked) if looked else None,
            pts=_number(cursor.get("pts")),
            first=_number(cursor.get("first")),
            backlog=_number(cursor.get("backlog")) or 0,
            unseen=read_spelled(str(cursor.get("unseen") or "")),
            gone=read_spelled(str(cursor.get("gone") or "")),
            rest={key: value for key, value in cursor.items() if key not in OWN},
        )
    except (TypeError, ValueError) as problem:
        raise SourceFailed(f"@{name}: the checkpoint is damaged ({problem}); it must be removed") from None


def pinned_channel(cursor: Cursor | None) -> int | None:
    """Give the number that the cursor pins; none at first contact.

    Raises:
        SourceFailed: the cursor is damaged.
    """
    try:
        return _number((cursor or {}).get("channel"))
    except (TypeError, ValueError) as problem:
        raise SourceFailed(f"the checkpoint is damaged ({problem}); it must be removed") from None


def _number(value: object) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{value!r:.40} is no number")
    return value
