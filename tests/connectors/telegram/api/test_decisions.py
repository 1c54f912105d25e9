"""Single decisions, where nothing else would make up for a wrong one."""

import pytest

from connectors.telegram.api.asks import Ask, Older, Page, Said, These
from connectors.telegram.api.known import Shown, Vanished
from connectors.telegram.api.telling import Hole
from tests.connectors.telegram.api.small import CONFIG, Channel, Desk

ALONE = CONFIG.model_copy(update={"poll_seconds": 1e9, "reread_seconds": 1e9})


def settled(desk: Desk) -> None:
    while desk.ask():
        desk.deliver()


def asking(desk: Desk) -> Ask:
    assert desk.ask()
    assert desk.asked is not None
    return desk.asked[0].ask


@pytest.fixture
def desk() -> Desk:
    desk = Desk(Channel(), ALONE)
    desk.channel.publish(1)
    desk.channel.publish(3)
    desk.channel.publish(1)
    settled(desk)
    return desk


def restarted(desk: Desk) -> None:
    """Forget all that the cursor does not say, and never look at the last posts again."""
    desk.restart(0)
    desk.standing.agenda.again = False
    settled(desk)
    desk.told.clear()


def test_an_edit_of_a_part_of_an_album_that_is_not_known_looks_at_all_of_it(desk: Desk) -> None:
    restarted(desk)
    desk.pushes.extend(desk.channel.edit(2))
    desk.push(0)
    assert desk.told == [], "a part alone is no post"
    settled(desk)
    shown = [one.what.parts for one in desk.told if isinstance(one.what, Shown)]
    albums = [parts for parts in shown if parts[0].group]
    assert [[part.body["text"] for part in parts] for parts in albums] == [["v0", "v1", "v0"]]


def test_a_part_of_an_album_that_is_not_known_goes(desk: Desk) -> None:
    restarted(desk)
    desk.pushes.extend(desk.channel.delete(2, 1))
    desk.push(0)
    settled(desk)
    assert not any(isinstance(one.what, Vanished) for one in desk.told)
    shown = [one.what.parts for one in desk.told if isinstance(one.what, Shown)]
    assert [[part.id for part in parts] for parts in shown if parts[0].group] == [[2, 4]]


def test_a_part_that_a_page_leaves_out_is_asked_for_and_is_no_edit(desk: Desk) -> None:
    desk.standing.agenda.again = True
    assert desk.ask()
    assert desk.asked is not None
    asked = desk.asked[0]
    assert isinstance(asked.ask, Older)
    page = tuple(part for number, part in sorted(desk.channel.messages.items()) if number != 3)
    desk.asked = (asked, Page(page, (), desk.channel.pts))
    before = len(desk.told)
    desk.deliver()
    while not isinstance(asking(desk), These):
        desk.deliver()
    assert asking(desk) == These((3,))
    settled(desk)
    assert not any(isinstance(one.what, Shown | Vanished) for one in desk.told[before:])


def test_what_a_page_shows_that_was_asked_for_before_a_deletion_is_not_back(desk: Desk) -> None:
    desk.standing.agenda.again = True
    desk.ask()
    desk.serve()
    desk.pushes.extend(desk.channel.delete(4, 1))
    desk.push(0)
    settled(desk)
    assert 5 in desk.books().gone
    assert desk.books().late == {}, "it was told"


def test_a_walk_that_is_shaken_goes_to_the_very_end(desk: Desk) -> None:
    desk.channel.page = 2
    desk.standing.heard(Said(desk.channel.messages[5]), desk.now())
    for _ in range(5):
        desk.channel.publish(1)
    desk.standing.agenda.newer = True
    desk.ask()
    desk.serve()
    desk.standing.shaken(desk.now())
    desk.standing.agenda.again = desk.standing.agenda.differ = False
    settled(desk)
    assert {one.what.parts[0].id for one in desk.told if isinstance(one.what, Shown)} >= {6, 7, 8, 9, 10}


def test_a_state_that_is_older_than_what_was_told_is_told_once_and_does_not_stay(desk: Desk) -> None:
    (first,) = desk.channel.edit(4)
    desk.channel.now += 60
    (second,) = desk.channel.edit(4)
    desk.told.clear()
    for update in (second, first, first, second):
        desk.standing.heard(update, desk.now())
    desk.collect()
    texts = [one.what.parts[0].body["text"] for one in desk.told if isinstance(one.what, Shown)]
    assert texts == ["v2", "v1"]
    states = desk.books().states[5]
    assert [parts[0].body["text"] for parts in states] == ["v2"], "ingest orders them by their last edit"


def texts(desk: Desk, post: int) -> list[str]:
    """What was told of a post, in that order; `-` is its end."""
    return [
        "-" if isinstance(one.what, Vanished) else one.what.parts[0].body["text"]
        for one in desk.told
        if (isinstance(one.what, Vanished) and one.what.messages[0] == post)
        or (isinstance(one.what, Shown) and one.what.parts[0].id == post)
    ]


def behind_the_look(desk: Desk, posts: list[int]) -> None:
    """Let a look see that posts are gone that were pushed, before their pushes are read."""
    desk.standing.agenda.newer = True
    settled(desk)
    assert all(texts(desk, post) == [] for post in posts)
    while desk.pushes:
        desk.push(0)
    desk.channel.now += ALONE.album_seconds + 1
    desk.standing.tick(desk.now())
    settled(desk)


@pytest.mark.parametrize("by", ["a look", "a push"])
def test_a_push_that_is_read_behind_the_end_of_its_post_is_told_with_its_end(desk: Desk, by: str) -> None:
    desk.pushes.extend(desk.channel.publish(1))
    if by == "a look":
        desk.channel.publish(1)  # so that the page has a hole
    desk.pushes.extend(desk.channel.delete(5, 1))
    if by == "a push":
        desk.push(1)
    behind_the_look(desk, [6])
    assert texts(desk, 6) == ["v0", "-"]
    late = next(one.what for one in desk.told if isinstance(one.what, Shown) and one.what.parts[0].id == 6)
    assert late.late
    assert late.absent is None, "the last look may be later than the post"
    desk.standing.heard(Said(late.parts[0], 1), desk.now())
    settled(desk)
    assert desk.books().states[6] == [late.parts], "a push that comes twice changes nothing"
    assert desk.books().gone == {6}
    assert holes(desk) == []


def test_an_album_that_went_while_nobody_told_goes_as_one_post(desk: Desk) -> None:
    desk.channel.delete(1, 3)
    desk.channel.now += 60
    desk.standing.agenda.again = True
    before = len(desk.told)
    settled(desk)
    told = [one.what for one in desk.told[before:] if isinstance(one.what, Shown | Vanished)]
    assert [one.messages for one in told if isinstance(one, Vanished)] == [(2, 3, 4)]
    assert len(told) == 1, "what is left of it on the way is no post"


def test_an_album_that_is_read_behind_its_end_is_one_post(desk: Desk) -> None:
    desk.pushes.extend(desk.channel.publish(2))
    desk.channel.publish(1)
    desk.channel.delete(5, 2)
    behind_the_look(desk, [6, 7])
    (states,) = (desk.books().states[6],)
    assert [[part.id for part in parts] for parts in states] == [[6, 7]]
    assert 6 in desk.books().gone
    assert 7 not in desk.books().states


def test_a_message_of_an_album_that_was_told_and_is_gone_is_no_post_of_its_own(desk: Desk) -> None:
    desk.pushes.extend(desk.channel.publish(2))
    (_, second) = desk.pushes
    while desk.pushes:
        desk.push(0)
    desk.channel.now += ALONE.album_seconds + 1
    desk.standing.tick(desk.now())
    desk.pushes.extend(desk.channel.delete(5, 2))
    desk.push(0)
    assert texts(desk, 6) == ["v0", "-"]
    desk.pushes.append(second)
    behind_the_look(desk, [])
    assert 7 not in desk.books().states


def test_an_edit_that_is_read_behind_the_end_of_its_post_does_not_bring_it_back(desk: Desk) -> None:
    desk.pushes.extend(desk.channel.edit(4))
    desk.channel.delete(4, 1)
    desk.channel.now += 60
    desk.standing.agenda.again = True
    settled(desk)
    assert texts(desk, 5) == ["v0", "-"]
    desk.push(0)
    settled(desk)
    assert texts(desk, 5)[2:] == ["v1", "-"]
    assert [parts[0].body["text"] for parts in desk.books().late[5]] == ["v1"]
    assert 5 in desk.books().gone


def test_a_page_that_is_read_behind_the_end_of_its_post_tells_it_with_its_end(desk: Desk) -> None:
    desk.channel.publish(1)
    desk.standing.agenda.newer = True
    desk.ask()
    desk.serve()
    desk.pushes.extend(desk.channel.delete(5, 1))
    desk.push(0)
    settled(desk)
    assert texts(desk, 6) == ["v0", "-"]


def test_what_a_page_showed_and_a_push_overtook_in_the_same_second_is_told_as_late(desk: Desk) -> None:
    desk.channel.edit(4)
    desk.standing.agenda.newer = True
    desk.standing.heard(Said(desk.channel.messages[5], 1), desk.now())
    desk.collect()
    (first,) = desk.channel.edit(4)
    (second,) = desk.channel.edit(4)
    for update in (second, first):
        desk.standing.heard(update, desk.now())
    settled(desk)
    assert texts(desk, 5) == ["v0", "v1", "v3", "v2"]
    assert [parts[0].body["text"] for parts in desk.books().late[5]] == ["v2"]


def holes(desk: Desk) -> list[int]:
    return [message for one in desk.told if isinstance(one.what, Hole) for message in one.what.messages]


def test_what_was_gone_before_it_was_seen_is_told_although_the_process_dies_first(desk: Desk) -> None:
    for _ in range(3):
        desk.channel.publish(1)
    desk.channel.delete(5, 1)  # the first of them: only the page's hole shows that it was there
    desk.standing.shaken(desk.now())
    while not any(isinstance(one.what, Shown) and one.what.parts[0].id == 8 for one in desk.told):
        assert desk.ask()
        desk.deliver()
    assert holes(desk) == []
    desk.restart(0)  # the page is behind the cursor; the look is not over
    settled(desk)
    assert holes(desk) == [6]


def test_a_gap_is_repaired_as_soon_as_all_of_it_was_seen_after_all(desk: Desk) -> None:
    desk.pushes.extend([*desk.channel.publish(1), *desk.channel.publish(1)])
    first, second = desk.pushes
    desk.channel.publish(1)
    desk.channel.delete(5, 2)
    desk.standing.shaken(desk.now())
    settled(desk)
    assert holes(desk) == [6, 7]
    for push, repaired in ((first, [False]), (second, [False, True])):
        desk.standing.heard(push, desk.now())
        settled(desk)
        assert [one.what.repaired for one in desk.told if isinstance(one.what, Hole)] == repaired
    assert desk.books().gone >= {6, 7}


def test_what_was_told_to_be_gone_is_not_missed_by_the_next_process(desk: Desk) -> None:
    desk.pushes.extend([*desk.channel.publish(1), *desk.channel.delete(5, 1)])
    desk.push(0)
    desk.push(0)
    assert isinstance(desk.told[-1].what, Vanished)
    desk.channel.publish(1)
    desk.restart(0)
    settled(desk)
    assert holes(desk) == [], "it was seen, and its end as well"


def test_a_hole_is_told_once_although_nothing_stands_above_it_yet(desk: Desk) -> None:
    desk.channel.publish(1)
    desk.channel.delete(5, 1)
    desk.standing.shaken(desk.now())
    settled(desk)
    assert holes(desk) == [6]
    desk.channel.publish(1)
    desk.restart(0)
    settled(desk)
    assert holes(desk) == [6]


def test_a_hole_is_told_once_although_the_process_dies_behind_it(desk: Desk) -> None:
    desk.channel.publish(2)
    desk.channel.delete(5, 1)
    desk.channel.publish(1)
    desk.standing.shaken(desk.now())
    settled(desk)
    place = next(number for number, one in enumerate(desk.told) if isinstance(one.what, Hole))
    desk.told = desk.told[: place + 1]  # the look behind it was not written
    desk.open(next(one.cursor for one in reversed(desk.told) if one.cursor is not None))
    settled(desk)
    assert holes(desk) == [6]


@pytest.mark.parametrize("way", ["pushes", "page", "old page"])
def test_what_an_album_said_while_it_waited_for_its_parts_is_told(desk: Desk, way: str) -> None:
    desk.pushes.extend(desk.channel.publish(2))
    desk.standing.shaken(desk.now())
    if way == "old page":
        desk.standing.agenda.again = desk.standing.agenda.differ = False
        desk.ask()
        desk.serve()  # it shows the album as it was, and comes last
    edit = desk.channel.edit(5)
    desk.pushes.extend([] if way == "page" else edit)
    while desk.pushes:
        desk.push(0)
    assert not any(isinstance(one.what, Shown) and one.what.parts[0].id == 6 for one in desk.told)
    if way == "pushes":
        desk.channel.now += ALONE.album_seconds + 1
        desk.standing.tick(desk.now())
    settled(desk)
    shown = [one.what.parts for one in desk.told if isinstance(one.what, Shown)]
    told = [[part.body["text"] for part in parts] for parts in shown if parts[0].id == 6]
    assert told == [["v0", "v0"], ["v1", "v0"]]


def test_an_edit_of_what_a_dead_process_saw_to_go_does_not_bring_it_back(desk: Desk) -> None:
    desk.channel.publish(1)
    desk.standing.shaken(desk.now())
    settled(desk)
    desk.channel.now += 60
    desk.channel.edit(4)
    desk.channel.delete(4, 1)
    desk.standing.shaken(desk.now())
    while not isinstance(desk.told[-1].what, Vanished):
        assert desk.ask()
        desk.deliver()
    desk.restart(0)  # the difference, which tells the edit and the deletion, is still to come
    settled(desk)
    assert 5 in desk.books().gone
    (late,) = desk.books().late[5]
    assert late[0].body["text"] == "v1", "the edit is told, as what came before the end"
