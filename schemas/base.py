"""What all messages share: strict when written, tolerant when read."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ValidationInfo,
)
from pydantic_core import CoreSchema, core_schema

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
        return cls.model_validate_json(data, extra="ignore", context=_READER)

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
        known = frozenset(self.values)

        def check(value: str, info: ValidationInfo) -> str:
            if value not in known and not (info.context and info.context.get("reader")):
                raise ValueError(f"{value!r} is none of {', '.join(self.values)}")
            return value

        return core_schema.with_info_after_validator_function(check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> Mapping[str, Any]:
        """Export the known values as a hint, not as a restriction."""
        return {**handler(schema), "x-extensible-enum": list(self.values)}


def _utc(value: datetime) -> datetime:
    return value if value.tzinfo is UTC else value.astimezone(UTC)


Instant = Annotated[AwareDatetime, AfterValidator(_utc)]
"""A point on the UTC time line, microseconds at best; in JSON an RFC 3339 string that ends in Z."""
