"""The form of every error."""

from pydantic import Field

from parkade.apps.api.schemas.form import View


class ErrorView(View):
    """What was asked, what is wrong, what to do."""

    code: str = Field(description="The error's name.", examples=["lease_not_found"])
    message: str = Field(examples=["no lease has the endpoint name 'falcon'"])
    hint: str = Field(
        description="What to do about it; may be empty.",
        examples=["make one: parkade add falcon --config CONFIG --minutes 30"],
    )
    field: str | None = Field(None, description="The field that is to blame, in dotted form.")


class ErrorAnswer(View):
    """Every error of this API."""

    error: ErrorView
