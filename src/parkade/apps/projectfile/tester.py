"""`tester`: clients that run the cases again and again."""

from typing import Annotated, Any, Self

from pydantic import Discriminator, Field, Tag, model_validator

from parkade.apps.projectfile.base import Count, Key, Positive, Section
from parkade.apps.projectfile.references import Reference
from parkade.domain.errors import InvalidInput
from parkade.domain.timing import require_schedule


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
        default=None,
        description="when the server runs it by itself; null: when told to.",
        examples=["rate(5 minutes)", "cron(0 9 ? * MON-FRI *)"],
    )
    timezone: Annotated[str, Field(min_length=1)] | None = Field(
        default=None, description="wall clock of a cron; null: UTC.", examples=["Europe/Berlin"]
    )
    token: Reference | None = Field(
        default=None, description="reference to the token that it calls with; null: the server's."
    )

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.route is None) == (self.endpoint is None):
            raise ValueError("give exactly one of route and endpoint")
        if self.schedule is not None or self.timezone is not None:
            try:
                require_schedule(self.schedule or "", self.timezone or "")
            except InvalidInput as error:
                raise ValueError("; ".join(filter(None, (error.message, error.hint)))) from error
        return self
