"""A fingerprint of a post stands for the hash of its draft."""

from hypothesis import given
from hypothesis import strategies as st

from connectors.telegram.post import Origin, Post, draft_of, print_of

POSTS = st.builds(
    Post,
    channel=st.just(1),
    name=st.sampled_from(["", "wire", "renamed"]),
    messages=st.sampled_from([(5,), (5, 6), (5, 6, 7)]),
    kind=st.sampled_from(["post", "service"]),
    status=st.sampled_from(["usable", "withheld", "withdrawn"]),
    text=st.sampled_from(["", "a", "b", "a\nb", "🇧🇷"]),
    date=st.sampled_from([None, "2026-07-04T21:08:00+00:00", "2026-07-04T21:08:01+00:00"]),
    edited=st.sampled_from([None, "2026-07-04T21:09:00+00:00"]),
    edited_hidden=st.booleans(),
    version=st.sampled_from([None, 0, 7]),
    reply_to=st.sampled_from([None, 3]),
    origin=st.sampled_from([None, Origin("other"), Origin("other", 2, 9)]),
    links=st.sampled_from([(), ("https://example.org/",)]),
    author=st.sampled_from([None, "desk"]),
    group=st.sampled_from([None, "g"]),
    pushed=st.booleans(),
)


@given(POSTS, POSTS)
def test_it_is_the_same_where_the_hash_is(one: Post, other: Post) -> None:
    same_hash = draft_of(one).hashed() == draft_of(other).hashed()
    assert (print_of(one) == print_of(other)) is same_hash
