"""The example file shows every setting, loads, and is up to date."""

import re
from pathlib import Path
from typing import Literal

import pytest
import yaml
from pydantic import Field, SecretStr

from connectors.seam import SourceConfig
from pipeline.config import Config, KafkaConfig, load
from pipeline.config.__main__ import ROOT, main
from pipeline.config.example import FILE, example, source


class Wire(SourceConfig):
    """A wire that needs a secret."""

    kind: Literal["wire"] = "wire"
    api_hash: SecretStr = Field(description="what the wire calls its key. It is long, " + "so long " * 20)
    channels: tuple[str, ...] = Field(description="names", examples=[["one", "two"]])
    poll_seconds: float = Field(30, description="how often we look")
    session: Path | None = Field(None, description="where the login is kept")


def used(text: str) -> str:
    """Take the # away from every setting."""
    return re.sub(r"^( *)#(?! )", r"\1", text, flags=re.MULTILINE)


def test_the_file_in_the_checkout_is_up_to_date_and_loads() -> None:
    assert (ROOT / FILE).read_text() == example()
    assert [one.name for one in load(ROOT / FILE).sources] == ["my-recording"]


def test_it_shows_every_setting_with_its_default() -> None:
    shown = yaml.safe_load(used(example()))
    assert list(shown) == list(Config.model_fields)
    assert list(shown["kafka"]) == list(KafkaConfig.model_fields)
    defaults = Config().model_dump(mode="json", exclude_none=True, exclude={"sources"})
    for section, values in defaults.items():
        assert {**shown[section], **values} == shown[section]


def test_every_setting_says_what_it_means() -> None:
    lines = example().splitlines()
    settings = [index for index, line in enumerate(lines) if re.match(r" +#?\w+: ", line)]
    assert settings
    assert all(lines[index - 1].lstrip().startswith("# ") for index in settings)


def test_a_kind_that_is_not_used_is_behind_hashes_and_right_without_them() -> None:
    lines = list(source("wire", Wire, used=False))
    assert yaml.safe_load("\n".join(lines)) is None
    assert max(map(len, lines)) < 110
    (entry,) = yaml.safe_load(used("\n".join(lines)))
    assert entry["api_hash"] == "${ENV:API_HASH}"
    assert entry["session"] == "path/to/file"
    assert Wire.model_validate(entry).channels == ("one", "two")


def test_write_and_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--check"], tmp_path) == 1
    assert main(["--write"], tmp_path) == 0
    assert (tmp_path / FILE).read_text() == example()
    assert main(["--check"], tmp_path) == 0
    assert main(["--write"], tmp_path) == 0
    assert capsys.readouterr().out == f"stale: {FILE}\nwrote: {FILE}\n"
