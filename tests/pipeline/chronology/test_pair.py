"""Two sources that disagree, and nobody to say which is right. The motivating case in full."""

from typing import Any

import pytest

from schemas.flag import Flag


def wire_and_channel(desk: Any, **wire: Any) -> Flag:
    """The wire's 16:07 UTC, first met at 21:44, and the channel's 21:40, seen as it came."""
    text = "Putin congratulates Trump on Independence Day in a phone call of an hour, invites him to Moscow."
    desk.post(
        "BRICS News/35401",
        "1783201200",
        "21:40:12",
        text=f"JUST IN: {text}",
        url="https://t.me/bricsnews/35401",
    )
    seen = {"observed": "21:44:10", "backlog": True, **wire}
    (flag,) = desk.post(
        "Polymarket/pm-88172",
        "2026-07-04 16:07 UTC",
        text=text,
        url="https://polymarket.example/pm-88172",
        **seen,
    )
    assert isinstance(flag, Flag)
    return flag


def test_the_motivating_case(desk: Any) -> None:
    flag = wire_and_channel(desk)
    assert flag.summary == (
        "Polymarket and BRICS News stamped their reports of one event 5 h 33 min apart; "
        "two reports cannot show which stamp is wrong, if any is."
    )
    assert (flag.flag, flag.scope, flag.source, flag.severity) == ("pair_conflict", "pair", None, "warn")
    assert flag.apart_seconds == 5 * 3600 + 33 * 60
    assert [(subject.source, subject.url) for subject in flag.subjects] == [
        ("Polymarket", "https://polymarket.example/pm-88172"),
        ("BRICS News", "https://t.me/bricsnews/35401"),
    ]
    raws = [line.stamp.raw for line in flag.evidence if line.stamp]
    assert raws == ["2026-07-04 16:07 UTC", "1783201200"]
    limits = [(line.source, line.seconds, line.count) for line in flag.evidence if line.what == "baseline"]
    assert limits == [("Polymarket", 7920.0, 0), ("BRICS News", 7920.0, 0)]


def test_its_explanations_are_ranked_and_none_is_a_fact(desk: Any) -> None:
    """Nothing tells when the wire's post appeared: it was met hours later. The channel's was seen at once."""
    flag = wire_and_channel(desk)
    listed = [
        (line.reading, line.item_id, line.apart_seconds and line.apart_seconds / 60, line.zones)
        for line in flag.hypotheses
    ]
    wire, channel = "Polymarket/pm-88172", "BRICS News/35401"
    east = ("Europe/Moscow", "Europe/Kyiv", "Europe/Istanbul", "Asia/Jerusalem")
    assert listed == [
        ("no stamp is wrong: one source reported hours earlier", None, 333, ()),
        ("two different events (the story should be split)", None, None, ()),
        ("Polymarket: US Eastern (UTC-4) labelled UTC", wire, 93, ("America/New_York",)),
        (
            "Polymarket: US Eastern standard time or US Central (UTC-5) labelled UTC",
            wire,
            33,
            ("America/Chicago",),
        ),
        ("BRICS News: India (UTC+5:30) labelled UTC", channel, 3, ("Asia/Kolkata",)),
        ("BRICS News: Moscow or Kyiv (UTC+3) labelled UTC", channel, 153, east),
        ("BRICS News: Gulf (UTC+4) labelled UTC", channel, 93, ("Asia/Dubai",)),
    ]
    assert [line.rank for line in flag.hypotheses] == [1, 2, 3, 4, 5, 6, 7]
    weights = [line.weight for line in flag.hypotheses]
    assert weights == sorted(weights, reverse=True)
    assert 0.99 < sum(weights) <= 1
    assert max(weights) < 0.8
    assert [line.offset_seconds for line in flag.hypotheses[2:4]] == [4 * 3600, 5 * 3600]


def test_had_we_seen_the_wire_the_eastern_reading_would_lead(desk: Any) -> None:
    flag = wire_and_channel(desk, observed="20:07:20", backlog=False)
    assert flag.hypotheses[0].reading == "Polymarket: US Eastern (UTC-4) labelled UTC"
    assert flag.scope == "pair"
    assert flag.source is None


def test_a_third_report_takes_over(desk: Any) -> None:
    wire_and_channel(desk)
    flags = {flag.flag: flag for flag in desk.post("Third/1", "21:35:00", "21:50:00", backlog=True)}
    assert flags["lag_outlier"].subjects[0].source == "Polymarket"
    assert flags["pair_conflict"].state == "explained"
    assert flags["lag_outlier"].flag_id in flags["pair_conflict"].reason
    flags = {flag.flag: flag for flag in desk.change("left", "s", item_id="Third/1")}
    assert (flags["lag_outlier"].state, flags["pair_conflict"].state) == ("withdrawn", "open")
    assert flags["pair_conflict"].number == 3


def test_a_third_report_between_them_withdraws_it(desk: Any) -> None:
    wire_and_channel(desk)
    (flag,) = desk.post("Third/1", "18:45:00", "21:50:00", backlog=True)
    assert (flag.flag, flag.state) == ("pair_conflict", "withdrawn")
    assert "third independent report" in flag.reason


@pytest.mark.parametrize(
    ("early", "late", "found"),
    [
        pytest.param({}, {}, True, id="nobody saw either appear"),
        pytest.param({"published": "10:30:00"}, {}, False, id="less than 3 h"),
        pytest.param({"delivery": "polled"}, {}, False, id="feeds are as far apart as that"),
        pytest.param({"observed": "09:00:05", "backlog": False}, {"backlog": False}, False, id="both seen"),
        pytest.param({"backlog": False}, {"backlog": False}, True, id="the early one surfaced late"),
        pytest.param({"observed": "09:00:05", "backlog": False}, {}, True, id="only the early one seen"),
        pytest.param({"published": "2026-07-04 09:00:00"}, {}, False, id="a clock without a zone"),
        pytest.param({"published": "2026-07-03"}, {}, False, id="a day"),
        pytest.param({"copy_of": "b/1"}, {}, False, id="a copy"),
        pytest.param({"forward": (None, "08:00:00")}, {}, False, id="a forward"),
        pytest.param({"kind": "market_opened"}, {}, False, id="a betting question"),
        pytest.param({"published": "22:00:00"}, {}, False, id="a stamp from the future"),
    ],
)
def test_pair_conflict(desk: Any, early: dict[str, Any], late: dict[str, Any], *, found: bool) -> None:
    seen = {"observed": "13:10:00", "backlog": True}
    desk.post("b/1", **{"published": "13:00:00", **seen, **late})
    desk.post("a/1", **{"published": "09:00:00", **seen, **early})
    assert ("pair_conflict" in desk.standing) is found


def test_two_posts_of_one_source_are_no_pair(desk: Any) -> None:
    desk.post("a/1", "09:00:00", "13:10:00", backlog=True)
    desk.post("a/2", "13:00:00", "13:10:00", backlog=True)
    assert desk.standing == {}


def test_a_nearer_report_of_the_same_source_resolves_it(desk: Any) -> None:
    desk.post("a/1", "09:00:00", "13:10:00", backlog=True)
    (flag,) = desk.post("b/1", "13:00:00", "13:10:00", backlog=True)
    assert flag.state == "open"
    (flag,) = desk.post("a/2", "12:50:00", "13:12:00", backlog=True)
    assert (flag.state, flag.reason) == ("withdrawn", "the two sources are near each other")


def test_a_conflict_stays_with_the_reports_that_it_was_raised_on(desk: Any) -> None:
    desk.post("a/1", "09:00:00", "13:10:00", backlog=True)
    (first,) = desk.post("b/1", "13:00:00", "13:10:00", backlog=True)
    assert desk.post("a/2", "09:05:00", "13:12:00", backlog=True) == []
    (flag,) = desk.post("b/1", "13:01:00", "13:20:00", backlog=True)
    assert (flag.flag_id, flag.number, flag.apart_seconds) == (first.flag_id, 2, 14_460)


def test_it_is_withdrawn_when_one_turns_out_to_be_a_copy_or_leaves(desk: Any) -> None:
    desk.post("a/1", "09:00:00", "13:10:00", backlog=True)
    desk.post("b/1", "13:00:00", "13:10:00", backlog=True)
    (flag,) = desk.verdict("a/1", "b/1")
    assert (flag.state, flag.reason) == ("withdrawn", "the reports are not independent")
    (flag,) = desk.verdict("a/1", None)
    assert (flag.state, flag.number) == ("open", 3)
    (flag,) = desk.change("left", "s", item_id="b/1")
    assert (flag.state, flag.reason) == ("withdrawn", "the reports are not of one story")


def test_it_is_withdrawn_when_a_stamp_is_put_right(desk: Any) -> None:
    desk.post("a/1", "09:00:00", "13:10:00", backlog=True)
    desk.post("b/1", "13:00:00", "13:10:00", backlog=True)
    (flag,) = desk.post("a/1", "13:00:30", "14:00:00", backlog=True)
    assert (flag.state, flag.reason) == ("withdrawn", "the two sources are near each other")


def test_a_future_stamp_explains_it(desk: Any) -> None:
    desk.post("a/1", "09:00:00", "13:10:00", backlog=True)
    desk.post("b/1", "13:00:00", "13:10:00", backlog=True)
    flags = {flag.flag: flag for flag in desk.post("b/1", "17:00:00", "14:00:00", backlog=True)}
    assert flags["pair_conflict"].state == "explained"
    assert flags["future_dated"].flag_id in flags["pair_conflict"].reason


def test_a_stamp_that_can_no_longer_be_read_resolves_it_whatever_stands_on_the_item(desk: Any) -> None:
    desk.post("a/1", "09:00:00", "13:10:00", backlog=True, revised="08:00:00")
    desk.rule(desk.flag("edit_before_publish").flag_id, "acknowledged")
    desk.post("b/1", "13:00:00", "13:10:00", backlog=True)
    desk.post("a/1", "some time ago", "14:00:00", revised="08:00:00")
    assert desk.standing == {"edit_before_publish": [("a/1",)]}
