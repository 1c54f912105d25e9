"""How much of real messages is read: per field, how often they have it and how often it was found.

    python -m tests.connectors.telegram.api.coverage [FOLDER]

What a message has is asked of its JSON here, with nothing of the reader's.
"""

import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from connectors.telegram.api.message import post_of
from connectors.telegram.post import Post

SHARED = Path(__file__).parents[5] / "shared/samples/telegram"
Raw = dict[str, Any]


def words(text: Any) -> str:
    """Give the words of a poll, however deep they stand."""
    return text["text"] if isinstance(text, dict) else str(text)


def poll(raw: Raw) -> list[str]:
    """Give question and answers; none of what is no poll."""
    found = (raw.get("media") or {}).get("poll")
    return [words(found["question"]), *(words(one["text"]) for one in found["answers"])] if found else []


def hidden_links(raw: Raw) -> list[str]:
    """Give the addresses behind words."""
    return [one["url"] for one in raw.get("entities") or () if one["_"] == "MessageEntityTextUrl"]


def shown_links(raw: Raw) -> list[str]:
    """Give the addresses that stand in the text; they are counted in UTF-16."""
    units = (raw.get("message") or "").encode("utf-16-le")
    spans = [
        (2 * one["offset"], 2 * one["length"])
        for one in raw.get("entities") or ()
        if one["_"] == "MessageEntityUrl"
    ]
    return [units[at : at + length].decode("utf-16-le") for at, length in spans]


FIELDS: dict[str, tuple[Callable[[Raw], Any], Callable[[Post, Any], bool]]] = {
    "id": (lambda raw: raw["id"], lambda post, value: post.messages == (value,)),
    "channel": (lambda raw: raw["peer_id"]["channel_id"], lambda post, value: post.channel == value),
    "text": (lambda raw: raw.get("message"), lambda post, value: value in post.text),
    "date": (lambda raw: raw["date"], lambda post, value: post.date == value),
    "edit": (lambda raw: raw.get("edit_date"), lambda post, value: post.edited == value),
    "hidden edit": (lambda raw: raw.get("edit_hide"), lambda post, value: post.edited_hidden is value),
    "link behind words": (hidden_links, lambda post, value: set(value) <= set(post.links)),
    "link in the text": (
        shown_links,
        lambda post, value: all(any(link.endswith(one) for link in post.links) for one in value),
    ),
    "link preview": (
        lambda raw: ((raw.get("media") or {}).get("webpage") or {}).get("url"),
        lambda post, value: value in post.links,
    ),
    "forward": (
        lambda raw: raw.get("fwd_from"),
        lambda post, value: (
            post.origin is not None
            and post.origin.message == value["channel_post"]
            and post.origin.date == value["date"]
        ),
    ),
    "reply": (
        lambda raw: (raw.get("reply_to") or {}).get("reply_to_msg_id"),
        lambda post, value: post.reply_to == value,
    ),
    "album": (lambda raw: raw.get("grouped_id"), lambda post, value: post.group == str(value)),
    "author": (lambda raw: raw.get("post_author"), lambda post, value: post.author == value),
    "poll": (poll, lambda post, value: post.text.splitlines()[-len(value) :] == value),
    "service": (lambda raw: raw["_"] == "MessageService", lambda post, _: post.kind == "service"),
}


def messages_of(folder: Path) -> Iterable[tuple[str, Raw]]:
    """Give name and JSON of each file that holds a message."""
    for file in sorted(folder.glob("*.json")):
        raw = json.loads(file.read_text("utf-8"))
        if isinstance(raw, dict) and raw.get("_") in ("Message", "MessageService"):
            yield file.name, raw


def enveloped(raw: Raw) -> bytes:
    """Put a message into an envelope, as the connector does."""
    channel = {"id": raw["peer_id"]["channel_id"], "name": "wire"}
    return json.dumps({"layer": 229, "channel": channel, "messages": [raw], "way": "history"}).encode()


def counted(folder: Path) -> dict[str, tuple[int, int]]:
    """Give for each field how often it was found, and how often it is there."""
    counts = dict.fromkeys(FIELDS, (0, 0))
    for name, raw in messages_of(folder):
        post = post_of(enveloped(raw), name)
        for field, (there, found) in FIELDS.items():
            if value := there(raw):
                good, total = counts[field]
                counts[field] = good + found(post, value), total + 1
    return counts


def main() -> int:
    """Print the table; 1 if anything was not found."""
    counts = counted(Path(sys.argv[1]) if len(sys.argv) > 1 else SHARED)
    for field, (found, total) in counts.items():
        print(f"{field:20} {found:4} of {total:4}")
    return int(any(found < total for found, total in counts.values()))


if __name__ == "__main__":
    sys.exit(main())
