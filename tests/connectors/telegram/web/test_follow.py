"""Following a channel by its page, against a real server."""

from datetime import datetime

import pytest

from connectors.seam import Observation, SourceFailed
from tests.connectors.telegram.web.site import Site
from tests.connectors.telegram.web.wire import EARLY, filled, first_sights, normalise, watching


@pytest.mark.parametrize(("there", "wanted"), [(0, 100), (5, 100), (70, 100), (70, 33), (70, 20), (70, 1)])
async def test_first_contact_brings_in_as_many_as_wanted_oldest_first_as_backlog(
    there: int, wanted: int
) -> None:
    site = filled(there)
    async with watching(site, backfill_posts=wanted) as watch:
        seen = await watch.look()
        assert seen.ids == list(range(1, there + 1))[-wanted:]
        assert all(one.backlog and one.absent is None for one in seen.observations)
        assert "backlog" not in (seen.cursor or {})
        site.post("New.")
        later = await watch.look()
        assert later.ids == [there + 1]
        assert [one.backlog for one in later.observations] == [False]


async def test_none_wanted_means_none_and_what_comes_later_comes() -> None:
    site = filled(70)
    async with watching(site, backfill_posts=0) as watch:
        assert (await watch.look()).ids == []
        site.edit(69, "Edited, and none of ours.")
        site.post("New.")
        assert (await watch.look()).ids == [71]


async def test_all_since_a_day_however_many() -> None:
    site = filled(70)
    since = site.posts[12].date
    async with watching(site, backfill_posts=3, backfill_since=since) as watch:
        assert (await watch.look()).ids == list(range(12, 71))


async def test_what_is_told_of_a_post() -> None:
    site = filled(1)
    async with watching(site) as watch:
        (draft,) = (await watch.look()).drafts
    assert draft.item_id == f"telegram/{site.channel}/1"
    assert draft.source == "BricsNews"
    assert draft.published is not None
    assert draft.published.raw == "2026-07-04T12:01:00+00:00"
    assert draft.url == "https://t.me/BricsNews/1"


async def test_nothing_new_costs_one_request() -> None:
    site = filled(70)
    async with watching(site, **EARLY) as watch:
        await watch.look()
        before = len(site.asked)
        assert (await watch.look()).ids == []
        assert site.asked[before:] == ["/s/BricsNews"]


@pytest.mark.parametrize("missed", [1, 19, 20, 21, 45, 130])
@pytest.mark.parametrize("parts", [1, 3, 10])
async def test_after_an_outage_all_come_once_in_order(missed: int, parts: int) -> None:
    site = filled(5)
    async with watching(site, **EARLY) as watch:
        cursor = (await watch.look()).cursor
        await watch.again()
        new = [site.post(f"Missed {number}.", parts=parts, skip=number % 3) for number in range(missed)]
        seen = await watch.look(cursor)
        assert [one for one in seen.ids if one > 5] == new
        assert all(not one.backlog for one in seen.observations)
        albums = [draft for draft in seen.drafts if int(draft.native_id) > 5]
        assert all(len([r for r in one.relations if r.kind == "album"]) == parts - 1 for one in albums)
        assert not seen.missed


async def test_an_outage_is_bracketed_by_the_last_look_before() -> None:
    site = filled(5)
    async with watching(site, **EARLY) as watch:
        first = await watch.look()
        began = datetime.fromisoformat(str((first.cursor or {})["looked"]))
        await watch.again()
        new = site.post("Missed.")
        watch.clock.at += 3600
        seen = await watch.look(first.cursor)
        (observation,) = (one for one in seen.observations if normalise(one).native_id == str(new))
        assert observation.absent == began


async def test_an_outage_is_bracketed_likewise_when_it_is_caught_up_in_two_parts() -> None:
    site = filled(5)
    settings = {**EARLY, "reread_posts": 5}
    async with watching(site, **settings) as watch:
        cursor = (await watch.look()).cursor
    new = [site.post(f"Missed {number}.") for number in range(70)]
    part = await first_sights(site, 40, cursor, **settings)
    assert isinstance(part[-1], Observation)
    async with watching(site, **settings) as watch:
        seen = await watch.look(part[-1].cursor)
    rest = [one for one in seen.observations if int(normalise(one).native_id) >= new[45]]
    assert len(rest) == 25
    assert {one.absent for one in rest} == {datetime.fromisoformat(str((cursor or {})["looked"]))}


async def test_the_last_post_was_deleted_meanwhile_and_nothing_is_lost() -> None:
    site = filled(30)
    async with watching(site, **EARLY) as watch:
        cursor = (await watch.look()).cursor
        await watch.again()
        for gone in (28, 29, 30):
            site.delete(gone)
        new = [site.post(f"Missed {number}.") for number in range(50)]
        seen = await watch.look(cursor)
        assert [one for one, status in seen.states if status == "usable" and one > 30] == new
        assert [one for one, status in seen.states if status == "withdrawn"] == [28, 29, 30]


async def test_history_that_is_gone_is_a_gap_and_not_silence() -> None:
    site = filled(30)
    async with watching(site, **EARLY) as watch:
        cursor = (await watch.look()).cursor
        await watch.again()
        for post in list(site.posts):
            site.delete(post)
        new = site.post("After the flood.", skip=40)
        seen = await watch.look(cursor)
        assert seen.ids == [new]
        (gap,) = seen.missed
        assert f"posts 31 to {new - 1}" in gap.reason
        assert (await watch.look()).missed == []
        await watch.again()
        behind = await watch.look(gap.cursor or cursor)  # the process died right behind it
        assert behind.missed == []
        assert behind.ids == [new]


async def test_an_edit_on_the_newest_page_is_seen_at_the_next_look() -> None:
    site = filled(30)
    async with watching(site, **EARLY) as watch:
        await watch.look()
        site.edit(25, "Edited.")
        seen = await watch.look()
        assert [(draft.native_id, draft.text) for draft in seen.drafts] == [("25", "Edited.")]
        assert seen.observations[0].absent is not None
        assert (await watch.look()).ids == []


async def test_an_edit_and_a_deletion_further_down_are_seen_when_posts_are_read_again() -> None:
    site = filled(90)
    async with watching(site, **EARLY, reread_posts=60) as watch:
        first = await watch.look()
        began = datetime.fromisoformat(str((first.cursor or {})["looked"]))
        site.edit(35, "Edited.")
        site.delete(40)
        site.edit(20, "Too old to be read again.")
        assert (await watch.look()).ids == []
        watch.clock.at += 600
        seen = await watch.look()
        assert seen.states == [(35, "usable"), (40, "withdrawn")]
        assert [one.absent for one in seen.observations] == [began, began]
        assert (await watch.look()).ids == []


async def test_gone_is_only_what_lies_between_two_that_are_shown() -> None:
    site = filled(30)
    async with watching(site, **EARLY) as watch:
        had = (await watch.look()).cursor
        site.delete(30)
        for _ in range(3):
            looked = await watch.look()
            assert looked.ids == []
        await watch.again()
        site.post("One more.")
        seen = await watch.look(looked.cursor)
        assert (30, "withdrawn") in seen.states
        (gone,) = (one for one in seen.observations if normalise(one).native_id == "30")
        assert gone.absent == datetime.fromisoformat(str((had or {})["looked"]))  # no later look had it


async def test_after_an_outage_it_goes_forwards_and_each_step_is_kept() -> None:
    site = filled(5)
    async with watching(site, **EARLY) as watch:
        cursor = (await watch.look()).cursor
    for number in range(200):
        site.post(f"Missed {number}.")
    site.asked.clear()
    await first_sights(site, 10, cursor, **EARLY)
    assert site.asked == ["/s/BricsNews", "/s/BricsNews?after=4"]


async def test_gone_and_back_again() -> None:
    site = filled(10)
    async with watching(site, **EARLY) as watch:
        await watch.look()
        kept = site.posts[5]
        site.delete(5)
        assert (await watch.look()).states == [(5, "withdrawn")]
        site.posts[5] = kept
        assert (await watch.look()).states == [(5, "usable")]


async def test_after_a_restart_the_window_is_shown_once_and_edits_of_the_night_are_in_it() -> None:
    site = filled(50)
    async with watching(site, **EARLY, reread_posts=30) as watch:
        cursor = (await watch.look()).cursor
        await watch.again()
        site.edit(25, "Edited at night.")
        site.delete(26)
        seen = await watch.look(cursor)
        assert seen.ids == [*range(31, 51), *range(21, 31)]  # the newest page first: news does not wait
        assert [one for one, status in seen.states if status == "withdrawn"] == [26]
        assert (await watch.look()).ids == []


async def test_backfill_that_was_stopped_goes_on_as_backlog() -> None:
    site = filled(70)
    part = await first_sights(site, 25, backfill_posts=60)
    assert isinstance(part[-1], Observation)
    cursor = part[-1].cursor
    assert cursor is not None
    assert cursor["last"] == 35
    async with watching(site, backfill_posts=60, reread_posts=20) as watch:
        seen = await watch.look(cursor)
        assert [one for one in seen.ids if one > 35] == list(range(36, 71))
        assert all(one.backlog for one in seen.observations if int(normalise(one).native_id) > 35)
        assert "backlog" not in (seen.cursor or {})


async def test_albums_are_whole_wherever_a_page_ends() -> None:
    site = Site()
    for number in range(40):
        site.post(f"Album {number}.", parts=1 + number * 7 % 10, skip=number % 2)
    async with watching(site, **EARLY) as watch:
        seen = await watch.look()
        assert seen.ids == list(site.posts)
        for draft in seen.drafts:
            ids = site.posts[int(draft.native_id)].ids
            assert draft.alt_ids.get("message", str(ids[0])) == ",".join(map(str, ids))
            assert draft.text.startswith("Album ")
        watch.clock.at += 600
        assert (await watch.look()).ids == []


async def test_a_new_name_of_the_same_channel_is_taken_over() -> None:
    site = filled(3)
    async with watching(site, **EARLY) as watch:
        cursor = (await watch.look()).cursor
    site.name = "BRICS_Wire"
    site.post("Under the new name.")
    async with watching(site, **EARLY) as watch:
        seen = await watch.look(cursor)
    assert seen.drafts[-1].item_id == f"telegram/{site.channel}/4"
    assert seen.drafts[-1].source == "BRICS_Wire"
    assert seen.cursor is not None
    assert seen.cursor["name"] == "BRICS_Wire"


async def test_a_name_that_is_another_channel_now_stops_the_source() -> None:
    site = filled(3)
    async with watching(site, **EARLY) as watch:
        await watch.look()
        site.channel = 77
        with pytest.raises(
            SourceFailed, match=r"@BricsNews is now another channel \(number 77, was 1259934336\)"
        ):
            await watch.look()


async def test_what_the_api_keeps_in_the_cursor_is_carried_over() -> None:
    site = filled(3)
    async with watching(site) as watch:
        cursor = {
            "channel": site.channel,
            "name": "BricsNews",
            "last": 2,
            "window": "1-2",
            "looked": "2026-07-04T11:00:00+00:00",
            "pts": 17,
            "access": {"5": "99"},
        }
        seen = await watch.look(cursor)
        assert seen.ids == [1, 2, 3]
        assert seen.cursor is not None
        assert (seen.cursor["pts"], seen.cursor["access"]) == (17, {"5": "99"})
        assert (seen.cursor["last"], seen.cursor["window"]) == (3, "1-3")


@pytest.mark.parametrize("skip", [0, 30])
async def test_a_channel_that_begins_with_an_album_is_read_from_its_first_part(skip: int) -> None:
    site = Site()
    site.post("The first.", parts=3, skip=skip)
    for number in range(60):
        site.post(f"Post {number}.", media="photo")
    async with watching(site, **EARLY) as watch:
        seen = await watch.look()
        assert seen.ids == list(site.posts)
        assert seen.drafts[0].text == "The first."
        assert len(seen.drafts[0].relations) == 2
        assert not seen.missed
