"""Renders t.me/s pages as Telegram does: modelled on real ones, and on nothing else.

`html_of` renders a text with its entities; `Shown` is what a page shows of a post; `page` renders a page.
"""

import base64
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any
from urllib.parse import quote

PAGE_MESSAGES = 20
"""A page shows about so many messages; each photo of an album counts."""

Entity = dict[str, Any]
"""As the API has it: `_`, `offset` and `length` in UTF-16 code units, and what else belongs to it."""

WRAPS = {
    "MessageEntityBold": "b",
    "MessageEntityItalic": "i",
    "MessageEntityUnderline": "u",
    "MessageEntityStrike": "s",
    "MessageEntityCode": "code",
    "MessageEntityPre": "pre",
    "MessageEntitySpoiler": "tg-spoiler",
    "MessageEntityBlockquote": "blockquote",
}


@dataclass
class Shown:
    """What a page shows of one post."""

    ids: tuple[int, ...]
    date: str
    text: str = ""
    entities: list[Entity] = field(default_factory=list)
    captions: list[tuple[str, list[Entity]]] = field(default_factory=list)
    media: str = ""  # photo, video, sticker, document, voice, location, big
    poll: tuple[str, tuple[str, ...]] | None = None
    service: str = ""
    reply_to: tuple[str, int] | None = None
    forward: tuple[str, str] | None = None  # name as shown, address
    preview: str = ""
    author: str = ""
    edited: bool = False
    hidden: bool = False  # only in the app
    notice: str = "Please open Telegram to view this post"
    views: str = "1.2K"


def emoji(sign: str) -> str:
    """Render an emoji as Telegram does."""
    name = sign.replace("\ufe0f", "").encode().hex().upper()
    style = f"background-image:url('//telegram.org/img/emoji/40/{name}.png')"
    return f'<i class="emoji" style="{style}"><b>{sign}</b></i>'


def is_emoji(sign: str) -> bool:
    """Say whether a character is one that the page renders as a picture."""
    return 0x1F300 <= ord(sign) <= 0x1FAFF or sign in "✅✍❤⚡"


def plain_html(text: str) -> str:
    """Render words without entities: line breaks, escapes, emoji."""
    out: list[str] = []
    for sign in text:
        if sign == "\n":
            out.append("<br/>")
        elif is_emoji(sign):
            out.append(emoji(sign))
        elif sign in "!$":
            out.append(f"&#{ord(sign):03d};")  # so does Telegram
        elif sign == "\ufe0f" and out and out[-1].endswith("</b></i>"):
            out[-1] = out[-1].replace("</b></i>", "\ufe0f</b></i>")
        else:
            out.append(escape(sign).replace("&#x27;", "&#39;"))
    return "".join(out)


def html_of(text: str, entities: Sequence[Entity]) -> str:
    """Render a text with its entities, which must nest."""
    units = text.encode("utf-16-le", "surrogatepass")

    def render(start: int, end: int, inside: list[Entity]) -> str:
        out, at = [], start
        while inside:
            first = inside[0]
            stop = first["offset"] + first["length"]
            nested = [one for one in inside[1:] if one["offset"] + one["length"] <= stop]
            out.append(plain_html(words(at, first["offset"])))
            out.append(wrap(first, render(first["offset"], stop, nested), words(first["offset"], stop)))
            at = stop
            inside = [one for one in inside[1:] if one["offset"] >= stop]
        return "".join(out) + plain_html(words(at, end))

    def words(start: int, end: int) -> str:
        return units[2 * start : 2 * end].decode("utf-16-le", "surrogatepass")

    ordered = sorted(entities, key=lambda one: (one["offset"], -one["length"]))
    return render(0, len(units) // 2, ordered)


def wrap(entity: Entity, inner: str, words: str) -> str:
    """Render one entity around what is in it."""
    kind = entity["_"]
    tag, more = WRAPS.get(kind, ""), ""
    if kind == "MessageEntityTextUrl":
        ask = r"return confirm('Open this link?\n\n'+this.href);"
        href = escape(escape(entity["url"]))  # twice, as the real page does
        tag, more = "a", f' href="{href}" target="_blank" rel="noopener" onclick="{ask}"'
    elif kind == "MessageEntityUrl":
        href = words if "://" in words else f"http://{words}"
        tag, more = "a", f' href="{escape(href)}" target="_blank" rel="noopener"'
    elif kind == "MessageEntityMention":
        tag, more = "a", f' href="https://t.me/{escape(words[1:])}" target="_blank"'
    elif kind in ("MessageEntityHashtag", "MessageEntityCashtag"):
        tag, more = "a", f' href="?q={quote(words, safe="", errors="replace")}"'
    elif kind == "MessageEntityCustomEmoji":
        tag, more = "tg-emoji", f' emoji-id="{entity.get("document_id", 1)}"'
    return f"<{tag}{more}>{inner}</{tag}>" if tag else inner


MEDIA = {
    "photo": '<a class="tgme_widget_message_photo_wrap 62 14" href="{url}" style="width:800px;'
    "background-image:url('https://cdn5.telesco.pe/file/x.jpg')\">\n"
    '  <div class="tgme_widget_message_photo" style="padding-top:69.25%"></div>\n</a>',
    "video": '<a class="tgme_widget_message_video_player js-message_video_player" href="{url}">'
    '<i class="tgme_widget_message_video_thumb"></i>\n<div class="tgme_widget_message_video_wrap">'
    '<video src="https://cdn5.telesco.pe/file/x.mp4" class="tgme_widget_message_video"></video></div>\n'
    '<time class="message_video_duration js-message_video_duration">0:27</time>\n{notice}</a>',
    "big": '<a class="tgme_widget_message_video_player not_supported js-message_video_player" href="{url}">'
    '<time class="message_video_duration">9:52</time>{notice}</a>',
    "sticker": '<div class="tgme_widget_message_sticker_wrap media_supported_cont">'
    '<i class="tgme_widget_message_sticker js-sticker_image"></i></div>',
    "document": '<a class="tgme_widget_message_document_wrap" href="{url}">'
    '<div class="tgme_widget_message_document"><div class="tgme_widget_message_document_title">a.pdf</div>'
    '<div class="tgme_widget_message_document_extra">1.2 MB</div></div></a>',
    "voice": '<a class="tgme_widget_message_voice_player js-message_voice_player" href="{url}">'
    '<audio class="tgme_widget_message_voice" src="https://cdn5.telesco.pe/file/x.ogg"></audio>'
    '<time class="tgme_widget_message_voice_duration">0:01</time></a>',
    "location": '<a class="tgme_widget_message_location_wrap" href="https://maps.google.com/maps?q=60,25">'
    '<div class="tgme_widget_message_location"></div></a>',
}
NOTICE = (
    '<div class="message_media_not_supported_wrap">\n  <div class="message_media_not_supported">\n'
    '    <div class="message_media_not_supported_label">{label}</div>\n'
    '    <a href="{url}" class="message_media_view_in_telegram">VIEW IN TELEGRAM</a>\n  </div>\n</div>'
)


def block(post: Shown, *, name: str, channel: int, title: str, rendered: int) -> str:
    """Render one post."""
    first = post.ids[0]
    url = f"https://t.me/{name}/{first}"
    number = f'"{first}g"' if len(post.ids) > 1 else str(first)
    view = f'{{"c":-{channel},"p":{number},"t":{rendered},"h":"5362c412117ff2eb1"}}'
    packed = base64.urlsafe_b64encode(view.encode()).decode().rstrip("=")
    kind = " service_message" if post.service else ""
    return (
        f'<div class="tgme_widget_message_wrap js-widget_message_wrap"><div class="tgme_widget_message '
        f'text_not_supported_wrap{kind} js-widget_message" data-post="{name}/{first}" data-view="{packed}">\n'
        f'<div class="tgme_widget_message_user"><a href="https://t.me/{name}"><i '
        f'class="tgme_widget_message_user_photo bgcolor6" data-content="t"></i></a></div>\n'
        f'<div class="tgme_widget_message_bubble">\n'
        f'<div class="tgme_widget_message_author accent_color"><a class="tgme_widget_message_owner_name" '
        f'href="https://t.me/{name}"><span dir="auto">{plain_html(title)}</span></a></div>\n'
        f"{inside(post, name, url)}\n{footer(post, url)}\n</div>\n</div></div>"
    )


def inside(post: Shown, name: str, url: str) -> str:
    """Render what stands between the channel's name and the footer."""
    if post.service:
        return f"<div {TEXT}>{plain_html(post.service)}</div>"
    if post.hidden:
        return NOTICE.format(label=post.notice, url=url)
    out = []
    if post.forward:
        shown, address = post.forward
        named = f'<span dir="auto">{plain_html(shown)}</span>'
        mark = 'class="tgme_widget_message_forwarded_from_name"'
        named = f'<a {mark} href="{address}">{named}</a>' if address else f"<span {mark}>{named}</span>"
        out.append(
            f'<div class="tgme_widget_message_forwarded_from accent_color">Forwarded from&nbsp;{named}</div>'
        )
    if post.reply_to:
        where, which = post.reply_to
        out.append(
            f'<a class="tgme_widget_message_reply user-color-default" href="https://t.me/{where}/{which}">'
            f'\n<div class="tgme_widget_message_author accent_color">\n'
            f'<span class="tgme_widget_message_author_name" dir="auto">Somebody</span>\n</div>\n'
            f'<div class="tgme_widget_message_text js-message_reply_text" dir="auto">The words that are '
            f"answered</div>\n</a>"
        )
    out.append(media(post, name, url))
    if post.poll:
        out.append(poll(post.poll, url))
    if post.captions:
        nested = "".join(f"<div {TEXT}>{html_of(*one)}</div>" for one in post.captions)
        out.append(f"<div {TEXT}>{nested}</div>")
    elif post.text:
        out.append(f"<div {TEXT}>{html_of(post.text, post.entities)}</div>")
    if post.preview:
        out.append(
            f'<a class="tgme_widget_message_link_preview" href="{escape(post.preview)}">\n'
            f'<div class="link_preview_site_name accent_color" dir="auto">A site</div>\n'
            f'<div class="link_preview_title" dir="auto">A title</div>\n</a>'
        )
    return "".join(out)


TEXT = 'class="tgme_widget_message_text js-message_text" dir="auto"'


def media(post: Shown, name: str, url: str) -> str:
    """Render what is no text."""
    notice = NOTICE.format(label="This media is not supported in your browser", url=url)
    if len(post.ids) > 1:
        parts = "".join(
            f'<a class="tgme_widget_message_photo_wrap grouped_media_wrap blured js-message_photo" '
            f'href="https://t.me/{name}/{one}?single"><div class="grouped_media_helper"></div></a>'
            for one in post.ids
        )
        return (
            f'<div class="tgme_widget_message_grouped_wrap js-message_grouped_wrap">'
            f'<div class="tgme_widget_message_grouped">{parts}</div></div>'
        )
    return MEDIA[post.media].format(url=url, notice=notice) if post.media else ""


def poll(asked: tuple[str, tuple[str, ...]], url: str) -> str:
    """Render a poll."""
    question, answers = asked
    part = "tgme_widget_message_poll_option"
    options = "".join(
        f'  <div class="{part}">\n<div class="{part}_percent">0%</div>\n<div class="{part}_value">\n'
        f'<div class="{part}_text">{plain_html(one)}</div>\n</div>\n</div>'
        for one in answers
    )
    return (
        f'<div class="tgme_widget_message_poll js-poll">\n<div class="tgme_widget_message_poll_question">'
        f'{plain_html(question)}</div>\n<div class="tgme_widget_message_poll_type">Anonymous Poll</div>\n'
        f'<a class="tgme_widget_message_poll_options" href="{url}">{options}</a>\n</div>'
    )


def footer(post: Shown, url: str) -> str:
    """Render views, author, the mark of an edit, and the time."""
    views = "" if post.service else f'<span class="tgme_widget_message_views">{post.views}</span>'
    views += "" if post.service else '<span class="copyonly"> views</span>'
    author = (
        f'<span class="tgme_widget_message_from_author" dir="auto">{plain_html(post.author)}</span>,&nbsp;'
        if post.author
        else ""
    )
    edited = "edited &nbsp;" if post.edited else ""
    return (
        f'<div class="tgme_widget_message_reactions js-message_reactions"><span class="tgme_reaction">'
        f'{emoji("❤")}5</span></div><div class="tgme_widget_message_footer compact js-message_footer">\n'
        f'<div class="tgme_widget_message_info short js-message_info">\n{views}'
        f'<span class="tgme_widget_message_meta">{author}{edited}'
        f'<a class="tgme_widget_message_date" href="{url}">'
        f'<time datetime="{post.date}" class="time">{post.date[11:16]}</time></a></span>\n</div>\n</div>'
    )


def window_of(
    posts: Sequence[Shown], *, before: int | None = None, after: int | None = None
) -> tuple[list[Shown], bool, bool]:
    """Choose what a page shows, counted by messages, so that it may cut an album in two.

    Returns:
        the posts; whether it links to older ones; whether it links to newer ones.
    """
    ids = sorted(one for post in posts for one in post.ids)
    if after is not None:
        chosen = [one for one in ids if one > after][:PAGE_MESSAGES]
    else:
        chosen = [one for one in ids if before is None or one < before][-PAGE_MESSAGES:]
    kept = set(chosen)
    shown = [cut(post, kept) for post in posts if kept & set(post.ids)]
    short = len(chosen) < PAGE_MESSAGES  # such pages leave links out, now and then; so here
    older = bool(chosen) and any(one < chosen[0] for one in ids) and not (short and chosen[0] % 2)
    newer = bool(chosen) and any(one > chosen[-1] for one in ids) and not (short and chosen[-1] % 2)
    return sorted(shown, key=lambda post: post.ids[0]), older, newer


def cut(post: Shown, kept: set[int]) -> Shown:
    """Give a post with those of its messages that are on the page."""
    ids = tuple(one for one in post.ids if one in kept)
    if ids == post.ids:
        return post
    first = ids[0] == post.ids[0]
    return Shown(ids, post.date, post.text if first else "", post.entities if first else [], media="photo")


def page(
    posts: Iterable[Shown],
    *,
    name: str,
    channel: int,
    title: str = "A channel",
    rendered: int = 1_785_382_009,
    before: int | None = None,
    after: int | None = None,
    subscribers: str = "15.3K",
) -> str:
    """Render a page of a channel."""
    shown, older, newer = window_of(list(posts), before=before, after=after)
    low, high = (shown[0].ids[0], shown[-1].ids[-1]) if shown else (0, 0)
    blocks = "".join(
        block(post, name=name, channel=channel, title=title, rendered=rendered) for post in shown
    )
    if not shown:
        blocks = (
            '<div class="tgme_widget_message_wrap js-widget_message_wrap">'
            '<div class="tgme_widget_message_centered">'
            '<div class="tme_no_messages_found">No posts found</div></div></div>'
        )
    return PAGE.format(
        name=name,
        title=escape(title),
        subscribers=subscribers,
        prev=f'<link rel="prev" href="/s/{name}?before={low}">' if older else "",
        next=f'<link rel="next" href="/s/{name}?after={high}">' if newer else "",
        more=MORE.format(name=name, way="before", at=low or "") if older or not shown else "",
        less=MORE.format(name=name, way="after", at=high) if newer else "",
        blocks=blocks,
        seconds=json.dumps(85.16),
    )


MORE = (
    '<div class="tgme_widget_message_centered js-messages_more_wrap"><a href="/s/{name}?{way}={at}" '
    'class="tme_messages_more js-messages_more" data-{way}="{at}"></a></div>'
)
PAGE = """<!DOCTYPE html>
<html>
  <head>
    <meta charset="utf-8">
    <title>{title} – Telegram</title>
    <meta property="og:title" content="{title}">
    {prev}
    {next}
    <link rel="canonical" href="/s/{name}">
  </head>
  <body class="widget_frame_base tgme_webpreview emoji_image thin_box_shadow tme_mode no_transitions">
    <header class="tgme_header search_collapsed">
      <div class="tgme_channel_info_header_title"><span dir="auto">{title}</span></div>
      <div class="tgme_channel_info_header_username"><a href="https://t.me/{name}">@{name}</a></div>
      <div class="tgme_channel_info_counters"><div class="tgme_channel_info_counter">
        <span class="counter_value">{subscribers}</span> <span class="counter_type">subscribers</span>
      </div></div>
    </header>
    <main class="tgme_main" data-url="/{name}">
      <div class="tgme_container">
        <section class="tgme_channel_history js-message_history">
          {more}{blocks}{less}
        </section>
      </div>
    </main>
  </body>
</html>
<!-- page generated in {seconds}ms -->
"""
