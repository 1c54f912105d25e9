"""From pydantic's errors to problems with a cure."""

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from connectors.registry import KINDS
from pipeline.config.problems import Place, Problem
from pipeline.config.shape import child, meaning, model_at

_FALLBACK = "See dateline.example.yaml."
_SHOWN = 40

_EXPECTED: Mapping[str, tuple[str, str]] = {
    "int": ("a whole number", "Write digits alone: 20."),
    "float": ("a number", "Write digits, with a point where needed: 0.5."),
    "finite": ("a number", "Write digits, with a point where needed: 0.5."),
    "bool": ("true or false", "Write true or false."),
    "string": ("text", "Put it in quotes."),
    "list": ("a list", "Begin each entry on a line of its own with a dash."),
    "tuple": ("a list", "Begin each entry on a line of its own with a dash."),
    "dict": ("settings by name", "Indent them under it, or remove it."),
    "model": ("settings by name", "Indent them under it, or remove it."),
}
"""By the first word of an error's type: what was expected, and the cure."""

_BOUNDS: Mapping[str, tuple[str, str, str]] = {
    "greater_than": ("gt", "not above", "Choose more than"),
    "greater_than_equal": ("ge", "below", "Choose at least"),
    "less_than": ("lt", "not below", "Choose less than"),
    "less_than_equal": ("le", "above", "Choose at most"),
}


def problems_of(error: ValidationError, data: Any) -> list[Problem]:
    """Say in words what pydantic found in the data."""
    return [problem_of(detail, data) for detail in error.errors(include_url=False)]


def problem_of(detail: ErrorDetails, data: Any) -> Problem:
    """Say one error in words."""
    kind, place = detail["type"], place_of(detail, data)
    if special := _SPECIAL.get(kind):
        return special(detail, place, data)
    if bound := _BOUNDS.get(kind):
        key, relation, advice = bound
        limit = f"{detail['ctx'][key]:g}"
        return Problem(place, f"is {shown(detail['input'])}, {relation} {limit}", f"{advice} {limit}.")
    if expected := _EXPECTED.get(kind.partition("_")[0]) if kind.endswith(_TYPES) else None:
        return Problem(place, f"is {shown(detail['input'])}, not {expected[0]}", expected[1])
    return Problem(place, lowered(detail["msg"]), sentence(explained(place, data)) or _FALLBACK)


_TYPES = ("_type", "_parsing", "_from_float", "_number")


def _unknown(_: ErrorDetails, place: Place, data: Any) -> Problem:
    return Problem(place, "is no setting", nearest(str(place[-1]), names_at(place[:-1], data)))


def _missing(_: ErrorDetails, place: Place, data: Any) -> Problem:
    return Problem(place, "is missing", f"Add it: {sentence(explained(place, data)) or _FALLBACK}")


def _no_kind(_: ErrorDetails, place: Place, _data: Any) -> Problem:
    return Problem((*place, "kind"), "is missing", f"Add it: one of {', '.join(KINDS)}.")


def _wrong_kind(detail: ErrorDetails, place: Place, _data: Any) -> Problem:
    kind = str(detail["ctx"]["tag"])
    return Problem((*place, "kind"), f"{kind!r} is no kind of source", nearest(kind, list(KINDS)))


def _choice(detail: ErrorDetails, place: Place, _data: Any) -> Problem:
    allowed = detail["ctx"]["expected"].replace("'", "")
    return Problem(place, f"is {shown(detail['input'])}", f"Write {allowed}.")


def _pattern(detail: ErrorDetails, place: Place, data: Any) -> Problem:
    return Problem(
        place, f"cannot be {shown(detail['input'])}", sentence(explained(place, data)) or _FALLBACK
    )


def _own(detail: ErrorDetails, place: Place, _data: Any) -> Problem:
    wrong, _, cure = str(detail["ctx"]["error"]).partition("; ")
    return Problem(place, wrong, sentence(cure) or _FALLBACK)


_SPECIAL: Mapping[str, Callable[[ErrorDetails, Place, Any], Problem]] = {
    "extra_forbidden": _unknown,
    "invalid_key": _unknown,
    "missing": _missing,
    "union_tag_not_found": _no_kind,
    "union_tag_invalid": _wrong_kind,
    "literal_error": _choice,
    "string_pattern_mismatch": _pattern,
    "value_error": _own,
}


_NAMELESS = ("missing", "invalid_key")
"""What is wrong at a place that the data has under no name."""


def place_of(detail: ErrorDetails, data: Any) -> Place:
    """Give where in the file an error is: its location without the names of types that pydantic puts in."""
    place: list[str | int] = []
    for index, part in enumerate(detail["loc"]):
        last = index == len(detail["loc"]) - 1
        if child(data, part) is not None or (isinstance(data, Mapping) and part in data):
            place.append(str(part) if isinstance(data, Mapping) else part)
            data = child(data, part)
        elif last and detail["type"] in _NAMELESS:
            place.append(part)
    return tuple(place)


def names_at(place: Place, data: Any) -> list[str]:
    """Give the settings that there are at a place."""
    model = model_at(place, data)
    return [] if model is None else list(model.model_fields)


def nearest(name: str, names: list[str]) -> str:
    """Propose the name that was meant, or list all."""
    close = get_close_matches(name.lower(), names, n=1)
    return f"Did you mean {close[0]}?" if close else f"There are: {', '.join(names)}."


def explained(place: Place, data: Any) -> str:
    """Say what the setting at a place is for."""
    model = model_at(place[:-1], data) if place else None
    return meaning(model, str(place[-1])) if model is not None else ""


def shown(value: Any) -> str:
    """Show a value as it may have been written, shortened."""
    if value is None:
        return "empty"
    if isinstance(value, dict | list | tuple):
        return "settings by name" if isinstance(value, dict) else "a list"
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def lowered(text: str) -> str:
    """Make a message of pydantic go on in our sentence."""
    return text[:1].lower() + text[1:]


def sentence(text: str) -> str:
    """Make words a sentence."""
    return text and f"{text[:1].upper()}{text[1:].removesuffix('.')}."
