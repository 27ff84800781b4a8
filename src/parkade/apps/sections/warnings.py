"""`warnings`: word to people before an endpoint stops."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from parkade.apps.sections.base import Section


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
