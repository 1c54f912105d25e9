"""Reading the bytes of an observation, or saying by name what is wrong with them. Pure."""

from typing import TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from connectors.seam import Unreadable

M = TypeVar("M", bound=BaseModel)


def read(model: type[M], data: bytes, place: str, whole: str) -> M:
    """Read JSON as a model has it.

    Args:
        model: what it should be.
        data: the bytes.
        place: where they were.
        whole: what to call it where the whole of it is wrong.

    Raises:
        Unreadable: it is something else; the message names place and field.
    """
    try:
        return model.model_validate(from_json(data))
    except ValidationError as problem:
        raise Unreadable(f"{place}: {wrong(problem, whole)}") from None
    except ValueError as problem:
        raise Unreadable(f"{place}: no JSON: {problem}") from None


def wrong(problem: ValidationError, whole: str) -> str:
    """Say the first thing that is wrong: which field, and what it should be."""
    first = problem.errors()[0]
    return f"{'.'.join(map(str, first['loc'])) or whole}: {first['msg']}"
