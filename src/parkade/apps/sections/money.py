"""`money`: prices that differ from the list."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from parkade.apps.sections.base import Section


class Money(Section):
    """Prices."""

    prices: dict[
        Annotated[str, Field(pattern=r"^ml\.[a-z0-9-]+\.[a-z0-9]+$")], Annotated[float, Field(ge=0)]
    ] = Field(
        default={},
        description="USD an hour by instance type, before the price list's: for discounts, and "
        "for types that the list does not have.",
    )
