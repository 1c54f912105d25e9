"""The written rules of the house, each with a check, and a negative test where the check is ours."""

import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LENGTHS = runpy.run_path(str(Path(__file__).parent / "lengths.py"))


def tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.split("\0")
    return [ROOT / name for name in listed if name and (ROOT / name).is_file()]


def test_files_and_functions_are_short() -> None:
    assert list(LENGTHS["problems"]()) == []


def test_the_length_check_sees_a_long_function_and_a_long_file(tmp_path: Path) -> None:
    (tmp_path / "schemas").mkdir()
    (tmp_path / "schemas" / "long.py").write_text("def f():\n" + "    x = 1\n" * 450)
    found = list(LENGTHS["problems"](tmp_path))
    assert len(found) == 2


def test_import_rules_hold() -> None:
    done = subprocess.run(
        [str(Path(sys.executable).parent / "lint-imports")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("word", ["Manager", "Helper", "Utils"])
def test_no_class_hides_behind_a_word_that_says_nothing(word: str) -> None:
    named = re.compile(rf"class \w*{word}\b")
    found = [path for path in tracked() if path.suffix == ".py" and named.search(path.read_text())]
    assert found == []


def test_no_absolute_path_of_a_machine_and_no_registry_host() -> None:
    forbidden = re.compile(r"/work/|/root/|files\.pythonhosted\.org|pypi\.org/simple|repo1?\.maven\.org")
    found = [
        str(path.relative_to(ROOT))
        for path in tracked()
        if path.name != "test_rules.py" and forbidden.search(path.read_text(errors="replace"))
    ]
    assert found == []
