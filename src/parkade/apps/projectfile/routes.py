"""`routes`: the paths of the API in front of the endpoints."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from parkade.apps.projectfile.base import Count, Key, Positive, Section
from parkade.domain.route import TIMEOUT_LIMIT


class Rate(Section):
    """How many requests of a route are admitted."""

    per_second: Positive = Field(description="requests a second that are admitted for long.")
    burst: Count = Field(description="requests that are admitted at once.")


class Sticky(Section):
    """What makes the same caller meet the same variant; exactly one of the two."""

    header: Annotated[str, Field(pattern=r"^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,100}$")] | None = Field(
        default=None, description="header that tells callers apart."
    )
    cookie: Annotated[str, Field(pattern=r"^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,100}$")] | None = Field(
        default=None, description="cookie that tells callers apart."
    )

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.header is None) == (self.cookie is None):
            raise ValueError("give exactly one of header and cookie")
        return self


class RouteSetting(Section):
    """One route; its key is the path, such as `/text`."""

    endpoint: Key = Field(description="key of the endpoint that it leads to.")
    auth: Literal["token", "public"] = Field(
        default="token", description="who may call it: those with a token, or everybody."
    )
    kind: Literal["lambda", "direct", "execution"] = Field(
        default="lambda",
        description="on AWS, what carries its requests: a function; the API itself, straight to "
        "the endpoint; or an execution, for answers that take longer than 29 s: it answers with "
        "`executionArn`, for `/describeexecution`. One machine carries `direct` as `lambda`, and "
        "refuses `execution`.",
    )
    rate: Rate | None = Field(default=None, description="its rate limit; null: the server's alone.")
    timeout_seconds: Annotated[Positive, Field(le=TIMEOUT_LIMIT)] | None = Field(
        default=None, description="seconds. Time for an answer; null: the server's."
    )
    sticky: Sticky | None = Field(
        default=None, description="assignment of callers to variants; null: by weight, each time."
    )
