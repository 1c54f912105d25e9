"""The recording connector: the suite that all connectors pass, and what is special to it."""

import gzip
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connectors.recording import Recording, RecordingConfig
from connectors.recording.normalise import normalise
from connectors.seam import Looked, Observation, SourceFailed, Unreadable
from pipeline.compliance import Compliance, Desk, World, look

START = datetime(2026, 7, 4, 12, tzinfo=UTC)


class FileWorld:
    """A recording that grows."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "day.jsonl"
        self.path.write_bytes(b"")
        self.posts: list[dict[str, object]] = []
        self.count = 0

    def connector(self, *, name: str = "wire", unit: str = "main") -> Recording:
        return Recording(RecordingConfig(name=name, unit=unit, path=self.path))

    def publish(self, text: str) -> None:
        at = (START + timedelta(minutes=len(self.posts))).isoformat()
        post = {"id": str(len(self.posts)), "source": "w", "text": text, "published_at": at, "version": 1}
        self.posts.append(post)
        self.write(post)

    def edit(self, number: int, text: str) -> None:
        self.write({**self.posts[number], "text": text, "version": 2})

    def show_old(self, number: int) -> None:
        self.write(self.posts[number])

    def fail(self) -> None:
        self.path.rename(self.path.with_suffix(".gone"))

    def mend(self) -> None:
        self.path.with_suffix(".gone").rename(self.path)

    def write(self, row: dict[str, object]) -> None:
        self.count += 1
        row = {**row, "observed_at": (START + timedelta(hours=1, minutes=self.count)).isoformat()}
        with self.path.open("a") as file:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


class TestRecording(Compliance):
    def world(self, tmp_path: Path) -> World:
        return FileWorld(tmp_path)


def recording(path: Path) -> Recording:
    return Recording(RecordingConfig(name="r", path=path))


async def sights(path: Path) -> list[object]:
    return [sight async for sight in recording(path).observe(None)]


async def test_the_same_content_under_another_path_goes_on_where_it_was(tmp_path: Path) -> None:
    world, desk = FileWorld(tmp_path), Desk()
    world.publish("a post")
    await look(world.connector(), desk)
    packed = tmp_path / "other.jsonl.gz"
    packed.write_bytes(gzip.compress(world.path.read_bytes()))
    found = [sight async for sight in recording(packed).observe(desk.cursor)]
    assert [type(one) for one in found] == [Looked]


async def test_without_observed_it_is_the_end_of_published_and_marked(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    path.write_text(
        '{"id":"1","source":"w","text":"a","published_at":"2026-07-04"}\n{"id":"2","source":"w","text":"b"}\n'
    )
    first, second, _ = await sights(path)
    assert isinstance(first, Observation)
    assert isinstance(second, Observation)
    assert first.observed == datetime(2026, 7, 5, 11, 59, 59, 999999, tzinfo=UTC)  # the day's end at UTC-12
    assert second.observed == first.observed
    assert first.observed_assumed
    assert second.observed_assumed


async def test_looks_of_a_recording_are_passed_on(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    path.write_text('{"look":{"w":"ok","v":"failed"},"observed_at":"2026-07-04T12:00:00Z"}\n')
    first, end = await sights(path)
    assert isinstance(first, Looked)
    assert first.sources == {"w": "ok", "v": "failed"}
    assert first.observed == START
    assert isinstance(end, Looked)
    assert end.done


CORRUPT = {
    "not json": (b'{"id": "1", "source": "w", "text": ', "no JSON"),
    "an array": (b'["id"]', "must be a JSON object, this is list"),
    "a number": (b"17", "must be a JSON object, this is int"),
    "no id": (b'{"source":"w","text":"a"}', "a line needs `id` or `item_id`"),
    "no source": (b'{"id":"1","text":"a"}', "source: Field required"),
    "no text": (b'{"id":"1","source":"w"}', "text: Field required"),
    "null text": (b'{"id":"1","source":"w","text":null}', "text: Input should be a valid string"),
    "text is a list": (b'{"id":"1","source":"w","text":[]}', "text: Input should be a valid string"),
    "bad version": (b'{"id":"1","source":"w","text":"a","version":-1}', "version: Input should be greater"),
    "forward without source": (
        b'{"id":"1","source":"w","text":"a","forward":{}}',
        "forward.source: Field required",
    ),
    "not utf-8": (b'{"id":"1","source":"w","text":"\xff\xfe"}', "no JSON"),
    "NUL bytes": (b"\x00\x00\x00", "no JSON"),
    "half a surrogate": (b'{"id":"1","source":"w","text":"\\ud83d"}', "no JSON"),
    "too deep": (b"[" * 5000, "no JSON"),
}


@pytest.mark.parametrize("case", CORRUPT)
async def test_a_bad_line_is_told_by_file_line_and_field_and_the_rest_goes_on(
    tmp_path: Path, case: str
) -> None:
    line, message = CORRUPT[case]
    path = tmp_path / "r.jsonl"
    good = b'{"id":"%d","source":"w","text":"good","published_at":"2026-07-04T12:00:00Z"}\n'
    path.write_bytes(good % 1 + line + b"\n" + good % 2)
    first, bad, second, end = await sights(path)
    assert isinstance(bad, Observation)
    with pytest.raises(Unreadable) as problem:
        recording(path).normalise(bad)
    assert str(problem.value).startswith("r.jsonl:2: ")
    assert message in str(problem.value)
    assert bad.data == line
    for good_one in (first, second):
        assert isinstance(good_one, Observation)
        assert recording(path).normalise(good_one).text == "good"
    assert isinstance(end, Looked)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("missing.jsonl", None, "there is no such file; correct `path`"),
        ("cut.jsonl.gz", gzip.compress(b"x" * 100_000, mtime=0)[:-40], "damaged gzip"),
        ("plain.jsonl.gz", b'{"id":"1"}\n', "damaged gzip"),
    ],
)
async def test_a_file_that_cannot_be_read_is_one_clear_message(
    tmp_path: Path, name: str, content: bytes | None, message: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SourceFailed, match=message) as problem:
        await sights(path)
    assert str(path) in str(problem.value)


async def test_a_folder_is_no_recording(tmp_path: Path) -> None:
    with pytest.raises(SourceFailed, match="is a folder"):
        await sights(tmp_path)


async def test_an_empty_file_and_a_byte_order_mark_are_fine(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    path.write_bytes(b"")
    assert len(await sights(path)) == 1
    path.write_bytes(b'\xef\xbb\xbf{"id":"1","source":"w","text":"a"}\r\n\r\n')
    first, _ = await sights(path)
    assert isinstance(first, Observation)
    assert recording(path).normalise(first).text == "a"


def row(**fields: object) -> bytes:
    return json.dumps({"id": "1", "source": "w", "text": "a", **fields}).encode()


def test_the_printed_string_is_the_source_word_and_the_recorders_time_a_reading() -> None:
    draft = normalise(row(published_raw="1783181220", published_at="1970-01-21T15:19:41Z"), "r:1")
    assert draft.published is not None
    assert draft.published.lo == datetime(2026, 7, 4, 16, 7, tzinfo=UTC)
    assert draft.published.readings[-1].reason == "collector"


def test_a_string_that_says_nothing_leaves_the_recorders_time_marked_as_assumed() -> None:
    draft = normalise(row(published_raw="04/07/2026 16:07 +0000", published_at="2026-04-07T16:07:00Z"), "r:1")
    assert draft.published is not None
    assert (draft.published.zone, draft.published.zone_name) == ("assumed", "recorder")
    assert draft.published.raw == "04/07/2026 16:07 +0000"
    assert len(draft.published.readings) == 2


def test_relations_name_the_other_end() -> None:
    forward = {"source": "x", "item_id": "9", "date": "2026-07-04T12:00:00Z"}
    draft = normalise(row(reply_to="0", forward=forward), "r:1")
    assert [(one.kind, one.item_id) for one in draft.relations] == [
        ("reply_to", "w/0"),
        ("forward_of", "x/9"),
    ]
