"""What all sections of parkade.yaml have in common."""

from types import NoneType
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, model_validator

from parkade.domain.catalog import ENVIRONMENT_TEXT_LIMIT

#: A key that names part of a project; the project's prefix goes before it.
Key = Annotated[str, Field(pattern=r"^[a-zA-Z0-9](-*[a-zA-Z0-9])*$", max_length=63)]
#: An object that is there already, or the prefix of many.
Address = Annotated[str, Field(pattern=r"^s3://[^/\s]+(/.*)?$", max_length=1100)]
BucketName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.\-]{1,61}[a-z0-9]$")]
Topic = Annotated[str, Field(pattern=r"^arn:aws[a-z\-]*:sns:[^\s]+$", max_length=2048)]
Tags = dict[
    Annotated[str, Field(min_length=1, max_length=128)], Annotated[str, Field(max_length=256)]
]
#: What is larger is a slip of the hand, and more than spans of time and sums of money hold.
_MOST = 1_000_000_000
#: A number above 0.
Positive = Annotated[float, Field(gt=0, le=_MOST, allow_inf_nan=False)]
#: A number of 0 or more.
Amount = Annotated[float, Field(ge=0, le=_MOST, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1, le=_MOST)]
#: The value of a variable of a container's environment.
Value = Annotated[str, Field(max_length=ENVIRONMENT_TEXT_LIMIT)]


class Section(BaseModel):
    """A section of parkade.yaml: unknown keys are refused, values are taken as they are.

    Null removes: it is the same as leaving the key out, unless null has a meaning of its own there.
    What was left out stays left out where a section is written again, so that a newer server's
    defaults hold for an older file.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, serialize_by_alias=True)

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        kinds = {field.alias or key: field.annotation for key, field in cls.model_fields.items()}
        kept = {
            key: value
            for key, value in given.items()
            if value is not None or key not in kinds or NoneType in get_args(kinds[key])
        }
        for key, value in kept.items():
            if isinstance(value, dict) and get_origin(kinds.get(key)) is dict:
                kept[key] = {name: each for name, each in value.items() if each is not None}
        return kept
