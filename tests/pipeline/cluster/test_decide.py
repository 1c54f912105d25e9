"""What becomes of a record: the change that carries it, and what follows from it."""

from datetime import timedelta
from typing import Any

import pytest

from pipeline.cluster.decide import CLOSED_PER_RECORD
from pipeline.core import Arrival
from schemas.item import Look, Relation, Ruling, Verdict, VerdictChanged
from schemas.records import Gap
from schemas.topics import STORIES, STORY_CHANGES

FERRY = (
    "Ferry Aegean Star is back in Piraeus after an engine fault off Aegina. All 312 passengers are ashore."
)
FERRY_TOO = "The ferry Aegean Star returned to Piraeus with 312 passengers after its engine failed."
STRIKE = "Dockworkers at Rotterdam's Maasvlakte container terminals began a 48-hour strike over pay."
CALL = "Putin and Trump spoke in a phone call of over an hour, the Kremlin said."
CALL_TOO = "Putin congratulates Trump in a phone call lasting over an hour, the Kremlin said."
DAY = 24 * 60


def copy_of(original: str, kind: str = "exact", **more: Any) -> dict[str, Any]:
    return {"role": "copy", "kind": kind, "group": original, "original": original, "score": 0.9, **more}


def look(desk: Any) -> Look:
    return Look(unit="main", observed=desk.at, sources={})


def test_an_item_opens_a_story(desk: Any) -> None:
    change = desk.hear(FERRY, name="a")
    assert (change.change, change.number, change.score, change.cause) == ("opened", 1, None, "e1")
    assert change.reason == "nothing near"
    assert [(output.topic, output.key, output.type) for output in desk.outputs] == [
        (STORY_CHANGES, change.story_id, "dateline.story.opened"),
        (STORIES, change.story_id, "dateline.story"),
    ]
    assert change.carried.item.item_id == "one/a"
    assert desk.upserts()[0].tally == change.tally


def test_another_report_joins_and_says_why(desk: Any) -> None:
    story_id = desk.hear(FERRY, name="a").story_id
    change = desk.hear(FERRY_TOO, name="b", source="two", after=10)
    assert (change.change, change.story_id, change.number, change.rule) == (
        "joined",
        story_id,
        2,
        "centroid/1",
    )
    assert 0.28 <= change.score < 1
    assert change.score == round(change.score, 4)
    assert change.reason == f"centroid {change.score:.2f}: aegean, engin, ferri, piraeus, star"
    assert (change.tally.items, change.tally.owners) == (2, 2)
    assert [member.score for member in desk.upserts()[0].members] == [None, change.score]


def test_another_event_opens_its_own_and_names_the_nearest(desk: Any) -> None:
    near = desk.hear(FERRY, name="a").story_id
    change = desk.hear("A strike over pay keeps passengers from Piraeus ashore today.", name="b", after=10)
    assert change.change == "opened"
    assert change.reason.startswith(f"below 0.28; nearest {near}, centroid 0.")
    assert change.reason.endswith(": piraeus, ashor, passeng")


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"kind": "market_opened"}, "market_opened is no claim about the world"),
        ({"kind": "market_resolved"}, "market_resolved is no claim about the world"),
        ({"text": "❗️"}, "too few words"),
        ({"text": "", "verdict": copy_of("one/gone")}, "too few words"),
        ({"status": "withdrawn", "text": ""}, "withdrawn, and in no story"),
        ({"late": True}, "an older revision of an item in no story"),
        ({"revision": 3}, "revision 3 of an item that left the window"),
    ],
)
def test_what_is_for_no_story_is_passed(desk: Any, fields: dict[str, Any], reason: str) -> None:
    change = desk.hear(fields.pop("text", FERRY), name="a", **fields)
    assert (change.change, change.story_id, change.number, change.tally) == ("passed", None, None, None)
    assert (change.reason, change.rule) == (reason, "scope/1")
    assert [(output.key, output.type) for output in desk.outputs] == [("one/a", "dateline.story.passed")]


def test_a_passed_item_may_get_words_later(desk: Any) -> None:
    assert desk.hear("❗️", name="a").change == "passed"
    assert desk.hear(FERRY, name="a", revision=2).change == "opened"


def test_a_revision_stays_in_its_story_whatever_it_says(desk: Any) -> None:
    story_id = desk.hear(FERRY, name="a").story_id
    change = desk.hear(STRIKE, name="a", revision=2, after=5)
    assert (change.change, change.story_id, change.number, change.rule) == (
        "revised",
        story_id,
        2,
        "revision/1",
    )
    assert (change.tally.items, change.tally.revisions) == (1, 2)
    assert desk.hear("", name="a", revision=3, status="withdrawn").change == "revised"
    assert desk.hear(FERRY, name="a", revision=4, late=True).change == "revised"


def test_words_that_were_taken_back_draw_nobody(desk: Any) -> None:
    desk.hear(FERRY, name="a")
    desk.hear(FERRY, name="a", revision=2, status="withdrawn")
    assert desk.hear(FERRY_TOO, name="b").change == "opened"


@pytest.mark.parametrize("kind", ["exact", "near", "forward", "syndicated", "repost"])
def test_a_copy_joins_the_story_of_its_original(desk: Any, kind: str) -> None:
    story_id = desk.hear(FERRY, name="a").story_id
    change = desk.hear(
        "Ships!", name="b", source="two", verdict=copy_of("one/a", kind, evidence=("text_hash",))
    )
    assert (change.change, change.story_id, change.score, change.rule) == ("joined", story_id, 0.9, "copy/1")
    assert change.reason == "copy of one/a: text_hash"
    assert desk.state.index.documents == 1
    assert (change.tally.items, change.tally.originals, change.tally.owners) == (2, 1, 1)


def test_a_copy_whose_original_is_unknown_goes_by_its_group(desk: Any) -> None:
    story_id = desk.hear(FERRY, name="a").story_id
    verdict = copy_of("one/gone", group="one/a", score=None)
    change = desk.hear("Ships!", name="b", verdict=verdict)
    assert (change.story_id, change.score) == (story_id, 1.0)


def test_a_late_original_joins_the_story_of_its_copies(desk: Any) -> None:
    story_id = desk.hear(FERRY, name="a").story_id
    change = desk.hear("Ships!", name="b", source="two", verdict={"group": "one/a"})
    assert (change.story_id, change.reason) == (story_id, "in the copy group of one/a")
    assert change.tally.originals == 2


def test_a_copy_without_a_home_goes_by_its_words(desk: Any) -> None:
    story_id = desk.hear(FERRY, name="a").story_id
    change = desk.hear(FERRY_TOO, name="b", verdict=copy_of("one/gone", "near"))
    assert (change.story_id, change.rule) == (story_id, "centroid/1")


def test_what_came_back_from_long_ago_joins_nothing_by_its_words(desk: Any) -> None:
    desk.hear(FERRY, name="a")
    assert desk.hear(FERRY_TOO, name="b", verdict=copy_of("one/gone", "repost")).change == "opened"


def test_stamps_a_year_apart_are_two_events(desk: Any) -> None:
    first = desk.hear(CALL, name="a", published="2025-07-03T17:30:00Z").story_id
    change = desk.hear(CALL_TOO, name="b", published="2026-07-04T16:07:00Z", after=10)
    assert (change.change, change.reason) == ("opened", "nothing near")
    assert desk.hear(CALL_TOO, name="c", published="2025-07-04T16:07:00Z").story_id == first
    assert desk.hear(CALL_TOO, name="d", after=1).change == "joined"


@pytest.mark.parametrize("kind", ["exact", "forward", "syndicated", "near", "repost"])
def test_no_stamp_parts_the_same_text(desk: Any, kind: str) -> None:
    desk.hear(CALL, name="a", published="2026-07-04T16:07:00Z")
    change = desk.hear(CALL, name="b", published="2025-07-04T16:07:00Z", verdict=copy_of("one/a", kind))
    assert change.change == ("opened" if kind in ("near", "repost") else "joined")


def test_a_backdated_stamp_does_not_split(desk: Any) -> None:
    story_id = desk.hear(CALL, name="a", published="2026-07-04T21:40:00Z").story_id
    assert desk.hear(CALL_TOO, name="b", published="2026-07-04T16:07:00Z").story_id == story_id
    assert desk.hear(CALL_TOO, name="c", published="2026-06-28T16:07:00Z").story_id == story_id


@pytest.mark.parametrize("kind", ["reply_to", "quotes", "album"])
def test_an_answer_raises_the_score_and_does_not_decide(desk: Any, kind: str) -> None:
    words = "The Aegean Star tied up in the harbour, passengers went home, inspectors come tomorrow."
    alone = type(desk)()
    alone.hear(FERRY, name="a")
    assert alone.hear(words, name="b").change == "opened"
    story_id = desk.hear(FERRY, name="a").story_id
    relation = (Relation(kind=kind, item_id="one/a"),)
    change = desk.hear(words, name="b", relations=relation)
    assert (change.change, change.story_id) == ("joined", story_id)
    assert ", with a reply: " in change.reason
    assert desk.hear("A strike over pay in Rotterdam", name="c", relations=relation).change == "opened"


def test_words_count_less_as_time_goes_by(desk: Any, tell: Any) -> None:
    desk.hear(FERRY, name="a")
    scores = []
    for hours in (0, 6, 23):
        at = desk.at + timedelta(hours=hours)
        outputs = desk.core.decide(Arrival("e", tell(FERRY_TOO, at=at), at), desk.state)
        scores.append(outputs[0].value.score)
    assert scores[0] > scores[1] > scores[2]


def test_a_record_of_another_topic_is_an_error(desk: Any) -> None:
    with pytest.raises(TypeError, match=r"no record of deduplicated\.v1: Gap"):
        desk.hear(Gap(gap_id="g", source="one", since=None, until=desk.at, reason="down"))


def test_looks_rulings_and_verdicts_are_passed_on_unchanged(desk: Any) -> None:
    verdict = Verdict(number=2, role="copy", group="x", rule="exact/1")
    previous = Verdict(number=1, role="original", group="x", rule="exact/1")
    for key, name, value in (
        ("main", "dateline.look", look(desk)),
        (
            "r1",
            "dateline.ruling",
            Ruling(ruling_id="r1", observed=desk.at, subject="s", verdict="disputed", by="ann"),
        ),
        (
            "one/x",
            "dateline.deduplicated.changed",
            VerdictChanged(at=desk.at, item_id="one/x", verdict=verdict, previous=previous, cause="c"),
        ),
    ):
        desk.hear(value)
        (output,) = desk.outputs
        assert (output.topic, output.key, output.type) == (STORY_CHANGES, key, name)
        assert output.value is value


def changed(desk: Any, item_id: str, role: str) -> VerdictChanged:
    now = Verdict(number=2, role=role, group=item_id, rule="exact/1")
    return VerdictChanged(
        at=desk.at, item_id=item_id, verdict=now, previous=now.model_copy(update={"number": 1}), cause="c"
    )


def test_a_changed_verdict_changes_the_tally(desk: Any) -> None:
    desk.hear(FERRY, name="a")
    desk.hear(FERRY_TOO, name="b", source="two")
    desk.hear(changed(desk, "two/b", "copy"))
    (story,) = desk.upserts()
    assert (story.number, story.tally.originals, story.tally.owners, story.tally.items) == (3, 1, 1, 2)
    assert [member.role for member in story.members] == ["original", "copy"]
    desk.hear(changed(desk, "two/b", "copy"))
    assert desk.upserts() == []
    desk.hear(FERRY_TOO, name="b", source="two", revision=2)
    assert desk.changes()[0].tally.originals == 2


def test_a_quiet_story_closes_with_the_next_record(desk: Any) -> None:
    story_id = desk.hear(FERRY, name="a").story_id
    desk.hear(look(desk), after=DAY)
    assert desk.changes() == []
    desk.hear(look(desk), after=1)
    (change,) = desk.changes()
    assert (change.change, change.story_id, change.number, change.cause) == ("closed", story_id, 2, "e3")
    assert (change.carried, change.tally.items, change.rule) == (None, 1, "quiet/1")
    (story,) = desk.upserts()
    assert (story.state, story.closed, story.number) == ("closed", desk.at, 2)
    assert [output.type for output in desk.outputs] == [
        "dateline.look",
        "dateline.story.closed",
        "dateline.story",
    ]
    desk.hear(look(desk), after=1)
    assert desk.changes() == []


def test_each_change_keeps_a_story_open_for_a_day(desk: Any) -> None:
    story_id = desk.hear(FERRY, name="a").story_id
    assert desk.hear(FERRY_TOO, name="b", after=DAY).story_id == story_id
    assert desk.hear(FERRY, name="a", revision=2, after=DAY).number == 3
    desk.hear(look(desk), after=DAY)
    assert desk.changes() == []


def test_a_closed_story_takes_no_more(desk: Any) -> None:
    first = desk.hear(FERRY, name="a").story_id
    second = desk.hear(FERRY_TOO, name="b", source="two", after=DAY + 1)
    assert [change.change for change in desk.changes()] == ["opened", "closed"]
    assert second.story_id != first
    copy = desk.hear(FERRY, name="c", verdict=copy_of("one/a"), after=1)
    assert (copy.story_id, copy.rule) == (second.story_id, "centroid/1")
    revision = desk.hear(FERRY, name="a", revision=2)
    assert (revision.change, revision.story_id, revision.number, revision.tally) == (
        "revised",
        first,
        None,
        None,
    )
    assert desk.upserts() == []
    assert desk.state.index.documents == 2
    desk.hear(changed(desk, "one/a", "copy"))
    assert desk.upserts() == []


def test_few_stories_close_with_one_record_the_quietest_first(desk: Any) -> None:
    words = [f"alpha{n} beta{n} gamma{n}" for n in range(CLOSED_PER_RECORD + 5)]
    ids = [desk.hear(text, name=text, after=1).story_id for text in words]
    desk.hear(look(desk), after=3 * DAY)
    assert [change.story_id for change in desk.changes()] == ids[:CLOSED_PER_RECORD]
    desk.hear(look(desk))
    assert [change.story_id for change in desk.changes()] == ids[CLOSED_PER_RECORD:]


def test_a_closed_story_is_forgotten_after_a_week(desk: Any) -> None:
    story_id = desk.hear(FERRY, name="a").story_id
    desk.hear(look(desk), after=DAY + 1)
    assert desk.turn(hours=7 * 24) == []
    (output,) = desk.turn(hours=1)
    assert (output.topic, output.key, output.type, output.value) == (
        STORIES,
        story_id,
        "dateline.story",
        None,
    )
    assert desk.turn(hours=1) == []


def test_an_item_that_opened_a_story_does_not_open_it_again(desk: Any) -> None:
    desk.hear(FERRY, name="a")
    desk.hear(look(desk), after=DAY + 1)
    desk.turn(hours=72)
    assert not desk.state.index.entries
    assert desk.hear(FERRY, name="a").reason == "it opened a story before the window"


def test_every_item_revision_is_carried_by_the_first_output_alone(desk: Any) -> None:
    for number, text in enumerate((FERRY, STRIKE, FERRY_TOO, "!", CALL, FERRY)):
        desk.hear(text, name=text[:9], revision=1 + (number == 5), after=DAY // 3)
        carriers = [change.carried is not None for change in desk.changes()]
        assert carriers == [True] + [False] * (len(carriers) - 1)
        ids = [story.story_id for story in desk.upserts()]
        assert len(ids) == len(set(ids))
