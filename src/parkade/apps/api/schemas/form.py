"""What all forms share.

A `Form` is what a caller sends: unknown fields are refused by name, with a suggestion. A `View`
is what is answered, made from a value of the domain by its `of`.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, PlainValidator, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from parkade.domain import lease
from parkade.domain.names import suggestion


class View(BaseModel):
    """Base of all answers."""

    model_config = ConfigDict(frozen=True)


class Form(BaseModel):
    """Base of all bodies."""

    # Unknown fields are refused below, with a suggestion; `forbid` says so in the documentation.
    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _no_unknown_fields(cls, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        known = [field.alias or name for name, field in cls.model_fields.items()]
        for name in value:
            if name not in known:
                hint = suggestion(name, known) or "known are " + ", ".join(known)
                raise PydanticCustomError(
                    "unknown_field", "unknown field", {"name": name[:80], "hint": hint}
                )
        return value


#: The rule of minutes is the domain's; it raises InvalidInput, which passes through pydantic.
Minutes = Annotated[
    timedelta,
    PlainValidator(lease.minutes),
    WithJsonSchema({
        "type": "number", "exclusiveMinimum": 0, "description": "A number of minutes > 0.",
    }),
]  # fmt: skip
