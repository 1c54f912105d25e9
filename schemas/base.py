"""What all messages share: strict when written, tolerant when read."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ValidationError,
    ValidationInfo,
)
from pydantic_core import CoreSchema, PydanticKnownError, SchemaValidator, core_schema

_READER = {"reader": True}


class Record(BaseModel):
    """A message, or a part of one: frozen, unknown fields refused when we write, ignored when we read."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @classmethod
    def read(cls, data: bytes | str) -> Self:
        """Read a message that another version of this program may have written.

        Unknown fields are ignored and unknown members of open enumerations are let through.

        Raises:
            pydantic.ValidationError: a field is missing or of the wrong type.
        """
        value: Self = cls.__pydantic_validator__.validate_json(data, extra="ignore", context=_READER)
        return value

    def dump(self) -> bytes:
        """Give the bytes that go to Kafka: JSON, UTF-8, no spaces, fields in the order of the model."""
        return self.__pydantic_serializer__.to_json(self)


def name_of(model: type[Record]) -> str:
    """Spell a model's name as files and ids have it: StoryChange is story-change."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", model.__name__).lower()


@dataclass(frozen=True, slots=True)
class Open:
    """Marks a string field whose known values are listed but may grow: readers must accept others.

    Writers are held to the list. The exported schema carries it as `x-extensible-enum`.
    """

    values: tuple[str, ...]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Check the value against the list, except for readers."""
        refusal = f"none of {', '.join(self.values)}"

        def let_through(value: str, info: ValidationInfo) -> str:
            if not (info.context and info.context.get("reader")):
                raise ValueError(refusal)
            return value

        return core_schema.union_schema(
            [
                core_schema.literal_schema(list(self.values)),
                core_schema.with_info_after_validator_function(let_through, handler(source)),
            ],
            mode="left_to_right",
            custom_error_type="not_listed",
            custom_error_message=refusal,
            serialization=core_schema.simple_ser_schema("str"),
        )

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> Mapping[str, Any]:
        """Export the known values as a hint, not as a restriction."""
        return {**handler(core_schema.str_schema()), "x-extensible-enum": list(self.values)}


_AWARE = SchemaValidator(core_schema.datetime_schema(tz_constraint="aware"))
_OWN_LENGTHS = (len("2026-07-04T16:07:00Z"), len("2026-07-04T16:07:00.000000Z"))


def _utc(value: object) -> datetime:
    """Give the instant in the one zone `UTC`; what we spelled ourselves is read in a fifth of the time."""
    if type(value) is datetime:
        if value.tzinfo is UTC:
            return value
    elif type(value) is str and len(value) in _OWN_LENGTHS and value[7] == "-" and value[-1] == "Z":
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            pass  # the validator below says what is wrong
    try:
        time: datetime = _AWARE.validate_python(value)
        return time.astimezone(UTC)
    except ValidationError as problem:
        wrong = problem.errors()[0]
        raise PydanticKnownError(wrong["type"], wrong.get("ctx")) from None  # type: ignore[arg-type]


class _OnTheUtcLine:
    """Makes a field an `Instant`."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            _utc, json_schema_input_schema=handler(source), serialization=None
        )

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> Mapping[str, Any]:
        return handler(core_schema.datetime_schema())


Instant = Annotated[datetime, _OnTheUtcLine()]
"""A point on the UTC time line, microseconds at best; in JSON an RFC 3339 string that ends in Z."""
