"""The recorded day keeps its promises: what is wrong in it is listed in expected.json, and nothing else is.

The demo shows what Dateline finds in this file. A slip of the pen in it would be shown as a finding, so every
rule of a lawful wire is checked here, and the lines that break one must be exactly those that are meant to.
Everything in the file is fiction but for the two calls and the two quotations that the demo is about.
"""

import json
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

RECORDING = Path(__file__).parents[3] / "pipeline" / "demo" / "2026-07-04.jsonl"
TRUTH = Path(__file__).with_name("expected.json")
TIME_FIELDS = ("published_at", "updated_at", "observed_at", "absent_at", "http_date", "last_modified")
FOUR_JULY = datetime(2026, 7, 4, tzinfo=UTC)
FIRST_CONTACT = {"Aurora Newswire|an-2507-00388", "Polymarket|pm-88172"}
FUTURE_LEAD = timedelta(hours=3)
MINUTE = timedelta(minutes=1)

Line = dict[str, Any]
Truth = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def lines() -> list[Line]:
    return [json.loads(line) for line in RECORDING.read_text("utf-8").splitlines()]


@pytest.fixture(scope="module")
def posts(lines: list[Line]) -> list[Line]:
    return [line for line in lines if "look" not in line]


@pytest.fixture(scope="module")
def items(posts: list[Line]) -> dict[str, Line]:
    """First versions by "source|id"."""
    return {name(post): post for post in posts if post["version"] == 1}


@pytest.fixture(scope="module")
def edits(posts: list[Line]) -> dict[str, Line]:
    """Second versions by "source|id"."""
    return {name(post): post for post in posts if post["version"] == 2}


@pytest.fixture(scope="module")
def truth() -> Truth:
    loaded: Truth = json.loads(TRUTH.read_text("utf-8"))
    return loaded


def name(post: Line) -> str:
    return f"{post['source']}|{post['id']}"


def at(text: str) -> datetime:
    assert text.endswith("Z"), text
    return datetime.fromisoformat(text)


def of_source(items: dict[str, Line], kind: str) -> dict[str, list[Line]]:
    by_source = defaultdict(list)
    for item in items.values():
        if item["kind"] == kind:
            by_source[item["source"]].append(item)
    return by_source


def parsed(raw: str) -> datetime | None:
    """A printed stamp that says its instant, read as printed; None for one that needs an assumption."""
    if raw.isdigit():
        return datetime.fromtimestamp(int(raw), UTC)
    if raw.endswith(" ET") or len(raw) == len("2026-07-04"):
        return None
    if "," in raw:
        return parsedate_to_datetime(raw)
    stamp = datetime.fromisoformat(raw.replace(" UTC", "Z"))
    return stamp if stamp.tzinfo else None


def test_the_file_is_small_and_varied(lines: list[Line], items: dict[str, Line]) -> None:
    assert 90 <= len(lines) <= 120
    assert RECORDING.stat().st_size < 80_000
    kinds = {item["source"]: item["kind"] for item in items.values()}
    assert Counter(kinds.values()) == {"telegram": 9, "rss": 6, "wire": 2}
    assert {item["lang"] for item in items.values()} == {"en", "ru"}


def test_lines_come_in_the_order_in_which_they_were_seen(lines: list[Line]) -> None:
    seen = [at(line["observed_at"]) for line in lines]
    assert seen == sorted(seen)
    assert seen[0] < FOUR_JULY - timedelta(days=365)
    assert seen[1] >= FOUR_JULY
    assert "look" in lines[-1]


def test_a_version_of_an_item_appears_once_and_versions_follow_each_other(
    posts: list[Line], items: dict[str, Line], edits: dict[str, Line]
) -> None:
    assert max(Counter((name(post), post["version"]) for post in posts).values()) == 1
    assert len(posts) == len(items) + len(edits)
    for key, edit in edits.items():
        original = items[key]
        assert at(edit["observed_at"]) > at(original["observed_at"])
        kept = ("url", "seq", "kind", "published_at", "published_raw", "reply_to")
        assert [edit.get(field) for field in kept] == [original.get(field) for field in kept]


def test_times_parse_and_printed_stamps_agree_with_them(posts: list[Line], truth: Truth) -> None:
    odd = truth["anomalies"]
    unclear = {*odd["naive_time"], *odd["date_only"], *odd["zone_abbreviation"]}
    for post in posts:
        for field in TIME_FIELDS:
            assert field not in post or at(post[field]) <= datetime(2026, 7, 5, 12, tzinfo=UTC)
        printed = parsed(post["published_raw"])
        assert (printed is None) == (name(post) in unclear)
        assert printed in (None, at(post["published_at"]))


def test_message_ids_ascend_with_time_in_every_channel(items: dict[str, Line]) -> None:
    for channel in of_source(items, "telegram").values():
        ordered = sorted(channel, key=lambda item: item["seq"])
        for earlier, later in pairwise(ordered):
            assert earlier["published_at"] < later["published_at"]
        for item in ordered:
            assert item["id"] == str(item["seq"])
            assert item["url"].startswith("https://t.me/")
            assert item["url"].endswith(f"/{item['seq']}")


def test_pushed_posts_are_seen_within_seconds(items: dict[str, Line]) -> None:
    for item in items.values():
        delay = (at(item["observed_at"]) - at(item["published_at"])).total_seconds()
        if item["kind"] == "telegram":
            assert 2 <= delay <= 20
        elif item["kind"] == "wire" and name(item) not in FIRST_CONTACT:
            assert 3 <= delay <= 10


def test_feeds_are_seen_at_their_polls(items: dict[str, Line], edits: dict[str, Line]) -> None:
    for kind in (items, edits):
        for feed in of_source(kind, "rss").values():
            periods = {at(item["observed_at"]) - at(item["absent_at"]) for item in feed}
            assert len(periods) == 1
            seconds = periods.pop().total_seconds()
            assert len({at(item["observed_at"]).timestamp() % seconds for item in feed}) == 1


def test_feed_items_lie_between_two_polls_but_for_the_late_feed(items: dict[str, Line], truth: Truth) -> None:
    odd = {*truth["anomalies"]["future_dated"], *truth["anomalies"]["date_only"]}
    late = truth["decoys"]["feed_an_hour_late"]
    for key, item in items.items():
        if item["kind"] != "rss" or key in odd:
            continue
        published, seen = at(item["published_at"]), at(item["observed_at"])
        if key in late:
            assert 58 * MINUTE <= seen - published <= 64 * MINUTE
        else:
            assert at(item["absent_at"]) <= published < seen
    late_source = {items[key]["source"] for key in late}
    assert late_source == {"Coastal Courier"}
    assert set(late) == {key for key, item in items.items() if item["source"] in late_source}


def test_only_the_listed_item_is_stamped_in_the_future(items: dict[str, Line], truth: Truth) -> None:
    leads = {key: at(item["published_at"]) - at(item["observed_at"]) for key, item in items.items()}
    assert {key: lead for key, lead in leads.items() if lead > timedelta(0)} == dict.fromkeys(
        truth["anomalies"]["future_dated"], FUTURE_LEAD
    )


def test_odd_stamps_are_printed_as_promised(items: dict[str, Line], truth: Truth) -> None:
    printed = {
        kind: [items[key]["published_raw"] for key in keys] for kind, keys in truth["anomalies"].items()
    }
    assert printed["naive_time"] == ["2026-07-04 14:20:00"]
    assert printed["date_only"] == ["2026-07-04"]
    assert printed["zone_abbreviation"] == ["Sat, 04 Jul 2026 10:15:00 ET"]
    assert printed["lag_outlier"] == ["2026-07-04 16:07 UTC"]


def test_only_the_listed_reply_precedes_its_parent(items: dict[str, Line], truth: Truth) -> None:
    early = {}
    for key, item in items.items():
        if "reply_to" in item:
            parent = items[f"{item['source']}|{item['reply_to']}"]
            ahead = at(parent["published_at"]) - at(item["published_at"])
            if ahead > timedelta(0):
                early[key] = ahead
            else:
                assert key in truth["decoys"]["reply"]
    assert early == dict.fromkeys(truth["anomalies"]["reply_before_parent"], 10 * MINUTE)


def test_only_the_listed_forward_precedes_its_original(items: dict[str, Line], truth: Truth) -> None:
    early, overtaken = {}, []
    for key, item in items.items():
        if "forward" in item:
            forward = item["forward"]
            original = items[f"{forward['source']}|{forward['item_id']}"]
            assert forward["date"] == original["published_at"]
            assert item["text"] == original["text"]
            ahead = at(forward["date"]) - at(item["published_at"])
            if ahead > timedelta(0):
                early[key] = ahead
            elif at(item["observed_at"]) < at(original["observed_at"]):
                overtaken.append(key)
    assert early == dict.fromkeys(truth["anomalies"]["forward_before_original"], 20 * MINUTE)
    assert overtaken == truth["decoys"]["forward_seen_before_original"]


def test_edits_are_of_the_listed_kinds(items: dict[str, Line], edits: dict[str, Line], truth: Truth) -> None:
    found = defaultdict(list)
    for key, edit in edits.items():
        changed = edit["text"] != items[key]["text"]
        if edit.get("edit_hidden"):
            found["silent_edit" if changed else "hidden_edit_same_text"].append(key)
            continue
        assert changed
        lag = at(edit["updated_at"]) - at(edit["published_at"])
        assert lag > timedelta(0) or lag == timedelta(hours=-2)
        assert at(edit["updated_at"]) <= at(edit["observed_at"])
        found["visible_edit" if lag > timedelta(0) else "edit_before_publish"].append(key)
    listed = {**truth["anomalies"], **truth["decoys"]}
    assert found == {kind: listed[kind] for kind in found}
    assert len(found) == 4


def test_the_silent_edit_changes_only_the_toll(
    items: dict[str, Line], edits: dict[str, Line], truth: Truth
) -> None:
    (key,) = truth["anomalies"]["silent_edit"]
    assert edits[key]["text"] == items[key]["text"].replace("12 people", "21 people") != items[key]["text"]


def test_the_truth_names_every_item_once(items: dict[str, Line], truth: Truth) -> None:
    members = [key for story in truth["stories"].values() for key in story]
    assert sorted(members) == sorted(items)
    assert sum(len(story) > 1 for story in truth["stories"].values()) >= 20
    for kind in ("anomalies", "decoys"):
        assert {key for keys in truth[kind].values() for key in keys} <= set(items)


def test_copies_stay_in_their_story_and_say_nearly_the_same(items: dict[str, Line], truth: Truth) -> None:
    story_of = {key: story for story, keys in truth["stories"].items() for key in keys}
    near = 0
    for copy, original in truth["copies"].items():
        assert story_of[copy] == story_of[original]
        assert items[copy]["source"] != items[original]["source"]
        said, repeated = set(items[original]["text"].split()), set(items[copy]["text"].split())
        assert len(said & repeated) >= 0.8 * len(said)
        near += items[copy]["text"] != items[original]["text"]
    assert near == 3
    texts = Counter(item["text"] for key, item in items.items() if key not in truth["copies"])
    assert max(texts.values()) == 1


def test_reports_of_one_story_are_close_in_time_and_tongue(items: dict[str, Line], truth: Truth) -> None:
    for keys in truth["stories"].values():
        members = [items[key] for key in keys if key not in truth["anomalies"]["lag_outlier"]]
        stamps = [at(item["published_at"]) for item in members]
        pushed = [at(item["published_at"]) for item in members if item["kind"] != "rss"]
        assert max(stamps) - min(stamps) <= timedelta(hours=3)
        assert not pushed or max(pushed) - min(pushed) <= 45 * MINUTE
        assert len({item["lang"] for item in members}) == 1


def test_several_russian_stories_have_several_channels(items: dict[str, Line], truth: Truth) -> None:
    channels = [
        {items[key]["source"] for key in keys if items[key]["lang"] == "ru"}
        for keys in truth["stories"].values()
    ]
    assert sum(2 <= len(names) <= 4 for names in channels) >= 5


def test_the_two_reports_of_the_call_are_5_h_33_min_apart(items: dict[str, Line], truth: Truth) -> None:
    channel, wire = (items[key] for key in truth["stories"]["call_2026"])
    assert (channel["source"], wire["source"]) == ("BRICS News", "Polymarket")
    assert at(channel["published_at"]) - at(wire["published_at"]) == timedelta(hours=5, minutes=33)
    assert wire["published_raw"] == "2026-07-04 16:07 UTC"
    assert wire["observed_at"] == "2026-07-04T21:44:10Z"
    assert "absent_at" not in wire
    assert [name(wire)] == [key for key in items if key.startswith("Polymarket|")]
    for text in (channel["text"], wire["text"]):
        for word in (
            "Putin",
            "Trump",
            "congratulates",
            "Independence Day",
            "phone call",
            "hour",
            "invites",
            "Moscow",
        ):
            assert word in text


def test_the_three_posts_of_the_evening_follow_each_other(items: dict[str, Line]) -> None:
    evening = [
        item for item in of_source(items, "telegram")["BRICS News"] if item["published_at"][11:13] == "21"
    ]
    assert [item["published_at"][11:19] for item in evening] == ["21:08:00", "21:12:00", "21:40:00"]
    first = evening[0]["seq"]
    assert [item["url"] for item in evening] == [f"https://t.me/bricsnews/{first + n}" for n in range(3)]
    for item, words in zip(
        evening, ("reach a deal with Ukraine", "no intention of killing", "250th"), strict=True
    ):
        assert words in item["text"]


def test_the_article_and_last_years_call_stand_alone(items: dict[str, Line], truth: Truth) -> None:
    (article,) = (items[key] for key in truth["stories"]["article"])
    assert "within ninety minutes of the call ending" in article["text"]
    assert article["published_at"].startswith("2026-07-05")
    assert truth["anomalies"]["duration_claim_conflict"] == [name(article)]
    (last_year,) = (items[key] for key in truth["stories"]["call_2025"])
    assert last_year["published_at"] == "2025-07-03T17:30:00Z"
    assert last_year["observed_at"].startswith("2025-07-03")
    assert "over an hour" in last_year["text"]


def test_looks_name_what_could_be_looked_at(lines: list[Line], items: dict[str, Line]) -> None:
    looks = {line["observed_at"]: line for line in lines if "look" in line}
    sources = {item["source"] for item in items.values()}
    # Two in the night, as a desk would have them: without them stage time stood in 2025 for four more posts.
    night = ["2026-07-04T01:00:00Z", "2026-07-04T01:10:00Z"]
    assert sorted(looks) == [*night, "2026-07-04T12:00:00Z", "2026-07-05T12:00:00Z"]
    *before, end = (set(looks[time]["look"]) for time in sorted(looks))
    # First contact with this wire comes at 21:44: an earlier look would bracket its post.
    assert all(look == sources - {"Polymarket"} for look in before)
    assert end == sources
    assert all(set(look["look"].values()) == {"ok"} for look in looks.values())


def test_no_look_comes_between_a_post_and_its_first_sight(
    lines: list[Line], items: dict[str, Line], truth: Truth
) -> None:
    looks = [line["observed_at"] for line in lines if "look" in line]
    for key, item in items.items():
        if key not in truth["anomalies"]["date_only"]:
            assert not any(item["published_at"] < look < item["observed_at"] for look in looks), key
