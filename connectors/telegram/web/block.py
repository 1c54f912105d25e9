"""From the HTML of one block of the page to a post. Pure.

The bytes of an observation are

    {"channel": {"id": 123, "name": "bricsnews"}, "html": "<div class=tgme_widget_message ...>...</div>"}

The page is read from top to bottom by browsers, and its markup is nobody's promise. What keeps a change of it
from passing for silence: a post without a time is unreadable, and so is one that shows no words where there
are words in an element that is not known here, or shows nothing at all.
"""

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, Field
from pydantic_core import from_json, to_json
from selectolax.lexbor import LexborHTMLParser, LexborNode

from connectors.seam import Unreadable
from connectors.telegram.post import Origin, Post, draft_of
from connectors.telegram.reading import read
from connectors.telegram.web.text import ancestors, classes, links, plain, texts, within
from schemas.item import Draft

PAGE_TYPE = "application/vnd.dateline.telegram-page+json"
"""Content type of one block of a page."""

BLOCK = "div.tgme_widget_message"

_POST = re.compile(r"([A-Za-z0-9_]{1,64})/([1-9][0-9]{0,17})")
_ADDRESS = re.compile(
    r"https?://(?:t|telegram)\.me/(?:s/)?(?:c/(?P<channel>[0-9]{1,18})|(?P<name>[A-Za-z0-9_]{1,64}))"
    r"(?:/(?P<message>[1-9][0-9]{0,17}))?/?(?P<query>\?.*)?"
)

SHOWN = frozenset(
    f"tgme_widget_message_{end}"
    for end in (
        *("grouped_wrap", "photo_wrap", "video_player", "roundvideo_player", "roundvideo_wrap", "animated"),
        *("sticker_wrap", "sticker", "document_wrap", "voice_player", "voice", "location_wrap", "location"),
        *("venue", "poll", "contact_wrap", "contact", "invoice", "game", "giveaway", "story"),
        *("link_preview", "service_photo"),
    )
)
"""Classes of what a post can show beside words."""

AROUND = frozenset(
    f"tgme_widget_message_{end}"
    for end in (
        *("user", "author", "owner_name", "forwarded_from", "reply", "footer", "info", "meta", "reactions"),
        *("inline_keyboard", "inline_row", "inline_button", "via_bot", "bubble_tail"),
    )
) | {"message_media_not_supported_wrap", "message_media_not_supported", "copyonly"}
"""Classes of what stands around every post, with words that are not its own."""


GROUPED = ", ".join(
    f".tgme_widget_message_{end}"
    for end in ("grouped_wrap", "photo_wrap", "video_player", "document_wrap", "voice_player")
)
"""What can be part of an album."""


class _Channel(BaseModel):
    id: int = Field(ge=1)
    name: str = ""


class _Envelope(BaseModel):
    channel: _Channel
    html: str


def block_bytes(html: str, channel: int, name: str) -> bytes:
    """Give the bytes of an observation of one block."""
    return to_json({"channel": {"id": channel, "name": name}, "html": html})


def post_of(data: bytes, place: str) -> Post:
    """Make a post of one block.

    Raises:
        Unreadable: it is none, or the page has changed; the message names place and what is missing.
    """
    envelope = read(_Envelope, data, place, "block")
    block = LexborHTMLParser(envelope.html).css_first("body > *")
    if block is None or BLOCK.removeprefix("div.") not in classes(block):  # one further in is another post
        raise Unreadable(f"{place}: no {BLOCK} in it; the page has changed")
    return _post(block, envelope.channel, place)


def normalise(data: bytes, place: str) -> Draft:
    """Make a draft of one block.

    Raises:
        Unreadable: as `post_of` says.
    """
    return draft_of(post_of(data, place))


def address_of(block: LexborNode) -> tuple[str, int] | None:
    """Give name of the channel and id of the message that a block bears; none if it bears none."""
    found = _POST.fullmatch(block.attributes.get("data-post") or "")
    return (found[1], int(found[2])) if found else None


def view_of(block: LexborNode) -> Any:
    """Give what stands in a block's `data-view`; none if that cannot be read."""
    value = block.attributes.get("data-view") or ""
    try:
        return from_json(base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)))
    except (ValueError, binascii.Error):
        return None


def messages_of(block: LexborNode, name: str, first: int) -> tuple[int, ...]:
    """Give the ids of a block's messages, ascending; of an album several."""
    found = {first}
    for anchor in block.css('a[href*="?single"]'):
        address = _ADDRESS.fullmatch(anchor.attributes.get("href") or "")
        ours = address and address["message"] and (address["name"] or "").casefold() == name.casefold()
        if address and ours and not within(anchor, block, "js-message_text"):
            found.add(int(address["message"]))
    return tuple(sorted(found))


def may_be_part(block: LexborNode) -> bool:
    """Say whether a block can be of an album: a page that ends in it may show it without its other parts.

    What is left of an album that was cut to one message looks like a post of its own.
    """
    return block.css_first(GROUPED) is not None


def _post(block: LexborNode, channel: _Channel, place: str) -> Post:
    address = address_of(block)
    if address is None:
        raise Unreadable(f"{place}: data-post is {block.attributes.get('data-post')!r:.80}, not NAME/NUMBER")
    _check(block, address[1], place)
    time = block.css_first(".tgme_widget_message_date time[datetime]")
    date = (time.attributes.get("datetime") or "").strip() if time else ""
    if not date:
        raise Unreadable(f"{place}: no time in .tgme_widget_message_date; the page has changed")
    service = "service_message" in classes(block) or _notice(block) == "Service message"
    words = texts(block)
    status = "usable" if service or words else _status(block, place)
    author = block.css_first(".tgme_widget_message_from_author")
    messages = messages_of(block, *address)
    if messages[0] != address[1]:
        raise Unreadable(f"{place}: data-post says message {address[1]}, and it has message {messages[0]}")
    return Post(
        channel=channel.id,
        name=channel.name,
        messages=messages,
        kind="service" if service else "post",
        status=status,
        text="" if service else "\n".join(filter(None, [*words, *_poll(block)])),
        date=date,
        reply_to=None if service else _reply_to(block, address[0]),
        origin=_origin(block),
        links=() if service else tuple(dict.fromkeys([*links(block), *_preview(block)])),
        author=plain(author) or None if author else None,
    )


def _check(block: LexborNode, message: int, place: str) -> None:
    """Compare the three places where a block says which message it is, and see that it is only one."""
    if sum("tgme_widget_message" in classes(one) for one in block.css(".tgme_widget_message")) > 1:
        raise Unreadable(f"{place}: another block in it; the page has changed")
    view = view_of(block)
    said = str(view.get("p", "")).removesuffix("g") if isinstance(view, dict) else ""
    if said not in ("", str(message)):
        raise Unreadable(f"{place}: data-post says message {message}, data-view says {said:.80}")
    for dated in block.css("a.tgme_widget_message_date[href]"):
        address = _ADDRESS.fullmatch(dated.attributes.get("href") or "")
        if address and address["message"] != str(message):
            other = address["message"]
            raise Unreadable(f"{place}: data-post says message {message}, a time in it is that of {other}")


def _status(block: LexborNode, place: str) -> str:
    """Judge a post without words: media alone is a post like others; a mere notice withholds it."""
    strange = next(_strange_words(block), None)
    if strange is not None:
        raise Unreadable(f"{place}: no words, and {strange} is not known here; the page has changed")
    if any(SHOWN & set(classes(one)) for one in block.css("[class]")):
        return "usable"
    if block.css_first(".message_media_not_supported") is not None:
        return "withheld"
    raise Unreadable(f"{place}: neither words nor media in it; the page has changed")


def _strange_words(block: LexborNode) -> Iterator[str]:
    """Give the elements with words of which nobody here knows what they say."""
    known = SHOWN | AROUND
    for node in block.traverse(include_text=True):
        if node.is_text_node and (node.text_content or "").strip():
            around = list(ancestors(node, block))
            if not any(known & set(classes(one)) or one.tag in ("script", "style") for one in around):
                named = next((one for one in around if classes(one)), block)
                yield f"{named.tag}.{'.'.join(classes(named))}"[:120]


def _notice(block: LexborNode) -> str:
    """Give what a block says instead of what it does not show."""
    label = block.css_first(".message_media_not_supported_label")
    return plain(label).strip() if label else ""


def _poll(block: LexborNode) -> list[str]:
    found = block.css(".tgme_widget_message_poll_question, .tgme_widget_message_poll_option_text")
    return [plain(one) for one in found]


def _reply_to(block: LexborNode, name: str) -> int | None:
    """Give what the post answers; an answer to a post of another channel is none in this one."""
    reply = block.css_first("a.tgme_widget_message_reply[href]")
    address = _ADDRESS.fullmatch(reply.attributes.get("href") or "") if reply else None
    if address is None or address["message"] is None or address["name"] is None:
        return None
    return int(address["message"]) if address["name"].casefold() == name.casefold() else None


def _origin(block: LexborNode) -> Origin | None:
    found = block.css_first(".tgme_widget_message_forwarded_from_name")
    if found is None:
        return None
    address = _ADDRESS.fullmatch(found.attributes.get("href") or "")
    if address is None:
        return Origin(name=plain(found))
    return Origin(
        name=address["name"] or plain(found),
        channel=int(address["channel"]) if address["channel"] else None,
        message=int(address["message"]) if address["message"] else None,
    )


def _preview(block: LexborNode) -> list[str]:
    found = block.css_first("a.tgme_widget_message_link_preview[href]")
    href = found.attributes.get("href") if found else None
    return [href] if href else []
