"""The settings of a Telegram channel."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, Field, NonNegativeInt, PositiveFloat, PositiveInt

from connectors.seam import SourceConfig

_ADDRESS = re.compile(r"(?:https?://)?(?:t\.me|telegram\.me)/(?:s/)?|@")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{3,31}")


def public_name(value: str) -> str:
    """Give the public name in what people write: `name`, `@name`, `t.me/name`, `https://t.me/s/name`.

    Raises:
        ValueError: it names no public channel; the message says why.
    """
    found = _ADDRESS.match(value.strip())
    name = value.strip()[found.end() if found else 0 :].partition("/")[0].partition("?")[0]
    if name.startswith("+") or name == "joinchat":
        raise ValueError("is an invitation to a private channel; only public ones can be followed")
    if not _NAME.fullmatch(name):
        raise ValueError("is no public name: letters, digits and _, such as bricsnews or t.me/bricsnews")
    return name


class TelegramConfig(SourceConfig):
    """A public channel, through its page on t.me or through the API; both give the same items."""

    kind: Literal["telegram"] = "telegram"
    channel: Annotated[str, AfterValidator(public_name)] = Field(
        description="the channel's public name, or its address on t.me", examples=["t.me/bricsnews"]
    )
    via: Literal["web", "api"] = Field(
        "web", description="web: the page t.me/s/..., without an account; api: with one, all and at once"
    )
    poll_seconds: PositiveFloat = Field(30, description="between two looks for what is new")
    reread_seconds: PositiveFloat = Field(
        600, description="between two looks at the last posts again, for edits and for what is gone"
    )
    reread_posts: PositiveInt = Field(100, le=1000, description="so many posts are looked at again")
    backfill_posts: NonNegativeInt = Field(
        100,
        description="so many posts are brought in at first contact, marked as backlog; through the API, "
        "beyond 200, so many messages",
    )
    backfill_since: AwareDatetime | None = Field(
        None,
        description="or all since then, however many; with its zone",
        examples=["2026-07-01T00:00:00Z"],
    )
    album_seconds: PositiveFloat = Field(
        2, le=60, description="a pushed part of an album waits so long for the others, and no longer"
    )
