"""Is this a new item, an edit, the same again, or an old state from some cache? Pure.

Where the connector does not know it for an older state, this is compared, in this order: the source's own
version number, its `revised`, and when we observed it.
"""

from datetime import datetime
from typing import Literal, NamedTuple

from schemas.item import Draft
from schemas.records import Seen

HASHES_KEPT = 8

Kind = Literal["first", "later", "unchanged", "stale"]


class Judgement(NamedTuple):
    """What one observation is, against what ingest knows of its item.

    Attributes:
        kind: first or later are revisions; unchanged and stale are not.
        revision: the number of this revision, or of the one that it repeats.
        returned_to: the number of the earlier revision whose content came back by an edit.
        late: an older state that was never seen before; a revision, but not the newest state.
    """

    kind: Kind
    revision: int
    returned_to: int | None = None
    late: bool = False


def judge(
    draft: Draft, content_hash: str, observed: datetime, seen: Seen | None, *, late: bool = False
) -> Judgement:
    """Judge one observation.

    Args:
        draft: the normalised post.
        content_hash: its `hashed()`.
        observed: when it was observed.
        seen: what is known of its item; none if it is new.
        late: the connector knows that it is older than what it brought before.
    """
    if seen is None:
        return Judgement("first", 1)
    if content_hash == seen.current:
        return Judgement("unchanged", seen.revision)
    known = seen.hashes.get(content_hash)
    if late or is_older(draft, observed, seen):
        if known is not None:
            return Judgement("stale", known)
        return Judgement("later", seen.revision + 1, late=True)
    return Judgement("later", seen.revision + 1, returned_to=known)


def is_older(draft: Draft, observed: datetime, seen: Seen) -> bool:
    """Say whether this state came before the newest one we know, as far as anything tells."""
    if draft.version is not None and seen.version is not None:
        return draft.version < seen.version
    revised = draft.revised.lo if draft.revised else None
    if revised is not None and seen.revised is not None and revised != seen.revised:
        return revised < seen.revised
    return observed < seen.observed


def remember(
    draft: Draft,
    content_hash: str,
    observed: datetime,
    seen: Seen | None,
    judgement: Judgement,
    *,
    source: str,
    connector: str,
    listed: datetime,
) -> Seen:
    """Give what is known of the item after a revision.

    A late state is remembered, but the newest state stays the current one.
    """
    hashes = {**(seen.hashes if seen else {}), content_hash: judgement.revision}
    kept = dict(sorted(hashes.items(), key=lambda pair: pair[1])[-HASHES_KEPT:])
    late = judgement.late and seen is not None
    revised = draft.revised.lo if draft.revised else None
    return Seen(
        item_id=draft.item_id,
        source=source,
        revision=judgement.revision,
        current=seen.current if late and seen else content_hash,
        hashes=kept,
        connector=connector,
        version=seen.version if late and seen else draft.version,
        revised=seen.revised if late and seen else revised,
        observed=seen.observed if late and seen else observed,
        status=seen.status if late and seen else draft.status,
        listed=listed,
    )
