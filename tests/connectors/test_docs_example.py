"""The pages keep their word: the connector of docs/connectors.md works as printed, links lead somewhere."""

import importlib
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import cast

import pytest
import yaml

import connectors
from connectors import registry
from pipeline.compliance import Compliance, Desk, World, look

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/connectors.md").read_text()
FILES = dict(re.findall(r"`([\w/]+\.py)`[^`]*\n\n```python\n(.*?)```", PAGE, re.DOTALL))
"""The text of each file by its path; of the registry, the lines that come in."""
IMPORT, ENTRY = FILES.pop("connectors/registry.py").splitlines(keepends=True)
TEST = "tests/connectors/folder/test_folder.py"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.fixture
def example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The page's own test module, with the page's connector where it says it is."""
    for path, text in FILES.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    monkeypatch.setattr(connectors, "__path__", [*connectors.__path__, str(tmp_path / "connectors")])
    monkeypatch.syspath_prepend(str(tmp_path / TEST).rpartition("/")[0])
    try:
        yield importlib.import_module("test_folder")
    finally:
        for name in [one for one in sys.modules if one.startswith(("connectors.folder", "test_folder"))]:
            del sys.modules[name]
        vars(connectors).pop("folder", None)


class TestExample(Compliance):
    @pytest.fixture(autouse=True)
    def _printed(self, example: ModuleType) -> None:
        self.example = example

    def world(self, tmp_path: Path) -> World:
        return cast("World", self.example.TestFolder().world(tmp_path))


def test_the_page_counts_its_files_and_lines() -> None:
    lines = 2 + sum(len(text.splitlines()) for text in FILES.values())
    assert f"{1 + len(FILES)} files, {lines} lines, and all of them are on this page" in PAGE


@pytest.mark.usefixtures("example")
def test_the_lines_for_the_registry_make_it_a_kind_that_a_config_can_name() -> None:
    source = Path(registry.__file__).read_text()
    first, last = source.index("from connectors."), source.rindex("}")
    module = ModuleType("registry")
    sys.modules["registry"] = module
    exec(source[:first] + IMPORT + source[first:last] + ENTRY + source[last:], vars(module))
    del sys.modules["registry"]
    (printed,) = yaml.safe_load(PAGE.rpartition("```yaml\n")[2].partition("```")[0])["sources"]
    kind = module.KINDS[printed["kind"]]
    config = kind.config.model_validate(printed)
    assert kind.connector(config).config.path == Path("notes")


async def test_an_old_file_that_is_moved_in_is_a_new_post(tmp_path: Path, example: ModuleType) -> None:
    (tmp_path / "world").mkdir()
    world, desk = example.FolderWorld(tmp_path / "world"), Desk()
    world.publish("new")
    await look(world.connector(), desk)
    (tmp_path / "old").write_text("old")
    os.utime(tmp_path / "old", (0, 0))
    (tmp_path / "old").rename(world.path / "old.txt")
    assert [item.text for item in await look(world.connector(), desk)] == ["old"]


@pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])
def test_every_file_that_a_page_names_is_there(page: Path) -> None:
    text = page.read_text()
    linked = [each for each in re.findall(r"\]\(([^)#]+)", text) if "://" not in each]
    rooms = "schemas|connectors|pipeline|tests|docs|deploy|requirements"
    named = re.findall(rf"`((?:{rooms})/[\w./-]*)", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    missing = [each for each in linked if not (page.parent / each).exists()]
    missing += [each for each in named if each not in {*FILES} and not (ROOT / each).exists()]
    assert missing == []
