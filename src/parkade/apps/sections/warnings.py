"""`warnings`: word to people before an endpoint stops."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator

from parkade.apps.sections.base import Section
from parkade.domain.errors import InvalidInput
from parkade.domain.subscriber import require_url


class Warnings(Section):
    """Word to people before an endpoint stops."""

    minutes: list[Annotated[float, Field(gt=0)]] = Field(
        default=[10, 2],
        description="minutes before expiry at which a warning is given: an event, a log line, "
        "and the webhook if there is one. An empty list turns warnings off.",
    )
    webhook: Annotated[str, Field(pattern=r"^https?://.+")] | None = Field(
        default=None,
        description="URL. Receives every notice as a JSON POST; a subscriber of its own, see "
        "docs/events.md.",
    )

    @field_validator("webhook")
    @classmethod
    def _usable(cls, url: str | None) -> str | None:
        try:
            require_url(url or "", field="webhook")
        except InvalidInput as error:
            raise ValueError(f"{error.message}; {error.hint}") from error
        return url
