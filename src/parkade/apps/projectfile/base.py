"""What all sections of parkade.yaml have in common."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from parkade.domain.catalog import ENVIRONMENT_TEXT_LIMIT

#: A key that names part of a project; the project's prefix goes before it.
Key = Annotated[str, Field(pattern=r"^[a-zA-Z0-9](-*[a-zA-Z0-9])*$", max_length=63)]
#: An object that is there already, or the prefix of many.
Address = Annotated[str, Field(pattern=r"^s3://[^/\s]+(/.*)?$", max_length=1100)]
Topic = Annotated[str, Field(pattern=r"^arn:aws[a-z\-]*:sns:[^\s]+$", max_length=2048)]
Tags = dict[
    Annotated[str, Field(min_length=1, max_length=128)], Annotated[str, Field(max_length=256)]
]
#: A number above 0.
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
#: A number of 0 or more.
Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]
#: The value of a variable of a container's environment.
Value = Annotated[str, Field(max_length=ENVIRONMENT_TEXT_LIMIT)]


class Section(BaseModel):
    """A section of parkade.yaml: unknown keys are refused, values are taken as they are.

    A document holds what was written, and no defaults beside it: an older client's stays short,
    and a newer server's defaults hold for it.
    """

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        serialize_by_alias=True,
        use_attribute_docstrings=False,
    )
