"""Which changes of a schema break its readers, and which do not.

A change breaks if a record that the old schema allowed is wrong by the new one, or if something that readers
may use is gone. Run as `python -m schemas.compatibility --against HEAD`.
"""

import argparse
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from schemas.export import GENERATED, ROOT

Node = Mapping[str, Any]
Part = Node | bool
"""`true` allows anything, `false` nothing."""
_AT_LEAST = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_AT_MOST = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_REMARKS = (
    "$schema",
    "$id",
    "$comment",
    "$defs",
    "$ref",
    "title",
    "description",
    "default",
    "examples",
    "deprecated",
)
_COMPARED = ("type", "format", "enum", "const", "properties", "required", "items", "additionalProperties")
_NOTHING: Node = {"not": {}}
"""What the schema `false` means."""


def breaking(old: Node, new: Node) -> list[str]:
    """List what a reader of `old` would trip over in `new`, each with its path; none: compatible.

    Definitions are followed, so moving or renaming them is no change. Keywords that we do not use count as
    broken when they are added or changed.
    """
    name = str(old.get("$id", "schema:")).split(":")[-2]
    # What lies beside alternatives is met once in each of them.
    return list(dict.fromkeys(_Comparison(old, new).nodes(name, old, new, frozenset())))


def breaking_topics(old: Node, new: Node) -> list[str]:
    """List what a subscriber by the AsyncAPI document `old` would miss in `new`."""
    found: list[str] = []
    for name, channel in old["channels"].items():
        if name not in new["channels"]:
            found.append(f"{name}: topic removed")
            continue
        now = new["channels"][name]
        parts, parts_now = (each["bindings"]["kafka"]["partitions"] for each in (channel, now))
        if parts != parts_now:
            found.append(f"{name}: partitions {parts} became {parts_now}")
        for kind, message in channel["messages"].items():
            payload, payload_now = message["payload"], now["messages"].get(kind, {}).get("payload")
            if payload_now is None:
                found.append(f"{name}: event {kind} removed")
            elif payload != payload_now:
                found.append(f"{name}: event {kind}: {payload['$ref']} became {payload_now['$ref']}")
    return found


@dataclass(frozen=True, slots=True)
class _Comparison:
    """Two whole schemas, whose definitions the parts refer to."""

    old: Node
    new: Node

    def nodes(self, path: str, old: Part, new: Part, seen: frozenset[tuple[str, str]]) -> Iterator[str]:
        """Compare a part; each alternative that was allowed needs one that allows it now."""
        were, are = list(_alternatives(old, self.old)), list(_alternatives(new, self.new))
        if not all(any(_fits(was, now) for now in are) for was in were):
            yield f"{path}: type {_label(were)} became {_label(are)}"
            return
        for was in were:
            fitting = [list(self._alternative(path, was, now, seen)) for now in are if _fits(was, now)]
            yield from min(fitting, key=len)

    def _alternative(
        self, path: str, old: Node, new: Node, seen: frozenset[tuple[str, str]]
    ) -> Iterator[str]:
        pair = (old.get("$ref", ""), new.get("$ref", ""))
        if pair in seen:
            return
        below = seen | {pair} if all(pair) else seen
        yield from _values(path, old, new)
        yield from _limits(path, old, new)
        yield from self._fields(path, old, new, below)
        for key, step in (("items", "[]"), ("additionalProperties", ".*")):
            if key in old or key in new:
                yield from self.nodes(path + step, old.get(key, True), new.get(key, True), below)

    def _fields(self, path: str, old: Node, new: Node, seen: frozenset[tuple[str, str]]) -> Iterator[str]:
        had, has = old.get("properties", {}), new.get("properties", {})
        for field in had:
            if field in has:
                yield from self.nodes(f"{path}.{field}", had[field], has[field], seen)
            else:
                yield f"{path}.{field}: field removed"
        for field in new.get("required", ()):
            if field not in old.get("required", ()):
                change = "optional field became required" if field in had else "new field is required"
                yield f"{path}.{field}: {change}"


def _alternatives(node: Part, root: Node) -> Iterator[Node]:
    """Take a part as the list of plain schemas of which one must hold; each remembers its `$ref`."""
    if isinstance(node, bool):
        yield {} if node else _NOTHING
    elif "$ref" in node:
        beside = {key: value for key, value in node.items() if key != "$ref"}
        for each in _alternatives(_target(node["$ref"], root), root):
            yield {**each, **beside, "$ref": node["$ref"]}
    elif branches := node.get("anyOf") or node.get("oneOf"):
        beside = {key: value for key, value in node.items() if key not in ("anyOf", "oneOf")}
        for branch in branches:
            for each in _alternatives(branch, root):
                yield {**beside, **each}
    elif isinstance(node.get("type"), list):
        yield from ({**node, "type": each} for each in node["type"])
    else:
        yield node


def _target(reference: str, root: Node) -> Node:
    target: Node = root
    for part in reference.removeprefix("#/").split("/"):
        target = target[part]
    return target


def _fits(old: Node, new: Node) -> bool:
    """Tell whether the new type takes in the old one."""
    if old == _NOTHING:
        return True
    if new == _NOTHING or new.get("format") not in (None, old.get("format")):
        return False
    kinds = (old.get("type"), new.get("type"))
    return kinds[1] in (None, kinds[0]) or kinds == ("integer", "number")


def _label(alternatives: Sequence[Node]) -> str:
    return "|".join(
        "nothing" if each == _NOTHING else str(each.get("format") or each.get("type", "any"))
        for each in alternatives
    )


def _values(path: str, old: Node, new: Node) -> Iterator[str]:
    """Compare closed and open enumerations; a constant is an enumeration of one."""
    allowed = _closed(new)
    if allowed is not None:
        known = _closed(old)
        if known is None:
            yield f"{path}: any value became one of {', '.join(allowed)}"
        yield from (f"{path}: value {value} removed" for value in known or () if value not in allowed)
    if listed := new.get("x-extensible-enum"):
        gone = [value for value in old.get("x-extensible-enum", ()) if value not in listed]
        yield from (f"{path}: known value {json.dumps(value)} removed" for value in gone)


def _closed(node: Node) -> list[str] | None:
    values = node.get("enum", [node["const"]] if "const" in node else None)
    return None if values is None else [json.dumps(value) for value in values]


def _limits(path: str, old: Node, new: Node) -> Iterator[str]:
    """Compare bounds, and take any other restriction that is new or not the same as narrower."""
    for key, value in new.items():
        if key in (*_REMARKS, *_COMPARED) or key.startswith("x-") or old.get(key) == value:
            continue
        looser = key in old and (
            (key in _AT_LEAST and value < old[key]) or (key in _AT_MOST and value > old[key])
        )
        if not looser:
            yield f"{path}: {key} {old.get(key, 'none')} became {value}"


def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """Compare the generated files with those of a commit; 1 means that readers break, 2 an unknown commit."""
    parser = argparse.ArgumentParser(prog="python -m schemas.compatibility", description=__doc__)
    parser.add_argument("--against", default="HEAD", metavar="COMMIT", help="such as HEAD or a tag")
    commit = parser.parse_args(arguments).against
    if _git(root, "rev-parse", "--verify", "--quiet", f"{commit}^{{commit}}") is None:
        sys.stdout.write(f"nothing to compare with: there is no commit {commit} here\n")
        return 0 if commit == "HEAD" else 2
    found = [line for path in _committed(root, commit) for line in _file(root, commit, path)]
    sys.stdout.writelines(f"breaks readers: {line}\n" for line in found)
    return 1 if found else 0


def _committed(root: Path, commit: str) -> list[str]:
    listed = _git(root, "ls-tree", "-r", "--name-only", commit, "--", GENERATED) or ""
    return listed.splitlines()


def _file(root: Path, commit: str, path: str) -> list[str]:
    """Compare one file, known to be in the commit."""
    if not (root / path).is_file():
        return [f"{path}: file removed"]
    before, after = _git(root, "show", f"{commit}:{path}") or "", (root / path).read_text("utf-8")
    if path.endswith(".yaml"):
        return breaking_topics(yaml.safe_load(before), yaml.safe_load(after))
    return breaking(json.loads(before), json.loads(after))


def _git(root: Path, *arguments: str) -> str | None:
    """Give what git prints, or none if it fails or is not installed."""
    git = shutil.which("git")
    if git is None:
        return None
    done = subprocess.run(  # noqa: S603 # no shell; the only foreign argument is the caller's own commit
        [git, "-C", str(root), *arguments], capture_output=True, check=False, encoding="utf-8"
    )
    return done.stdout if done.returncode == 0 else None


if __name__ == "__main__":
    sys.exit(main())
