"""The text of a page is the text of the API."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from connectors.telegram.web.text import links, plain, texts
from tests.telegram.pages import Entity, html_of

BOLD, ITALIC, PRE, QUOTE = (f"MessageEntity{one}" for one in ("Bold", "Italic", "Pre", "Blockquote"))


def read(html: str) -> str:
    block = LexborHTMLParser(f'<div class="b"><div class="js-message_text">{html}</div></div>').css_first(
        "div.b"
    )
    assert block is not None
    return "\n".join(texts(block))


def entity(kind: str, offset: int, length: int, **more: Any) -> Entity:
    return {"_": kind, "offset": offset, "length": length, **more}


TABLE: dict[str, tuple[str, str]] = {
    "bold and a line break": ("<b>Breaking</b><br/>More", "Breaking\nMore"),
    "emoji": ("""<i class="emoji" style="x"><b>🔥</b></i> hot""", "🔥 hot"),
    "emoji in italics": ("""<i><i class="emoji"><b>🗳</b></i></i> vote""", "🗳 vote"),
    "custom emoji": (
        """<tg-emoji emoji-id="5"><i class="emoji"><b>🙂‍↕️</b></i></tg-emoji> <b>CZ</b>""",
        "🙂‍↕️ CZ",
    ),
    "spoiler": ("a <tg-spoiler>secret</tg-spoiler> b", "a secret b"),
    "hidden link": ('see <a href="https://example.org/a" onclick="x">here</a>.', "see here."),
    "hashtag": ('<a href="?q=%23%EC%9C%A0">#유가</a>', "#유가"),
    "quote between lines": ("a<br/><blockquote expandable>b<br/>c</blockquote><br/><br/>d", "a\nb\nc\n\nd"),
    "code": ("<pre><code class='language-py'>if a:<br/>    b</code></pre>", "if a:\n    b"),
    "code with its own breaks": ("<pre>a\n  b\n</pre>", "a\n  b\n"),
    "spaces stay": ("a  b <br/> c ", "a  b \n c "),
    "no-break space": ("a&nbsp;b", "a\xa0b"),
    "escapes": ("&#036;USPX &quot;a&quot; &lt;b&gt; &amp;amp; &#39;&#33;", '$USPX "a" <b> &amp; \'!'),
    "line breaks of the markup": ("\n      a<br/>b\n      ", "a\nb"),
    "nothing": ("", ""),
    "a comment": ("a<!-- b -->c", "ac"),
    "a script": ("a<script>b</script>c", "ac"),
}


@pytest.mark.parametrize("case", TABLE)
def test_what_the_words_are(case: str) -> None:
    html, text = TABLE[case]
    assert read(html) == text


def test_captions_are_nested_once_more() -> None:
    inner = '<div class="js-message_text">one<br/>two</div>'
    assert read(inner) == "one\ntwo"
    assert read(f'{inner}<div class="js-message_text">three</div>') == "one\ntwo\nthree"


def test_the_words_that_are_answered_are_not_the_posts() -> None:
    block = LexborHTMLParser(
        '<div class="b"><a class="tgme_widget_message_reply"><div class="js-message_reply_text">old</div>'
        '<div class="js-message_text">old, too</div></a><div class="js-message_text">new</div></div>'
    ).css_first("div.b")
    assert block is not None
    assert texts(block) == ["new"]


def test_where_words_lead_to() -> None:
    html = html_of(
        "here, b.org, @Channel, #tag",
        [
            entity("MessageEntityTextUrl", 0, 4, url="https://a.org/?x=1&y=2"),
            entity("MessageEntityUrl", 6, 5),
            entity("MessageEntityMention", 13, 8),
            entity("MessageEntityHashtag", 23, 4),
        ],
    )
    block = LexborHTMLParser(f'<div class="b"><div class="js-message_text">{html}</div></div>').css_first(
        "div.b"
    )
    assert block is not None
    assert list(links(block)) == ["https://a.org/?x=1&y=2", "http://b.org"]


def test_deep_nesting_is_read() -> None:
    deep = "<b>" * 5000 + "x" + "</b>" * 5000
    assert read(deep) == "x"


SIGNS = st.sampled_from(
    [*"ab <>&\"'!$\n\t#@.;/", "Я", "ß", "🔥", "🇧", "🇷", "✍", "\ufe0f", "\u200d", "\xa0", "中", "\u202e"]
)
KINDS = [
    *("Bold", "Italic", "Underline", "Strike", "Code", "Spoiler", "Blockquote", "CustomEmoji", "Hashtag"),
    *("TextUrl", "Mention", "Phone", "Cashtag"),
]


@st.composite
def posts(draw: st.DrawFn) -> tuple[str, list[Entity]]:
    """Texts with entities that nest, cut between whole characters."""
    signs = draw(st.lists(SIGNS, min_size=1, max_size=40))
    edges = [0]
    for sign in signs:
        edges.append(edges[-1] + len(sign.encode("utf-16-le")) // 2)

    def inside(low: int, high: int, depth: int) -> list[Entity]:
        if depth == 0 or low >= high or not draw(st.booleans()):
            return []
        start = draw(st.integers(low, high - 1))
        stop = draw(st.integers(start + 1, high))
        kind = f"MessageEntity{draw(st.sampled_from(KINDS))}"
        one = entity(kind, edges[start], edges[stop] - edges[start], url="https://a.org/?b&c")
        return [one, *inside(start, stop, depth - 1), *inside(stop, high, depth)]

    return "".join(signs), inside(0, len(signs), 3)


@given(posts())
def test_text_and_entities_survive_the_page(post: tuple[str, list[Entity]]) -> None:
    text, entities = post
    assert read(html_of(text, entities)) == text


def test_plain_of_an_element_without_words() -> None:
    node = LexborHTMLParser("<p></p>").css_first("p")
    assert node is not None
    assert plain(node) == ""
