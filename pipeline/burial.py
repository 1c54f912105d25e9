"""Dead letters: what could not be processed, with its bytes as they were. Pure."""

import base64
import hashlib
import traceback
from datetime import datetime
from typing import Any

from pydantic_core import to_json

from schemas.records import DeadLetter

BODY_LIMIT_BYTES = 3_000_000
"""Of a dead letter's body, as it stands in its JSON."""


def encoded(data: bytes, limit: int) -> tuple[str, str, bool]:
    """Give bytes as a JSON string that takes at most `limit` bytes.

    Returns:
        The encoding (utf-8 where that is possible and fits, else base64), the text, and whether it was cut.
    """
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = None
    if text is not None and (len(data) * 6 <= limit or len(to_json(text)) <= limit):
        return "utf-8", text, False
    part = data[: limit // 4 * 3]
    return "base64", base64.b64encode(part).decode(), len(part) < len(data)


def dead_letter(
    data: bytes, origin: str, stage: str, problem: Exception, at: datetime, **more: Any
) -> DeadLetter:
    """Give the dead letter of some bytes.

    Args:
        data: the original.
        origin: where it stood; with it goes a digest of the bytes, since a URL shows other bytes tomorrow.
        stage: who could not process it.
        problem: why.
        at: when it was given up.
        more: further fields of the letter.
    """
    encoding, body, cut = encoded(data, BODY_LIMIT_BYTES)
    return DeadLetter(
        origin=f"{origin}@{hashlib.sha256(data).hexdigest()[:12]}",
        stage=stage,
        cause=f"{type(problem).__name__}: {problem}",
        trace="".join(traceback.format_exception(problem)) if problem.__traceback__ else None,
        encoding=encoding,
        body=body,
        truncated=cut,
        length=len(data),
        recorded=at,
        **more,
    )
