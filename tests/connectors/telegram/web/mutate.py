"""Damages pages and checks that nothing is dropped in silence.

    python -m tests.connectors.telegram.web.mutate [COUNT] [FOLDER]

Each block of a damaged page has to be a post, or unreadable by name, or the page has to be refused.
"""

import random
import re
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from selectolax.lexbor import LexborHTMLParser

from connectors.seam import SourceFailed, Unreadable
from connectors.telegram.post import draft_of
from connectors.telegram.web.block import post_of
from connectors.telegram.web.page import Page, read
from tests.connectors.telegram.web.site import Site

NAME = "BricsNews"
TOKEN = re.compile(r"token([b-z])x")
JUNK = [
    "<",
    ">",
    '"',
    "'",
    "&",
    "\0",
    "</div>",
    "<div>",
    "<b>",
    "</section>",
    "<!--",
    "-->",
    "\ufffd",
    "<svg>",
    "<pre>",
]


def letter(post: int) -> str:
    """Name a post by a letter: numbers are damaged on purpose."""
    return chr(ord("a") + post)


def sound_page() -> str:
    """Render a page with one post of each kind; every text has a token that names its post."""
    site = Site()
    kinds: list[dict[str, object]] = [
        {},
        {"media": "photo"},
        {"media": "video", "author": "Álvaro"},
        {"parts": 3},
        {"forward": ("Somebody", "https://t.me/other/17")},
        {"reply_to": (NAME, 2), "edited": True},
        {"preview": "https://example.org/a?b=1"},
        {"media": "document"},
    ]
    for number, more in enumerate(kinds):
        first = site.next_id
        post = site.post(f"token{letter(first)}x breaking: news {number}\nMore 🔥.", **more)  # type: ignore[arg-type]
        if number == 0:
            site.posts[post].entities.append({"_": "MessageEntityBold", "offset": 0, "length": 8})
    site.post(poll=("What now?", ("One", "Two")))
    site.post(service="Channel photo updated")
    site.post(hidden=True)
    site.post(media="sticker")
    return site.render()


def damage(html: str, chance: random.Random) -> str:
    """Damage a page in one to four ways."""
    for _ in range(chance.randint(1, 4)):
        html = chance.choice(WAYS)(html, chance)
    return html


def cut_out(html: str, chance: random.Random) -> str:
    low = chance.randrange(len(html) + 1)
    return html[:low] + html[low + chance.choice([1, 7, 60, 700]) :]


def cut_off(html: str, chance: random.Random) -> str:
    return html[: chance.randrange(len(html) + 1)]


def put_in(html: str, chance: random.Random) -> str:
    at = chance.randrange(len(html) + 1)
    return html[:at] + chance.choice(JUNK) * chance.choice([1, 1, 30]) + html[at:]


def repeat(html: str, chance: random.Random) -> str:
    low = chance.randrange(len(html) + 1)
    piece = html[low : low + chance.choice([5, 300, 3000])]
    at = chance.randrange(len(html) + 1)
    return html[:at] + piece + html[at:]


def other_sign(html: str, chance: random.Random) -> str:
    at = chance.randrange(max(len(html), 1))
    return html[:at] + chr(chance.choice([0, 32, 48, 57, 65, 0xFFFD, 0x202E, 0x1F525])) + html[at + 1 :]


def no_tag(html: str, chance: random.Random) -> str:
    found = list(re.finditer(r"</?\w[^>]*>", html))
    one = chance.choice(found) if found else None
    return html[: one.start()] + html[one.end() :] if one else html


def other_class(html: str, chance: random.Random) -> str:
    names = sorted(set(re.findall(r"(?:js|tgme|tme|message)[\w-]+", html)))
    name = chance.choice(names) if names else "x"
    count = chance.choice([1, -1])
    return html.replace(name, chance.choice(["renamed", name + "2", ""]), count)


def no_attribute(html: str, chance: random.Random) -> str:
    found = list(re.finditer(r' [\w-]+="[^"]*"', html))
    one = chance.choice(found) if found else None
    return html[: one.start()] + html[one.end() :] if one else html


def other_number(html: str, chance: random.Random) -> str:
    found = list(re.finditer(r"\d+", html))
    one = chance.choice(found) if found else None
    wrong = chance.choice(["0", "-1", "9" * 30, "7", "1e9", ""])
    return html[: one.start()] + wrong + html[one.end() :] if one else html


WAYS: list[Callable[[str, random.Random], str]] = [
    *(cut_out, cut_off, put_in, repeat, other_sign, no_tag, other_class, no_attribute, other_number),
]


def judged(html: str, asked: str) -> Page | str:
    """Read a page; give it, or why it is refused. Any other outcome is a bug."""
    try:
        page = read(html, asked, f"https://t.me/s/{asked}")
    except SourceFailed as problem:
        return str(problem)
    ids = LexborHTMLParser(html).css("[data-post]")
    there = {one.attributes.get("data-post") for one in ids}
    told = len(page.blocks) + len(page.lost) + page.foreign
    if told < len(there):
        raise AssertionError(f"{len(there)} blocks bear an id, {told} were told")
    for block in (*page.blocks, *page.lost):
        where = f"https://t.me/s/{asked}"
        try:
            post = post_of(block.data, where)
        except Unreadable as problem:
            if not block.problem or where not in str(problem):
                raise AssertionError(f"unreadable without a name: {problem}") from problem
        else:
            if draft_of(post).hashed() != block.print or not block.messages:
                raise AssertionError(f"{post.messages}: the page and its bytes give different posts")
            strange = {one for one in TOKEN.findall(post.text) if one != letter(post.messages[0])}
            if any(html.count(f"token{one}x") == 1 for one in strange):  # else the damage itself put it there
                raise AssertionError(f"{post.messages}: has the words of {strange}")
    return page


def run(pages: dict[str, str], count: int, seed: int) -> Counter[str]:
    """Damage pages and count how that ended."""
    chance = random.Random(seed)
    ends: Counter[str] = Counter()
    names = sorted(pages)
    for number in range(count):
        asked = names[number % len(names)]
        html = damage(pages[asked], chance)
        try:
            page = judged(html, asked)
        except Exception as problem:
            raise AssertionError(f"page {number} of seed {seed}: {problem}") from problem
        ends["pages"] += 1
        if isinstance(page, str):
            ends["refused"] += 1
            continue
        ends["posts"] += sum(block.post is not None for block in page.blocks)
        ends["unreadable, with an id"] += sum(block.post is None for block in page.blocks)
        ends["unreadable, without an id"] += len(page.lost)
        ends["of another channel"] += page.foreign
    return ends


def real_pages(folder: Path) -> dict[str, str]:
    """Give the real pages that are there, by the name they were asked for."""
    return {one.name[5:].partition("-")[0]: one.read_text("utf-8") for one in folder.glob("full_*.html")}


def main() -> None:
    """Run as a command."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    pages = {NAME: sound_page()}
    if len(sys.argv) > 2:
        pages |= real_pages(Path(sys.argv[2]))
    for end, times in run(pages, count, seed=7).items():
        print(f"{end:26} {times:7}")


if __name__ == "__main__":
    main()
