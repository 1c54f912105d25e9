"""What the models say of a place in the file: which settings there are, of what type, with what meaning."""

import re
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from inspect import cleandoc
from typing import Annotated, Any, TypeAlias, Union, get_args, get_origin

from pydantic import BaseModel

from connectors.seam import SourceConfig
from pipeline.config.models import Config, source_settings
from pipeline.config.problems import Place

Leaf: TypeAlias = Callable[[list[Any], Any, Place], Any]
"""Gets the types that a scalar may have, the scalar, and its place; gives what stands in its place."""


def alternatives(annotation: Any) -> Iterator[Any]:
    """Yield the types of a union, without what they are annotated with."""
    if get_origin(annotation) is Annotated:
        yield from alternatives(get_args(annotation)[0])
    elif get_origin(annotation) in {Union, types.UnionType}:
        for each in get_args(annotation):
            yield from alternatives(each)
    else:
        yield annotation


def mapped(annotations: Iterable[Any], data: Any, leaf: Leaf, place: Place = ()) -> Any:
    """Rebuild data with every scalar passed through `leaf`, together with the types that it may have."""
    expected = [each for annotation in annotations for each in alternatives(annotation)]
    if isinstance(data, dict):
        model = model_for(expected, data)
        return {
            name: mapped([_type_of(model, expected, name)], value, leaf, (*place, name))
            for name, value in data.items()
        }
    if isinstance(data, list):
        items = [item for each in expected for item in get_args(each)]
        return [mapped(items, value, leaf, (*place, index)) for index, value in enumerate(data)]
    return leaf(expected, data, place)


def model_for(expected: list[Any], data: Any) -> type[BaseModel] | None:
    """Give the model among the expected types; of a source the one of its kind."""
    for each in expected:
        if each is SourceConfig:
            return source_settings(data)
        if isinstance(each, type) and issubclass(each, BaseModel):
            return each
    return None


def model_at(place: Place, data: Any) -> type[BaseModel] | None:
    """Give the model of the mapping at a place; none if no model is expected there."""
    annotation: Any = Config
    for part in place:
        expected = list(alternatives(annotation))
        if isinstance(part, int):
            annotation = next((get_args(each)[0] for each in expected if get_args(each)), object)
        else:
            annotation = _type_of(model_for(expected, data), expected, part)
        data = child(data, part)
    return model_for(list(alternatives(annotation)), data)


def child(data: Any, part: object) -> Any:
    """Go one step into the data; none if there is nothing."""
    if isinstance(data, Mapping):
        return data.get(part)
    if isinstance(data, list) and isinstance(part, int) and part < len(data):
        return data[part]
    return None


def meaning(model: type[BaseModel], name: str) -> str:
    """Say what a setting is for: its description, or what the model's docstring says of it."""
    field = model.model_fields.get(name)
    if field is not None and field.description:
        return field.description
    for each in model.__mro__:
        found = re.search(
            rf"^ +{re.escape(name)}: (.*(?:\n {{8}}.*)*)", cleandoc(each.__doc__ or ""), re.MULTILINE
        )
        if found:
            return " ".join(found[1].split())
    return ""


def _type_of(model: type[BaseModel] | None, expected: list[Any], name: object) -> Any:
    if model is not None:
        return model.model_fields[name].annotation if name in model.model_fields else object
    values = [get_args(each)[1] for each in expected if get_origin(each) in {dict, Mapping}]
    return values[0] if values else object
