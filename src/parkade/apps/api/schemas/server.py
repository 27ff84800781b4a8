"""The forms of what the server says of itself."""

from pydantic import Field

from parkade.apps.api.schemas.form import View


class HealthView(View):
    """How the server is."""

    status: str = Field(examples=["live"])


class ReloadView(View):
    """What a reload took up."""

    changed: list[str] = Field(
        description="Names of the settings that differ from before.",
        examples=[["limits.workers"]],
    )
