"""Pages and blocks: rendered ones, damaged ones, and real ones where they are there."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic_core import from_json

from connectors.seam import SourceFailed, Unreadable
from connectors.telegram.post import Origin, Post
from connectors.telegram.web.block import block_bytes, post_of
from connectors.telegram.web.page import Page, read
from tests.connectors.telegram.web import coverage, mutate
from tests.connectors.telegram.web.site import Site

SHARED = coverage.SHARED
needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="the folder ../shared is not there")


def page_of(site: Site, spoil: tuple[str, str] = ("", "")) -> Page:
    html = site.render()
    return read(html.replace(*spoil) if spoil[0] else html, site.name, f"https://t.me/s/{site.name}")


def only(**more: object) -> Post:
    site = Site()
    site.next_id = 17
    site.post(**more)  # type: ignore[arg-type]
    (block,) = page_of(site).blocks
    assert block.problem is None
    assert block.post is not None
    return block.post


def test_what_a_page_tells_of_its_channel() -> None:
    site = Site()
    for _ in range(30):
        site.post("A post.")
    page = page_of(site)
    assert (page.channel, page.name, page.title) == (site.channel, "BricsNews", "BRICS News 📮")
    assert page.subscribers == "15.3K"
    assert [block.first for block in page.blocks] == list(range(11, 31))
    assert (page.before, page.after) == (11, None)
    assert page.rendered == site.seconds


POSTS: dict[str, tuple[dict[str, object], dict[str, object]]] = {
    "text": ({"text": "A post."}, {"text": "A post.", "messages": (17,), "kind": "post", "status": "usable"}),
    "photo with words": ({"text": "Words.", "media": "photo"}, {"text": "Words."}),
    "photo alone": ({"media": "photo"}, {"text": "", "status": "usable"}),
    "video alone": ({"media": "video"}, {"text": "", "status": "usable"}),
    "video too big for the page": ({"media": "big"}, {"text": "", "status": "usable"}),
    "sticker": ({"media": "sticker"}, {"text": "", "status": "usable"}),
    "document": ({"media": "document"}, {"text": "", "status": "usable"}),
    "voice": ({"media": "voice"}, {"text": "", "status": "usable"}),
    "location": ({"media": "location"}, {"text": "", "status": "usable"}),
    "only in the app": ({"hidden": True}, {"text": "", "status": "withheld"}),
    "album": ({"text": "Words.", "parts": 3}, {"text": "Words.", "messages": (17, 18, 19)}),
    "album with two captions": (
        {"parts": 2, "captions": [("One.", []), ("Two.", [])]},
        {"text": "One.\nTwo.", "messages": (17, 18)},
    ),
    "poll": ({"poll": ("Now?", ("Yes", "No 🔥"))}, {"text": "Now?\nYes\nNo 🔥"}),
    "service": ({"service": "Channel photo updated"}, {"text": "", "kind": "service", "status": "usable"}),
    "service without its class": (
        {"hidden": True, "notice": "Service message"},
        {"text": "", "kind": "service", "status": "usable"},
    ),
    "signed": ({"text": "A.", "author": "Álvaro"}, {"author": "Álvaro", "text": "A."}),
    "edited": ({"text": "A.", "edited": True, "author": "Á"}, {"author": "Á", "edited": None}),
    "answer": ({"text": "A.", "reply_to": ("bricsnews", 3)}, {"text": "A.", "reply_to": 3}),
    "answer to another channel": ({"text": "A.", "reply_to": ("other", 3)}, {"reply_to": None}),
    "forward": (
        {"text": "A.", "forward": ("Some channel", "https://t.me/some/1178")},
        {"origin": Origin("some", message=1178)},
    ),
    "forward of a private channel": (
        {"text": "A.", "forward": ("Some channel", "https://t.me/c/123/45")},
        {"origin": Origin("Some channel", channel=123, message=45)},
    ),
    "forward of somebody hidden": ({"text": "A.", "forward": ("Ann 🔥", "")}, {"origin": Origin("Ann 🔥")}),
    "link preview": (
        {"text": "A.", "preview": "https://example.org/?a=1&b=2"},
        {"links": ("https://example.org/?a=1&b=2",)},
    ),
}


@pytest.mark.parametrize("case", POSTS)
def test_what_a_block_tells(case: str) -> None:
    shown, told = POSTS[case]
    post = only(**shown)
    assert {name: getattr(post, name) for name in told} == told
    assert post.date == "2026-07-04T12:01:00+00:00"


BROKEN = {
    "no time": ("<time datetime=", "<time data=", "no time in .tgme_widget_message_date"),
    "no id": ('data-post="BricsNews/2"', "data-past", "data-post is None, not NAME/NUMBER"),
    "strange id": ('data-post="BricsNews/2"', 'data-post="2"', "data-post is '2', not NAME/NUMBER"),
    "another id": ('data-post="BricsNews/2"', 'data-post="BricsNews/9"', "says message 9, data-view says 2"),
    "the time of another": (
        'href="https://t.me/BricsNews/2"><time',
        'href="https://t.me/BricsNews/8"><time',
        "of 8",
    ),
    "words renamed": (
        "js-message_text",
        "js-words",
        "no words, and div.tgme_widget_message_text.js-words is not known",
    ),
    "words gone": ("Words.", "", "neither words nor media in it"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_block_that_cannot_be_read_says_what_is_missing(case: str) -> None:
    old, new, message = BROKEN[case]
    site = Site()
    for _ in range(2):
        site.post("Fine.")
    site.posts[2].text = "Words."
    html = site.render()
    at = html.index('data-post="BricsNews/2"')
    html = html[:at] + html[at:].replace(old, new)
    if case == "words gone":
        html = html.replace('js-message_text" dir="auto"></div>', 'js-text"></div>')
    page = read(html, site.name, "https://t.me/s/BricsNews")
    (bad,) = (one for one in (*page.blocks, *page.lost) if one.problem)
    assert message in str(bad.problem)
    with pytest.raises(Unreadable, match=r"^https://t\.me/s/x/2: "):
        post_of(bad.data, "https://t.me/s/x/2")


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"[]", b"\xff", b'{"channel":{"id":0},"html":""}', b'{"channel":{"id":1}}']
)
def test_bytes_that_are_no_block(data: bytes) -> None:
    with pytest.raises(Unreadable, match=r"^here: "):
        post_of(data, "here")


def test_blocks_of_another_channel_are_none_of_ours() -> None:
    site, other = Site(), Site(name="Other", channel=5)
    site.post("Ours.")
    other.post("Theirs.")
    theirs = other.render()
    theirs = theirs[theirs.index('<div class="tgme_widget_message_wrap') : theirs.index("</section>")]
    html = site.render().replace("</section>", f"{theirs}</section>")
    page = read(html, site.name, "here")
    assert [block.post.text for block in page.blocks if block.post] == ["Ours."]
    assert page.foreign == 1


def test_the_name_may_be_spelled_otherwise() -> None:
    site = Site()
    site.post("Ours.")
    page = read(site.render(), "bricsNEWS", "here")
    assert (page.name, len(page.blocks), page.foreign) == ("BricsNews", 1, 0)


def test_one_id_for_two_different_blocks_is_refused() -> None:
    site = Site()
    site.post("One.")
    html = site.render()
    block = html[html.index('<div class="tgme_widget_message_wrap') : html.index("</section>")]
    assert len(read(html.replace("</section>", f"{block}</section>"), site.name, "here").blocks) == 1
    twice = html.replace("</section>", f"{block.replace('One.', 'Two.')}</section>")
    with pytest.raises(SourceFailed, match="here: shows message 1 twice and differently"):
        read(twice, site.name, "here")


@pytest.mark.parametrize(
    "html", ["", "<", "\0", "<html>", '<section class="tgme_channel_history"></section>']
)
def test_what_is_no_page_is_refused(html: str) -> None:
    with pytest.raises(SourceFailed, match=r"^here: "):
        read(html, "name", "here")


def test_damaged_pages_lose_nothing_in_silence() -> None:
    ends = mutate.run({mutate.NAME: mutate.sound_page()}, 300, seed=1)
    assert ends["pages"] == 300
    assert ends["posts"] > 1000


def test_the_page_that_is_damaged_is_sound() -> None:
    page = mutate.judged(mutate.sound_page(), mutate.NAME)
    assert isinstance(page, Page)
    assert len(page.blocks) == 12
    assert not any(block.problem for block in page.blocks)


def test_a_block_without_its_class_is_not_read_as_the_one_that_stands_in_it() -> None:
    site = Site()
    site.post("Inner.")
    (inner,) = page_of(site).blocks
    assert inner.post is not None
    html = f'<div class="broken" data-post="BricsNews/7">{from_json(inner.data)["html"]}</div>'
    with pytest.raises(Unreadable, match="the page has changed"):
        post_of(block_bytes(html, site.channel, site.name), "here")


@pytest.mark.shared
@needs_shared
def test_everything_on_real_pages_is_found() -> None:
    counts, missing = coverage.table(SHARED)
    assert missing == []
    assert counts["block"][1] >= 60
    assert all(there for _, there in counts.values())


@pytest.mark.shared
@needs_shared
def test_real_pages_know_their_channel_and_age() -> None:
    for name, _, page in coverage.pages_of(SHARED):
        assert page.channel, name
        assert page.rendered, name
        assert datetime.fromtimestamp(page.rendered, UTC).year in (2023, 2026), name


@pytest.mark.shared
@needs_shared
def test_real_pages_damaged_lose_nothing_in_silence() -> None:
    assert mutate.run(mutate.real_pages(Path(SHARED)), 60, seed=2)["posts"] > 100
