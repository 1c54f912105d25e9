"""Damaged messages: each is still a post, or is called unreadable by place and field; nothing else comes out.

    python -m tests.connectors.telegram.api.mutate [COUNT] [FOLDER]

Mutates messages of our own, and real ones where there is a folder of them.
"""

import copy
import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

import structlog
from prometheus_client import CollectorRegistry

from connectors.seam import Lent, Observation, Unreadable
from connectors.telegram import Telegram, TelegramConfig, TelegramShared
from connectors.telegram.api.message import MESSAGE_TYPE
from tests.connectors.telegram.api.coverage import SHARED, enveloped, messages_of

OWN: dict[str, Any] = {
    "_": "Message",
    "id": 7,
    "peer_id": {"_": "PeerChannel", "channel_id": 12},
    "date": "2026-07-04T21:08:00+00:00",
    "message": "JUST IN: 🇺🇸 see here and t.me/x",
    "edit_date": "2026-07-04T21:18:00+00:00",
    "edit_hide": True,
    "grouped_id": 13_000_000_000_000_001,
    "entities": [
        {"_": "MessageEntityTextUrl", "offset": 14, "length": 3, "url": "https://example.com/"},
        {"_": "MessageEntityUrl", "offset": 27, "length": 6},
    ],
    "fwd_from": {
        "_": "MessageFwdHeader",
        "from_id": {"_": "PeerChannel", "channel_id": 3},
        "channel_post": 9,
        "date": "2026-07-04T20:00:00+00:00",
    },
    "reply_to": {"_": "MessageReplyHeader", "reply_to_msg_id": 5},
    "media": {"_": "MessageMediaWebPage", "webpage": {"_": "WebPage", "url": "https://example.com/a"}},
    "restriction_reason": [{"_": "RestrictionReason", "platform": "ios", "reason": "x", "text": "y"}],
}
OTHERS: Sequence[Any] = (
    None,
    True,
    -1,
    0,
    2**63,
    1e308,
    "",
    "x" * 5000,
    "\ud83c",
    "\x00",
    "2026-13-45T99:99:99+99:99",
    [],
    {},
    [[]],
    {"_": 5},
)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of everything in a value."""
    yield path
    rows = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in rows:
        yield from places(child, (*path, key))


def mutated(raw: dict[str, Any], random: Random) -> bytes:
    """Damage a message at one to three places, or its bytes."""
    if random.random() < 0.1:
        data = bytearray(enveloped(raw))
        for _ in range(random.randint(1, 5)):
            data[random.randrange(len(data))] = random.randrange(256)
        return bytes(data[: random.randrange(len(data))] if random.random() < 0.3 else data)
    envelope = json.loads(enveloped(copy.deepcopy(raw)))
    for _ in range(random.randint(1, 3)):
        path = random.choice(list(places(envelope))[1:])
        holder = envelope
        for key in path[:-1]:
            holder = holder[key]
        if random.random() < 0.3:
            del holder[path[-1]]
        else:
            holder[path[-1]] = copy.deepcopy(random.choice(OTHERS))
    return json.dumps(envelope).encode()


def run(count: int, messages: Sequence[dict[str, Any]], seed: int = 3) -> Counter[str]:
    """Damage so many messages; count what became of them.

    Raises:
        AssertionError: something else than a post or a refusal came out.
    """
    random, became = Random(seed), Counter[str]()
    shared = TelegramShared(Lent(CollectorRegistry(), structlog.get_logger()))
    connector = Telegram(TelegramConfig(name="wire", channel="wire", via="api"), shared)
    for number in range(count):
        data, place = mutated(random.choice(messages), random), f"t.me/wire/{number}"
        try:
            connector.normalise(Observation(data, MESSAGE_TYPE, place)).hashed()
            became["posts"] += 1
        except Unreadable as problem:
            became["unreadable" if place in str(problem) else "nowhere"] += 1
        except Exception as problem:
            raise AssertionError(f"{data!r}: {problem!r}") from problem
    return became


def main() -> None:
    """Print what became of them."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    folder = Path(sys.argv[2]) if len(sys.argv) > 2 else SHARED
    became = run(count, [OWN, *(raw for _, raw in messages_of(folder))])
    print(", ".join(f"{number} {what}" for what, number in became.items()), "- nothing else")


if __name__ == "__main__":
    main()
