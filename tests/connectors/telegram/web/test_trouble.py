"""When a look fails, and when it only seems to work: caches, drift, refusals, against a real server."""

import pytest

from connectors.seam import Looked, Observation, SourceFailed, Unreadable
from tests.connectors.telegram.web.site import Site
from tests.connectors.telegram.web.wire import EARLY, filled, first_sights, normalise, watching


async def test_an_old_page_from_a_cache_is_no_look() -> None:
    site = filled(10)
    site.keep(times=2)
    old = site.cached[""]
    site.cached.clear()
    async with watching(site, **EARLY) as watch:
        site.edit(5, "Edited.")
        await watch.look()
        site.cached[""] = old
        assert (await watch.look()).ids == []
        assert site.cached[""][1] == 0
        site.cached[""] = (old[0], 99)
        with pytest.raises(SourceFailed, match="only a page from a cache, 60 s older"):
            await watch.look()


async def test_the_age_of_the_newest_page_survives_a_restart() -> None:
    site = filled(10)
    site.keep(times=1)
    old = site.cached.pop("")
    async with watching(site, **EARLY) as watch:
        site.edit(5, "Edited.")
        cursor = (await watch.look()).cursor
        await watch.again()
        site.cached[""] = old
        seen = await watch.look(cursor)
        assert "Edited." in [draft.text for draft in seen.drafts]


async def test_a_page_from_the_future_does_not_make_the_next_ones_old() -> None:
    site = filled(3)
    async with watching(site, **EARLY) as watch:
        site.seconds += 30 * 86_400
        await watch.look()
        site.seconds -= 30 * 86_400
        site.post("New.")
        assert (await watch.look()).ids == [4]


@pytest.mark.parametrize(
    "cursor", [{"last": "x"}, {"channel": "?"}, {"last": 3, "window": "x"}, {"last": 3, "looked": "never"}]
)
async def test_a_damaged_cursor_is_told(cursor: dict[str, object]) -> None:
    async with watching(filled(3)) as watch:
        with pytest.raises(SourceFailed, match="@BricsNews: its checkpoint cannot be read"):
            await watch.look(cursor)


async def test_first_contact_that_the_other_way_began_is_made_here() -> None:
    site = filled(30)
    cursor = {"channel": site.channel, "name": "BricsNews", "window": "28-30", "pts": 5}
    async with watching(site, **EARLY) as watch:
        seen = await watch.look(cursor)
        assert seen.ids == list(range(1, 31))
        assert seen.cursor is not None
        assert seen.cursor["pts"] == 5
        await watch.again()
        with pytest.raises(SourceFailed, match="is now another channel"):
            await watch.look({**cursor, "channel": 77})


async def test_no_such_channel_or_no_preview_is_told_and_never_no_news() -> None:
    site = filled(3)
    site.preview = False
    async with watching(site) as watch:
        with pytest.raises(
            SourceFailed, match=r"leads to .*/BricsNews: there is no such channel, or its preview"
        ):
            await watch.look()


async def test_an_empty_channel_is_a_look_and_its_first_post_is_no_backlog() -> None:
    site = Site()
    async with watching(site) as watch:
        assert (await watch.look()).cursor is None
        site.post("The first.")
        seen = await watch.look()
        assert seen.ids == [1]
        assert [one.backlog for one in seen.observations] == [False]
        assert seen.observations[0].absent is not None


async def test_no_posts_at_all_where_there_were_some_is_no_look() -> None:
    site = filled(3)
    async with watching(site) as watch:
        cursor = (await watch.look()).cursor
        kept, site.posts = site.posts, {}
        with pytest.raises(SourceFailed, match="shows no posts, and had 3 before"):
            await watch.look()
        await watch.again()
        site.posts = kept
        assert (await watch.look(cursor)).ids == [1, 2, 3]


@pytest.mark.parametrize("wait", [None, "17"])
async def test_asked_too_often_is_a_failure_with_the_time_to_wait(wait: str | None) -> None:
    site = filled(3)
    site.refuse = (429, wait)
    async with watching(site) as watch:
        with pytest.raises(SourceFailed, match="HTTP 429") as problem:
            await watch.look()
    assert problem.value.retry_after == (17.0 if wait else None)


DRIFT = {
    "another frame": ("tgme_channel_history", "tg_history", "no section.tgme_channel_history"),
    "no blocks known": ("tgme_widget_message_wrap", "tg_wrap", ""),
    "neither wraps nor blocks": ("tgme_widget_message", "tg_message", "none of its 3 blocks can be read"),
    "nothing known at all": (
        "tgme_channel_history js-message_history",
        'tgme_channel_history"><!--',
        "neither",
    ),
    "no numbers": ("data-view", "data-sight", "its data-view say no number of the channel"),
    "another name": ('data-post="BricsNews', 'data-post="Another', "say no number"),
}


@pytest.mark.parametrize("case", DRIFT)
async def test_a_changed_frame_is_a_source_error(case: str) -> None:
    old, new, message = DRIFT[case]
    site = filled(3)
    site.spoil = lambda html: html.replace(old, new)
    async with watching(site) as watch:
        if not message:  # the blocks are found without the wraps
            assert (await watch.look()).ids == [1, 2, 3]
            return
        with pytest.raises(SourceFailed, match=message):
            await watch.look()


async def test_a_block_that_cannot_be_read_is_a_dead_letter_and_the_others_go_on() -> None:
    site = filled(5)
    site.spoil = lambda html: html.replace("js-message_text", "js-words", 3).replace(
        "js-words", "js-message_text", 2
    )
    found = await first_sights(site, 6)
    bad, looked = found[2], found[5]
    assert isinstance(bad, Observation)
    assert isinstance(looked, Looked)
    with pytest.raises(Unreadable, match=r"/s/BricsNews/3: no words, and div\.\S*js-words is not known here"):
        normalise(bad)
    others = [normalise(one).text for one in found if isinstance(one, Observation) and one is not bad]
    assert others == ["Post 0.", "Post 1.", "Post 3.", "Post 4."]


async def test_a_block_without_an_id_is_a_dead_letter_once_and_nothing_counts_as_gone() -> None:
    site = filled(5)
    async with watching(site, **EARLY) as watch:
        cursor = (await watch.look()).cursor
    site.spoil = lambda html: html.replace('data-post="BricsNews/3"', 'data-post="?"')
    found = await first_sights(site, 8, cursor, poll_seconds=0.01)
    observations = [one for one in found if isinstance(one, Observation)]
    (bad,) = (one for one in observations if one.place.endswith("/s/BricsNews/2, the block behind it"))
    with pytest.raises(Unreadable, match="the block behind it: data-post is '\\?'"):
        normalise(bad)
    others = [normalise(one) for one in observations if one is not bad]
    assert [(draft.native_id, draft.status) for draft in others] == [(one, "usable") for one in "1245"]
    assert sum(isinstance(one, Looked) for one in found) == 3
