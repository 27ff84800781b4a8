"""`tester`: clients that run the cases again and again."""

from typing import Annotated, Any, Self

from pydantic import Discriminator, Field, Tag, field_validator, model_validator

from parkade.apps.projectfile.base import Count, Key, Positive, Section
from parkade.apps.projectfile.references import Reference
from parkade.apps.projectfile.terms import require_hours


def _form(given: object) -> str:
    return IN_FILE if isinstance(given, str) else IN_PLACE


IN_FILE, IN_PLACE = "(file)", "(cases)"
Cases = Annotated[
    Annotated[Annotated[str, Field(min_length=1)], Tag(IN_FILE)]
    | Annotated[Annotated[list[dict[str, Any]], Field(min_length=1)], Tag(IN_PLACE)],
    Discriminator(_form),
]


class TesterSetting(Section):
    """The tester of a project; exactly one of `route` and `endpoint` is tested."""

    route: str | None = Field(default=None, description="path of the route that is called.")
    endpoint: Key | None = Field(
        default=None, description="key of the endpoint that is invoked, past all routes."
    )
    cases: Cases = Field(
        description="file of cases (input_data.json); a relative path begins at the folder of "
        "parkade.yaml. Or the cases themselves."
    )
    clients: Count = Field(default=5, description="clients that run at a time.")
    interval_seconds: Positive = Field(
        default=1, description="seconds from one request of a client to its next."
    )
    duration_seconds: Positive = Field(default=60, description="seconds that one run lasts.")
    schedule: Annotated[str, Field(min_length=1)] | None = Field(
        default=None, description="when it runs by itself: hours as of a lease; null: when told to."
    )
    token: Reference | None = Field(
        default=None, description="reference to the token that it calls with; null: the server's."
    )

    @field_validator("schedule")
    @classmethod
    def _readable(cls, hours: str | None) -> str | None:
        if hours is not None:
            require_hours(hours)
        return hours

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.route is None) == (self.endpoint is None):
            raise ValueError("give exactly one of route and endpoint")
        return self
