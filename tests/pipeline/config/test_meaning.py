"""What a config means: its fingerprint, and what is probably not meant."""

from pathlib import Path
from typing import Any, ClassVar, cast

import pytest
import yaml

from connectors import registry
from connectors.recording import RecordingConfig
from connectors.registry import Kind
from pipeline.config import Config, cautions, fingerprint

RECORDING: dict[str, Any] = {"kind": "recording", "name": "a", "path": "/x"}


def config(**sections: Any) -> Config:
    return Config.model_validate({"sources": [RECORDING], **sections})


def sourced(**changes: Any) -> Config:
    return config(sources=[{**RECORDING, **changes}])


@pytest.mark.parametrize(
    "other",
    [
        config(kafka={"bootstrap_servers": "elsewhere:9092"}),
        config(topics={"prefix": "replay."}),
        config(observe={"port": 1}, log={"level": "debug"}, shutdown={"drain_seconds": 1}),
        config(telegram={"api_id": 7, "sessions": ["desk.session"]}),
        sourced(path="/y"),
        sourced(unit="other"),
        sourced(renamed_from="b"),
    ],
)
def test_where_and_how_we_run_does_not_change_the_fingerprint(other: Config) -> None:
    assert fingerprint(other) == fingerprint(config())


def test_what_the_sources_are_changes_the_fingerprint() -> None:
    others = [config(sources=[]), sourced(name="b"), sourced(speed="real")]
    assert len({fingerprint(each) for each in [config(), *others]}) == 4


def test_the_fingerprint_is_short_and_the_same_in_every_process() -> None:
    assert fingerprint(config()) == "28d9e81edea6"


def test_the_order_of_sources_does_not_change_the_fingerprint() -> None:
    pair = [RECORDING, {**RECORDING, "name": "b"}]
    assert fingerprint(config(sources=pair)) == fingerprint(config(sources=pair[::-1]))


class Live(RecordingConfig):
    """A source of a kind that is not recorded."""

    kind: Any = "live"


class LiveConnector:
    recorded: ClassVar[bool] = False


def test_a_recording_beside_a_live_source_in_one_unit_is_a_caution(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    kinds = {**registry.KINDS, "live": Kind(Live, cast("Any", LiveConnector))}
    monkeypatch.setattr("pipeline.config.loading.KINDS", kinds)
    live = Live(name="b", path=tmp_path)
    recording = RecordingConfig(name="a", path=tmp_path)
    (told,) = cautions(Config.model_construct(sources=(recording, live)))
    assert told.startswith("unit main: a is a recording and b is live")
    apart = live.model_copy(update={"unit": "other"})
    assert cautions(Config.model_construct(sources=(recording, apart))) == []


def test_a_path_that_is_not_there_is_a_caution(tmp_path: Path) -> None:
    (told,) = cautions(sourced(path=str(tmp_path / "none")))
    assert told == f"a: path: there is no {tmp_path / 'none'} (yet)."


@pytest.mark.parametrize(
    ("kafka", "idle"),
    [
        ({"sasl_username": "me", "ssl_cafile": "ca.pem"}, ["sasl_username", "ssl_cafile"]),
        ({"security_protocol": "SSL", "sasl_mechanism": "PLAIN", "ssl_cafile": "ca.pem"}, ["sasl_mechanism"]),
        ({"security_protocol": "SSL", "ssl_cafile": "ca.pem", "deadline_seconds": 3}, []),
    ],
)
def test_a_setting_that_secures_nothing_is_a_caution(kafka: dict[str, object], idle: list[str]) -> None:
    told = [each for each in cautions(config(kafka=kafka)) if each.startswith("kafka: ")]
    assert [each.split()[1] for each in told] == idle


def test_no_sources_are_a_caution() -> None:
    assert "nothing will come in" in cautions(config(sources=[]))[0]


def test_a_config_written_by_a_program_is_read_back_the_same() -> None:
    written = yaml.safe_dump(config().model_dump(mode="json", exclude_unset=True))
    assert Config.model_validate(yaml.safe_load(written)) == config()
