"""Times as people type them."""

import re
from datetime import UTC, datetime, timedelta

import typer

AGO = re.compile(r"(\d{1,6})([mhd])")
UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
FORMS = "2026-07-04, 2026-07-04T16:07, 2026-07-04T18:07+02:00, or so long ago: 30m, 2h, 3d"


def instant(text: str) -> datetime:
    """Read a time; without a zone it is UTC.

    Raises:
        typer.BadParameter: it is none.
    """
    ago = AGO.fullmatch(text.strip())
    try:
        if ago is not None:
            return datetime.now(UTC) - int(ago[1]) * UNITS[ago[2]]
        time = datetime.fromisoformat(text.strip())
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError):
        raise typer.BadParameter(f"{text!r} is no time. Write {FORMS}") from None
