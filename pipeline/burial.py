"""Dead letters: what could not be processed, with its bytes as they were, and how they go back. Pure."""

import base64
import hashlib
import re
import traceback
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from pydantic_core import to_json

from schemas.records import DeadLetter

CONTROLS = re.compile(r"[\x00-\x1f\x7f]")
"""CloudEvents allows none of them in an id."""
BODY_LIMIT_BYTES = 3_000_000
"""Of a dead letter's body, as it stands in its JSON."""
PLACE_LIMIT = 2_000
"""Characters of a place. This and the limits below leave a letter within what its topic takes."""
CAUSE_LIMIT = 4_000
"""Characters: an error may quote all that it was given."""
TRACE_LIMIT = 20_000
"""Characters, half of them from each end: the first call and the last one tell most."""
HEADERS_LIMIT = 50_000
"""Characters of all headers together; ours are a hundredth of that."""


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


def fit(text: str, limit: int) -> str:
    """Give a text without its middle if it is too long, and with an escape for what UTF-8 cannot hold."""
    whole = text if len(text) <= limit else f"{text[: limit // 2]} … {text[-limit // 2 :]}"
    return whole.encode(errors="backslashreplace").decode()


def carried(headers: Iterable[tuple[str, bytes | None]]) -> dict[str, str]:
    """Give a record's headers as text; from the first one on that does not fit they are left out."""
    told: dict[str, str] = {}
    left = HEADERS_LIMIT
    for name, content in headers:
        text = (content or b"").decode(errors="replace")
        left -= len(name) + len(text)
        if left < 0:
            break
        told[name] = text
    return told


def original(letter: DeadLetter) -> bytes:
    """Give the bytes that a letter is about.

    Raises:
        ValueError: it holds only a part of them.
    """
    if letter.truncated:
        raise ValueError(f"{letter.origin}: only the first part of {letter.length} bytes is kept")
    return kept(letter)


def kept(letter: DeadLetter) -> bytes:
    """Give the bytes that a letter holds, which may be but the first ones."""
    return base64.b64decode(letter.body) if letter.encoding == "base64" else letter.body.encode()


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
    encoding, body, partly = encoded(data, BODY_LIMIT_BYTES)
    trace = "".join(traceback.format_exception(problem)) if problem.__traceback__ else None
    return DeadLetter(
        origin=f"{CONTROLS.sub(' ', fit(origin, PLACE_LIMIT))}@{hashlib.sha256(data).hexdigest()[:12]}",
        stage=stage,
        cause=fit(f"{type(problem).__name__}: {problem}", CAUSE_LIMIT),
        trace=trace and fit(trace, TRACE_LIMIT),
        encoding=encoding,
        body=body,
        truncated=partly,
        length=len(data),
        recorded=at,
        **more,
    )
