"""How much of real pages is read: per field, how often the page has it and how often it was found.

    python -m tests.connectors.telegram.web.coverage [FOLDER]

What the page has is counted in its source by patterns that share nothing with the reader.
"""

import base64
import json
import re
import sys
from collections.abc import Callable, Iterable
from html import unescape
from pathlib import Path

from connectors.telegram.post import Post
from connectors.telegram.web.page import Block, Page, read

SHARED = Path(__file__).parents[5] / "shared/samples/telegram-web"
FRAME = '<main data-url="/{name}"><section class="tgme_channel_history">{html}</section></main>'

_START = re.compile(r'<div class="tgme_widget_message [^"]*"[^>]*?data-post="([^"]+)"')
_TAGS = re.compile(r"<[^>]*>")

FIELDS: dict[str, tuple[str, Callable[[Post, re.Match[str]], bool]]] = {
    "id": (r'data-post="[A-Za-z0-9_]+/(\d+)"', lambda post, found: int(found[1]) in post.messages),
    "channel": (r'data-view="([^"]+)"', lambda post, found: post.channel == number(found[1])),
    "text": (
        r'js-message_text"[^>]*>(?!\s*<div)(.*?)</div>',
        lambda post, found: post.kind == "service" or bare(found[1]) == post.text.strip(),
    ),
    "time": (r'<time datetime="([^"]+)"', lambda post, found: post.date == found[1]),
    "author": (
        r'message_from_author"[^>]*>(.*?)</span>',
        lambda post, found: post.author == unescape(_TAGS.sub("", found[1])),
    ),
    "reply": (r'message_reply[^"]*" href="[^"]*/(\d+)"', lambda post, found: post.reply_to == int(found[1])),
    "forward": (r"forwarded_from_name", lambda post, found: post.origin is not None),
    "forward address": (
        r'forwarded_from_name" href="https://t.me/(\w+)/(\d+)"',
        lambda post, found: post.origin is not None and post.origin.message == int(found[2]),
    ),
    "album part": (r'/(\d+)\?single"', lambda post, found: int(found[1]) in post.messages),
    "link": (
        r'js-message_text.*?<a href="(https?://[^"]*)" target="_blank" rel="noopener"',
        lambda post, found: unescape(unescape(found[1])) in post.links,
    ),
    "link preview": (
        r'message_link_preview" href="([^"]*)"',
        lambda post, found: unescape(found[1]) in post.links,
    ),
    "poll": (r'poll_option_text">([^<]*)<', lambda post, found: found[1].strip() in post.text.splitlines()),
    "service": (r"text_not_supported_wrap service_message", lambda post, found: post.kind == "service"),
}


def number(view: str) -> int:
    """Give the channel's number in a data-view."""
    return -int(json.loads(base64.urlsafe_b64decode(view + "=" * (-len(view) % 4)))["c"])


def bare(text: str) -> str:
    """Give a text without markup; at its ends some of the fragments have line breaks of their own."""
    return unescape(_TAGS.sub("", text.replace("<br/>", "\n"))).strip()


def pieces(html: str) -> list[str]:
    """Cut the source of a page into its blocks."""
    starts = [one.start() for one in _START.finditer(html)]
    ends = [*starts[1:], html.find("</section>", starts[-1]) if starts else 0]
    return [html[low : high if high >= 0 else None] for low, high in zip(starts, ends, strict=True)]


def pages_of(folder: Path) -> Iterable[tuple[str, str, Page]]:
    """Give name, source and page of each file with posts; a fragment is put into a frame."""
    for file in sorted(folder.glob("*.html")):
        html = file.read_text("utf-8")
        named = _START.search(html)
        if named is None:
            continue
        name = named[1].partition("/")[0]
        framed = html if "tgme_channel_history" in html else FRAME.format(name=name, html=html)
        yield file.name, html, read(framed, name, file.name)


def table(folder: Path) -> tuple[dict[str, list[int]], list[str]]:
    """Count per field what the pages have and what was found.

    Returns:
        found and there, by field; what was not found, in words.
    """
    counts = {field: [0, 0] for field in ("block", *FIELDS)}
    missing: list[str] = []
    for file, html, page in pages_of(folder):
        sources = pieces(html)
        blocks: dict[int, Block] = {one.messages[0]: one for one in page.blocks}
        for source in sources:
            there = _START.search(source)
            first = int(there[1].partition("/")[2]) if there else 0
            post = blocks[first].post if first in blocks else None
            tally(counts["block"], missing, f"{file} {first}: block", found=post is not None)
            for field, (pattern, right) in FIELDS.items():
                for found in re.finditer(pattern, source, re.DOTALL):
                    tally(
                        counts[field],
                        missing,
                        f"{file} {first}: {field}",
                        found=post is not None and right(post, found),
                    )
    return counts, missing


def tally(count: list[int], missing: list[str], what: str, *, found: bool) -> None:
    """Count one."""
    count[1] += 1
    count[0] += found
    if not found:
        missing.append(what)


def main() -> None:
    """Print the table."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else SHARED
    counts, missing = table(folder)
    for field, (found, there) in counts.items():
        print(f"{field:16} {found:4} of {there:4}")
    print(*missing, sep="\n")
    sys.exit(bool(missing))


if __name__ == "__main__":
    main()
