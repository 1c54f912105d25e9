"""From the HTML of t.me/s/NAME to a page of blocks. Pure.

A page without the expected frame, or without the channel's number, is refused: it is never "no news". Within
the frame every block is told: as a post, or as one that cannot be read and becomes a dead letter.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ValidationError
from selectolax.lexbor import LexborHTMLParser, LexborNode

from connectors.seam import SourceFailed, Unreadable
from connectors.telegram.post import Post, draft_of
from connectors.telegram.web.block import (
    BLOCK,
    address_of,
    block_bytes,
    may_be_part,
    post_of,
    view_of,
)
from connectors.telegram.web.text import classes, plain

HISTORY = "section.tgme_channel_history"
WRAP = ".tgme_widget_message_wrap"
NOTHING = ".tme_no_messages_found"

_MORE = re.compile(r"[?&](before|after)=([0-9]{1,18})")


@dataclass(frozen=True, slots=True)
class Block:
    """One block of a page.

    Attributes:
        data: the bytes of its observation.
        messages: ids of its messages, ascending; none if they cannot be read.
        part: it can be of an album, of which a page that ends in it may show no more.
        post: what was read; none of one that cannot be.
        problem: why it cannot be read.
        print: its fingerprint: the content hash, or what is wrong with it.
        behind: id of the block before it on the page; 0 if there is none.
    """

    data: bytes
    messages: tuple[int, ...]
    part: bool
    post: Post | None
    problem: str | None
    print: str
    behind: int

    @property
    def first(self) -> int:
        """The id that names it."""
        return self.messages[0]


@dataclass(frozen=True, slots=True)
class Page:
    """What a page shows.

    Attributes:
        channel: the channel's number; none where there is no post at all.
        name: the channel's public name in its own spelling.
        title: as it is shown.
        subscribers: as they are shown, such as 15.3K.
        blocks: whose ids can be read, ascending.
        lost: whose ids cannot.
        foreign: how many blocks are of another channel, by name and number.
        before: lowest id, where the page links to older posts; short pages leave that out, now and then.
        after: highest id, where it links to newer ones, likewise.
        rendered: when Telegram made it, in seconds since 1970: less in a page from a cache.
    """

    channel: int | None
    name: str
    title: str
    subscribers: str | None
    blocks: tuple[Block, ...]
    lost: tuple[Block, ...]
    foreign: int
    before: int | None
    after: int | None
    rendered: int | None


class _View(BaseModel):
    """What stands in `data-view`: number of the channel with a minus, and time of rendering."""

    c: int
    t: int = 0


def read(html: str | bytes, asked: str, place: str) -> Page:
    """Read a page.

    Args:
        html: the page.
        asked: the public name that it was asked for.
        place: its address, for messages.

    Raises:
        SourceFailed: it is no page of a channel's posts; the message says what is missing and what to do.
    """
    tree = LexborHTMLParser(html)
    history = tree.css_first(HISTORY)
    if history is None:
        raise SourceFailed(
            f"{place}: no {HISTORY}: there is no such channel, it is no channel, or its preview is disabled; "
            f"open the address in a browser, correct `channel`, or follow it with `via: api`"
        )
    shown = _shown_in(tree)  # also behind a section that damage has closed too early
    if not shown and history.css_first(NOTHING) is None:
        raise SourceFailed(f"{place}: neither {WRAP} nor {NOTHING} in {HISTORY}; the page has changed")
    views = [_view(one) for one in shown]
    name = _name(tree, shown, asked)
    channel = _channel(shown, views, {asked.casefold(), name.casefold()}, place)
    ours = [one for one, view in zip(shown, views, strict=True) if not _foreign(one, view, channel, name)]
    blocks: list[Block] = []
    for one in ours:
        behind = next((known.messages[-1] for known in reversed(blocks) if known.messages), 0)
        blocks.append(_block(one, channel or 0, name, place, behind))
    if len(blocks) > 1 and not any(one.post for one in blocks):
        raise SourceFailed(f"{place}: none of its {len(blocks)} blocks can be read; {blocks[0].problem}")
    return Page(
        channel=channel,
        name=name,
        title=_shown(tree, ".tgme_channel_info_header_title") or "",
        subscribers=_subscribers(tree),
        blocks=_ascending([one for one in blocks if one.messages], place),
        lost=tuple(one for one in blocks if not one.messages),
        foreign=len(shown) - len(ours),
        before=_more(tree, history, "before"),
        after=_more(tree, history, "after"),
        rendered=max((view.t for view in views if view), default=None),
    )


def _shown_in(tree: LexborHTMLParser) -> list[LexborNode]:
    """Give the blocks, also without a wrap; a wrap without a block; and whatever else bears an id."""
    found: dict[int, LexborNode] = {}  # a node is given once for each selector that it matches
    for one in tree.css(f"{BLOCK}, {WRAP}, [data-post]"):
        wrap = WRAP.removeprefix(".") in classes(one)
        empty = wrap and one.css_first(f"{BLOCK}, [data-post], {NOTHING}") is None
        if empty or not wrap or "data-post" in one.attributes:
            found[one.mem_id] = one
    return list(found.values())


def _view(block: LexborNode) -> _View | None:
    try:
        return _View.model_validate(view_of(block))
    except ValidationError:
        return None


def _name(tree: LexborHTMLParser, shown: Sequence[LexborNode], asked: str) -> str:
    """Give the name as the channel spells it: on its posts, or in the page's own address."""
    names = [address[0] for one in shown if (address := address_of(one))]
    main = tree.css_first("main[data-url]")
    own = (main.attributes.get("data-url") or "").strip("/") if main else ""
    for wanted in (asked.casefold(), own.casefold()):
        for name in reversed(names):
            if name.casefold() == wanted:
                return name
    return own or (names[-1] if names else asked)


def _channel(
    shown: Sequence[LexborNode], views: Sequence[_View | None], names: set[str], place: str
) -> int | None:
    """Give the channel's number; none of a page without posts.

    Raises:
        SourceFailed: the page says none, or several.
    """
    if not shown:
        return None
    numbers = set()
    for one, view in zip(shown, views, strict=True):
        address = address_of(one)
        if view is not None and view.c < 0 and address and address[0].casefold() in names:
            numbers.add(-view.c)
    if len(numbers) != 1:
        said = "several numbers" if numbers else "no number"
        raise SourceFailed(f"{place}: its data-view say {said} of the channel; the page has changed")
    return numbers.pop()


def _foreign(block: LexborNode, view: _View | None, channel: int | None, name: str) -> bool:
    """Say whether a block is of another channel, by its name and by its number."""
    address = address_of(block)
    return (
        address is not None
        and view is not None
        and -view.c != channel
        and address[0].casefold() != name.casefold()
    )


def _block(node: LexborNode, channel: int, name: str, place: str, behind: int) -> Block:
    data = block_bytes(node.html or "", channel, name)
    address = address_of(node)
    where = f"{place.partition('?')[0]}/{address[1]}" if address else place
    try:
        post = post_of(data, where)
    except Unreadable as problem:
        named = (address[1],) if address else ()
        said = f"unreadable: {problem}"
        return Block(data, named, may_be_part(node), None, str(problem), said, behind)
    return Block(data, post.messages, may_be_part(node), post, None, draft_of(post).hashed(), behind)


def _ascending(blocks: Sequence[Block], place: str) -> tuple[Block, ...]:
    """Order blocks by their ids; what is shown twice counts once.

    Raises:
        SourceFailed: two different blocks bear the same id.
    """
    found: dict[int, Block] = {}
    for one in blocks:
        if found.setdefault(one.first, one).print != one.print:
            raise SourceFailed(
                f"{place}: shows message {one.first} twice and differently; the page has changed"
            )
    return tuple(found[first] for first in sorted(found))


def _more(tree: LexborHTMLParser, history: LexborNode, where: str) -> int | None:
    """Give the id behind which the page says that there is more; none if there is no such link."""
    link = history.css_first(f"a.tme_messages_more[data-{where}]")
    value = link.attributes.get(f"data-{where}") if link else None
    if value and value.isdecimal():
        return int(value)
    head = tree.css_first(f'link[rel="{"prev" if where == "before" else "next"}"]')
    found = _MORE.search(head.attributes.get("href") or "") if head else None
    return int(found[2]) if found and found[1] == where else None


def _shown(tree: LexborHTMLParser, selector: str) -> str | None:
    found = tree.css_first(selector)
    return plain(found).strip() if found else None


def _subscribers(tree: LexborHTMLParser) -> str | None:
    for counter in tree.css(".tgme_channel_info_counter"):
        kind, value = counter.css_first(".counter_type"), counter.css_first(".counter_value")
        if kind and value and plain(kind).strip().startswith("subscriber"):
            return plain(value).strip()
    return None
