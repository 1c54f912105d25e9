"""A post that could not be normalised goes through its source's normaliser again. Pure.

An operator marks its dead letter as requested; the process that owns the source finds that on deadletters.v1.
What comes of it stands in one transaction: the item and the letter as retried, or the letter with one more
attempt. A request that a crash left undone is still the newest record of its origin.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from connectors.seam import Observation
from pipeline.burial import original
from schemas.cloudevents import instant
from schemas.records import DeadLetter

TIMES = ("observed", "absent")
MARKS = ("observed_assumed", "backlog", "late")
"""What a letter keeps of an observation, beside its bytes, type and place."""


@dataclass(frozen=True, slots=True)
class Again:
    """A dead letter that is to be tried again, with the post as it was seen."""

    letter: DeadLetter
    sight: Observation


def particulars(sight: Observation) -> dict[str, str]:
    """Give how a post was seen, as a letter keeps it."""
    told = {"content-type": sight.content_type}
    told |= {name: instant(time) for name in TIMES if (time := getattr(sight, name)) is not None}
    return told | {name: "true" for name in MARKS if getattr(sight, name)}


def observation(letter: DeadLetter) -> Observation:
    """Give the post of a letter as it was seen; it has no cursor, since it moves none.

    Raises:
        ValueError: the letter does not hold all of it, or says it wrongly.
    """
    told = letter.headers
    return Observation(
        data=original(letter),
        content_type=told.get("content-type", ""),
        place=letter.place or letter.origin,
        observed=_time(told, "observed") or letter.recorded,
        observed_assumed="observed_assumed" in told,
        absent=_time(told, "absent"),
        backlog="backlog" in told,
        late="late" in told,
    )


def source_of(letter: DeadLetter) -> str | None:
    """Give the configured source of a post; letters of old do not name it, but begin with it."""
    behind = f"/{letter.place}@"
    return letter.source or (letter.origin.rpartition(behind)[0] or None)


def _time(told: Mapping[str, str], name: str) -> datetime | None:
    return datetime.fromisoformat(told[name]) if name in told else None
