"""Every mistake in a config is told with its place, its line and its cure, and all at once."""

from pathlib import Path

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from pipeline.config import Config, ConfigProblem, Problem, load
from pipeline.config.problems import spelled

SOURCE = "sources:\n- {kind: recording, name: a, path: x.jsonl}\n"
RENAMED = "sources:\n- {kind: recording, name: a, path: x, renamed_from: z}\n"


def problems(path: Path, text: str | bytes, **environ: str) -> list[Problem]:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(ConfigProblem) as caught:
        load(path, environ)
    return list(caught.value.problems)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "dateline.yaml"


WRONG = {
    "empty": ("", "", None, "is empty", "dateline.example.yaml"),
    "comments alone": ("# nothing\n", "", None, "is empty", "dateline.example.yaml"),
    "a list": ("- kafka\n", "", 1, "a list", "dateline.example.yaml"),
    "one value": ("kafka\n", "", 1, "one value", "dateline.example.yaml"),
    "bad indentation": ("log:\n  level: info\n format: json\n", "", 3, "column 2", "indentation"),
    "open quote": ("log: {level: 'info}\n", "", 2, "no valid YAML", "quotes"),
    "tab": ("log:\n\tlevel: info\n", "", 2, "cannot start any token", "indentation"),
    "two documents": ("log: {}\n---\nlog: {}\n", "", 2, "another document", "indentation"),
    "not UTF-8": (b"log: {}\n# caf\xe9\n", "", 2, "not UTF-8", "UTF-8"),
    "control character": ("log: {}\n# \x07\n", "", 2, "0x0007", "Remove it"),
    "tag of Python": ("log: !!python/object:os.system {}\n", "", 1, "no valid YAML", "quotes"),
    "value YAML cannot give": ("log: {level: !!int info}\n", "", None, "cannot give", "quotes"),
    "refers to itself": ("log: &log\n  level: *log\n", "", 1, "refers to itself", "Write the value out"),
    "key twice": ("log: {}\nlog: {}\n", "log", 2, "first in line 1", "Remove one"),
    "key twice, deep": ("log:\n  level: info\n  level: info\n", "log.level", 3, "line 2", "Remove one"),
    "unknown section": ("kafak: {}\n", "kafak", 1, "no setting", "Did you mean kafka?"),
    "unknown setting": ("log:\n  levle: info\n", "log.levle", 2, "no setting", "Did you mean level?"),
    "nothing like it": ("log:\n  q: 1\n", "log.q", 2, "no setting", "There are: level, format."),
    "unknown of a source": (
        "sources:\n- kind: recording\n  name: a\n  path: x\n  sped: max\n",
        "sources[0].sped",
        5,
        "no setting",
        "Did you mean speed?",
    ),
    "key that is no text": ("1: 2\n", "1", 1, "no setting", "There are: kafka"),
    "section left empty": ("log:\n", "log", 1, "is empty, not settings by name", "Indent"),
    "section is a list": ("log: [a]\n", "log", 1, "is a list, not settings by name", "Indent"),
    "sources by name": ("sources: {a: 1}\n", "sources", 1, "settings by name, not a list", "dash"),
    "source is text": ("sources: [x]\n", "sources[0]", 1, "is 'x', not settings", "Indent"),
    "no choice": ("log: {level: loud}\n", "log.level", 1, "is 'loud'", "debug, info, warning or error"),
    "not a number": ("observe: {port: x}\n", "observe.port", 1, "is 'x', not a whole number", "digits"),
    "half a port": ("observe: {port: 1.5}\n", "observe.port", 1, "is 1.5, not a whole number", "digits"),
    "port too high": ("observe: {port: 65532}\n", "observe.port", 1, "above 65531", "at most 65531"),
    "port below zero": ("observe: {port: -1}\n", "observe.port", 1, "below 0", "at least 0"),
    "no time to drain": (
        "shutdown: {drain_seconds: 0}\n",
        "shutdown.drain_seconds",
        1,
        "not above 0",
        "more than 0",
    ),
    "no number at all": (
        "shutdown: {drain_seconds: .nan}\n",
        "shutdown.drain_seconds",
        1,
        "is nan, not a number",
        "digits",
    ),
    "prefix": ("topics: {prefix: 'a b'}\n", "topics.prefix", 1, "cannot be 'a b'", "letters, digits"),
    "yes is no text": ("topics: {prefix: yes}\n", "topics.prefix", 1, "is true, not text", "in quotes"),
    "unknown kind": (
        "sources:\n- {kind: recordign, name: a}\n",
        "sources[0].kind",
        2,
        "'recordign' is no kind",
        "Did you mean recording?",
    ),
    "kind not named": ("sources:\n- {name: a}\n", "sources[0].kind", 2, "is missing", "one of recording"),
    "path not named": (
        "sources:\n- {kind: recording, name: a}\n",
        "sources[0].path",
        2,
        "is missing",
        "Add it: The file",
    ),
    "name not named": (
        "sources:\n- {kind: recording, path: a}\n",
        "sources[0].name",
        2,
        "is missing",
        "Add it: The source's name",
    ),
    "SASL without a login": (
        "kafka: {security_protocol: SASL_SSL}\n",
        "kafka",
        1,
        "needs sasl_username",
        "dateline.example.yaml",
    ),
    "literal secret": (
        "kafka:\n  sasl_password: hunter2\n",
        "kafka.sasl_password",
        2,
        "must not stand",
        "${ENV:NAME}",
    ),
    "secret that is a number": (
        "kafka: {sasl_password: 1}\n",
        "kafka.sasl_password",
        1,
        "must not",
        "${FILE:",
    ),
    "secret not set": (
        "kafka: {sasl_password: '${ENV:PASS}'}\n",
        "kafka.sasl_password",
        1,
        "no PASS",
        "Set PASS",
    ),
    "secret file not there": (
        "kafka: {sasl_password: '${FILE:no.txt}'}\n",
        "kafka.sasl_password",
        1,
        "no.txt: No such file",
        "Correct",
    ),
    "reference for what is no secret": (
        "topics: {prefix: '${ENV:PREFIX}'}\n",
        "topics.prefix",
        1,
        "no secret",
        "the value itself",
    ),
    "same name": (
        f"{SOURCE}- {{kind: recording, name: a, path: y}}\n",
        "sources[1].name",
        3,
        "is taken",
        "its own name",
    ),
    "renamed from itself": (
        "sources:\n- {kind: recording, name: a, path: x, renamed_from: a}\n",
        "sources[0].renamed_from",
        2,
        "its name still",
        "Remove renamed_from",
    ),
    "renamed from one that is there": (
        f"{SOURCE}- {{kind: recording, name: b, path: y, renamed_from: a}}\n",
        "sources[1].renamed_from",
        3,
        "still configured",
        "remove that one",
    ),
    "renamed twice from one": (
        f"{RENAMED}- {{kind: recording, name: b, path: y, renamed_from: z}}\n",
        "sources[1].renamed_from",
        3,
        "claimed by another",
        "Only one",
    ),
}


@pytest.mark.parametrize(("text", "place", "line", "wrong", "cure"), WRONG.values(), ids=WRONG.keys())
def test_each_mistake_is_told_with_place_line_and_cure(
    *, file: Path, text: str | bytes, place: str, line: int | None, wrong: str, cure: str
) -> None:
    (problem,) = problems(file, text)
    assert (spelled(problem.place), problem.line) == (place, line)
    assert wrong in problem.wrong
    assert cure in problem.cure


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file(file: Path) -> None:
    text = "observe: {port: -1, prot: 2}\nlog: {level: loud}\nkafka: {sasl_password: x}\nlog: {}\n"
    found = problems(file, text + SOURCE + "- {kind: rss, name: a}\n")
    places = [spelled(problem.place) for problem in found]
    assert sorted(places[:2]) == ["observe.port", "observe.prot"]
    assert places[2:4] == ["kafka.sasl_password", "log"]
    assert sorted(places[4:]) == ["sources[1].kind", "sources[1].name"]


def test_the_message_names_file_line_place_and_cure(file: Path) -> None:
    file.write_text("log: {level: loud}\n")
    with pytest.raises(ConfigProblem) as caught:
        load(file)
    assert str(caught.value) == (
        f"{file}:\n  line 1: log.level: is 'loud'\n    Write debug, info, warning or error."
    )


@pytest.mark.parametrize(
    ("name", "wrong"), [("none.yaml", "no such file"), ("", "is a folder"), ("a\0b", "cannot be read")]
)
def test_a_file_that_is_none_is_told(tmp_path: Path, name: str, wrong: str) -> None:
    with pytest.raises(ConfigProblem, match=wrong):
        load(tmp_path / name)


def test_a_file_that_may_not_be_read_is_told(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(_: Path) -> bytes:
        raise PermissionError

    monkeypatch.setattr(Path, "read_bytes", denied)
    with pytest.raises(ConfigProblem, match="may not be read by this user"):
        load(file)


def test_no_secret_shows_in_messages_or_in_the_config(file: Path) -> None:
    (told,) = problems(file, "kafka: {sasl_password: hunter2}\n")
    assert "hunter2" not in str(told)
    (told,) = problems(file, "kafka: {pasword: hunter2}\n")
    assert "hunter2" not in str(told)
    file.write_text("kafka: {sasl_password: '${ENV:PASS}'}\n")
    config = load(file, {"PASS": "hunter2"})
    assert config.kafka.sasl_password == SecretStr("hunter2")
    assert "hunter2" not in repr(config)


def test_a_secret_comes_from_a_file_beside_the_config(file: Path) -> None:
    (file.parent / "pass.txt").write_text(" hunter 2 \n")
    file.write_text("kafka: {sasl_password: '${FILE:pass.txt}'}\n")
    assert load(file).kafka.sasl_password == SecretStr(" hunter 2 ")
    (file.parent / "pass.txt").write_text("\n")
    (problem,) = problems(file, "kafka: {sasl_password: '${FILE:pass.txt}'}\n")
    assert "is empty" in problem.wrong


def test_relative_paths_start_at_the_folder_of_the_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text("kafka: {ssl_cafile: ca.pem}\n" + SOURCE + "- {kind: recording, name: b, path: /abs}\n")
    monkeypatch.chdir(file.parent)
    config = load(Path(file.name))
    paths = [dict(source)["path"] for source in config.sources]
    assert paths == [file.parent / "x.jsonl", Path("/abs")]
    assert config.kafka.ssl_cafile == file.parent / "ca.pem"


def test_what_is_not_said_has_its_default(file: Path) -> None:
    file.write_text("kafka: {deadline_seconds: 3}\n")
    config = load(file)
    assert (config.kafka.bootstrap_servers, config.topics.prefix) == ("local", "dateline.")
    assert (config.observe.host, config.observe.port) == ("127.0.0.1", 9464)
    assert (config.log.level, config.log.format, config.shutdown.drain_seconds) == ("info", "auto", 20)


def test_an_anchor_may_be_used_twice(file: Path) -> None:
    text = "sources:\n- &a {kind: recording, name: a, path: x}\n- {<<: *a, name: b}\n"
    file.write_text(text)
    paths = [dict(source)["path"] for source in load(file).sources]
    assert paths == [file.parent / "x"] * 2


names = st.sampled_from(
    [*Config.model_fields, "level", "port", "kind", "name", "path", "recording", "<<", "1"]
)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-1, 9)
    | st.text(max_size=3)
    | st.sampled_from(["${ENV:A}", "recording"])
)
trees = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=4)
)


@settings(max_examples=80, deadline=None)
@example(tree={}, noise="?")
@given(tree=st.dictionaries(names, trees, max_size=4), noise=st.text(max_size=12))
def test_nothing_but_a_config_or_its_problems_comes_out(
    tmp_path_factory: pytest.TempPathFactory, tree: object, noise: str
) -> None:
    file = tmp_path_factory.getbasetemp() / "fuzz.yaml"
    for text in (yaml.safe_dump(tree, allow_unicode=True), noise, f"log: {noise}"):
        file.write_bytes(text.encode(errors="replace"))
        try:
            assert isinstance(load(file, {"A": "secret"}), Config)
        except ConfigProblem as problem:
            assert all(each.wrong and each.cure for each in problem.problems)  # noqa: PT017 - both ends are right
