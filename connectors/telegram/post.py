"""What a Telegram post says, whichever way it came: API and page make this of it, and this makes a draft.

So both give the same `item_id` and the same content hash: what enters the hash is only what both show. A post
is one message, or one album: several messages of one group, which readers see as one, with one caption.
Pure.
"""

from dataclasses import dataclass
from hashlib import blake2b

from schemas.item import Draft, Relation
from schemas.stamp import Stamp


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a forwarded post comes from.

    Attributes:
        name: public name of the channel, or what is shown of an origin that has none or is hidden.
        channel: its number, where the API told it.
        message: id of the post there.
        date: when it was published there, as the API spells it.
    """

    name: str
    channel: int | None = None
    message: int | None = None
    date: str | None = None


@dataclass(frozen=True, slots=True)
class Post:
    """One post of a public channel.

    Attributes:
        channel: the channel's number, positive, without the -100 of bots.
        name: the channel's public name, in its own spelling; empty where it has none now.
        messages: ids of its messages, ascending; of an album several.
        kind: post, or service: the channel was renamed, a post was pinned, and the like.
        status: usable; withheld: Telegram does not show it to us; withdrawn: a look saw it gone.
        text: plain, with the line breaks and emoji of the source; of an album its captions, of a poll its
            question and answers, each on a line.
        date: when it was published, `2026-07-04T21:08:00+00:00`; none of one that is gone.
        edited: when it was edited last, spelled alike; the page does not say.
        edited_hidden: the edit is not to be shown: reactions, buttons and the like.
        version: the second of the last edit, 0 of one that was never edited: of two states the older has
            less, also where it comes later, from a cache. None where the way does not tell.
        reply_to: id of the message in this channel that it answers.
        origin: where it was forwarded from.
        links: addresses of its link preview and of what its words lead to, in their order.
        author: the signature under it.
        group: the API's number of the album.
        pushed: Telegram told us; otherwise we looked.
    """

    channel: int
    name: str
    messages: tuple[int, ...]
    kind: str = "post"
    status: str = "usable"
    text: str = ""
    date: str | None = None
    edited: str | None = None
    edited_hidden: bool = False
    version: int | None = None
    reply_to: int | None = None
    origin: Origin | None = None
    links: tuple[str, ...] = ()
    author: str | None = None
    group: str | None = None
    pushed: bool = False


def item_id(channel: int, message: int) -> str:
    """Give the identity of a post: the channel's number and the id of its first message."""
    return f"telegram/{channel}/{message}"


def draft_of(post: Post) -> Draft:
    """Make a draft of a post."""
    first = post.messages[0]
    alt_ids = {"message": ",".join(map(str, post.messages))} if len(post.messages) > 1 else {}
    if post.group:
        alt_ids["album"] = post.group
    if post.author:
        alt_ids["author"] = post.author
    return Draft(
        item_id=item_id(post.channel, first),
        source=post.name or str(post.channel),
        native_id=str(first),
        sequence=str(first),
        version=post.version,
        kind=post.kind,
        status=post.status,
        delivery="pushed" if post.pushed else "polled",
        url=f"https://t.me/{post.name}/{first}" if post.name else f"https://t.me/c/{post.channel}/{first}",
        text=post.text,
        published=Stamp.parse(post.date) if post.date else None,
        revised=Stamp.parse(post.edited) if post.edited else None,
        revised_hidden=post.edited_hidden,
        relations=tuple(_relations(post)),
        alt_ids=alt_ids,
    )


def print_of(post: Post) -> str:
    """Give a fingerprint: of two states of a post it is the same where the hash of their drafts is.

    To make a draft only to compare it takes as long as all else that is done with a post.
    """
    told = repr((post.kind, post.status, post.text, post.date, post.messages))
    return blake2b(told.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _relations(post: Post) -> list[Relation]:
    found = [
        Relation(kind="album", item_id=item_id(post.channel, message), source=None)
        for message in post.messages[1:]
    ]
    if post.reply_to is not None:
        target = item_id(post.channel, post.reply_to)
        # A page may stop to show it when the other post is deleted; it never changes.
        found.append(Relation(kind="reply_to", item_id=target, partial=True))
    if (origin := post.origin) is not None:
        known = origin.channel is not None and origin.message is not None
        found.append(
            Relation(
                kind="forward_of",
                item_id=item_id(origin.channel, origin.message) if known else None,  # type: ignore[arg-type]
                source=origin.name,
                date=Stamp.parse(origin.date) if origin.date else None,
                partial=True,  # the page knows no numbers and no dates, and neither ever changes
            )
        )
    found += [Relation(kind="same_url", source=link, partial=True) for link in post.links]
    return found
