"""From HTML to the plain text that the API gives for the same post. Pure.

The page writes line breaks as `<br/>`, emoji as `<i class="emoji"><b>...</b></i>` or inside of `<tg-emoji>`,
and everything else as elements around words. So the text is what its text nodes say, spaces included. Only
line breaks of the markup itself, at the two ends of an element, are no part of it.
"""

import re
from collections.abc import Iterator

from selectolax.lexbor import LexborNode

TEXT = ".js-message_text"
"""The words of a post. A quoted post, above an answer, has another class."""

_SILENT = frozenset({"script", "style", "template", "noscript"})
_HEAD = re.compile(r"\A[ \t]*\r?\n\s*")
_TAIL = re.compile(r"\s*\n[ \t]*\Z")


def plain(node: LexborNode) -> str:
    """Give what an element says, as the API's plain text."""
    pieces: list[str] = []
    nodes: list[LexborNode | None] = []
    for one in node.traverse(include_text=True):
        if one.tag == "br":
            pieces.append("\n")
            nodes.append(None)
        elif one.is_text_node and not _inside(one, node, _SILENT):
            pieces.append(one.text_content or "")
            nodes.append(one)
    if pieces and (first := nodes[0]) is not None and not _inside(first, node, {"pre"}):
        pieces[0] = _HEAD.sub("", pieces[0])
    if pieces and (last := nodes[-1]) is not None and not _inside(last, node, {"pre"}):
        pieces[-1] = _TAIL.sub("", pieces[-1])
    return "".join(pieces)


def texts(block: LexborNode) -> list[str]:
    """Give the texts of a post: mostly one, of an album its captions, whose elements are nested once more."""
    found = []
    for outer in block.css(TEXT):
        if within(outer, block, TEXT.removeprefix(".")) or within(outer, block, "tgme_widget_message_reply"):
            continue
        inner = [one for one in outer.css(TEXT) if one.mem_id != outer.mem_id]
        bare = any(one.is_text_node and (one.text_content or "").strip() for one in children(outer))
        found += [plain(one) for one in inner] if inner and not bare else [plain(outer)]
    return found


def links(block: LexborNode) -> Iterator[str]:
    """Give the addresses that the words of a post lead to: no tags, and no names of channels and people."""
    for anchor in block.css(f"{TEXT} a[href]"):
        href = anchor.attributes.get("href") or ""
        if "://" in href and not plain(anchor).startswith("@"):
            yield href.replace("&amp;", "&")  # the page escapes these twice, all that were ever seen


def within(node: LexborNode, top: LexborNode, name: str) -> bool:
    """Say whether an element stands inside of one of this class, below `top`."""
    return any(name in classes(one) for one in ancestors(node, top))


def classes(node: LexborNode) -> list[str]:
    """Give an element's classes."""
    return (node.attributes.get("class") or "").split()


def ancestors(node: LexborNode, top: LexborNode) -> Iterator[LexborNode]:
    """Give what an element stands in, from the inside out, up to `top` and without it."""
    parent = node.parent
    while parent is not None and parent.mem_id != top.mem_id:
        yield parent
        parent = parent.parent


def children(node: LexborNode) -> Iterator[LexborNode]:
    """Give what stands directly in an element."""
    child = node.child
    while child is not None:
        yield child
        child = child.next


def _inside(node: LexborNode, top: LexborNode, tags: frozenset[str] | set[str]) -> bool:
    return top.tag in tags or any(one.tag in tags for one in ancestors(node, top))
