"""`money`: prices that differ from the list, and what owners may spend."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, field_validator

from parkade.apps import habits
from parkade.apps.sections.base import Section
from parkade.domain import budget
from parkade.domain.errors import InvalidInput

if TYPE_CHECKING:
    from decimal import Decimal

    from parkade.domain.budget import Budget


class EachOwner(Section):
    """What every owner may spend who has no budget of their own."""

    usd: Annotated[float, Field(ge=0)] = Field(description="US dollars in each period.")
    per: Literal["day", "week", "month"] = Field(
        default="week", description="the period; weeks begin on Monday."
    )
    then: Literal["warn", "refuse", "stop"] = Field(
        default="refuse",
        description="what happens when it is used up: `warn` tells the owner, once in the period; "
        "`refuse` grants no new time; `stop` also ends their leases, as `budget`.",
    )
    zone: str = Field(
        default="UTC", description="time zone in which days begin, such as Europe/Berlin."
    )

    @field_validator("zone")
    @classmethod
    def _known(cls, zone: str) -> str:
        try:
            budget.zone_of(zone)
        except InvalidInput as error:
            raise ValueError(error.message) from error
        return zone


class Money(Section):
    """Prices and budgets."""

    prices: dict[
        Annotated[str, Field(pattern=r"^ml\.[a-z0-9-]+\.[a-z0-9-]+$")],
        Annotated[float, Field(ge=0, allow_inf_nan=False)],
    ] = Field(
        default={},
        description="USD an hour by instance type, before the price list's: for discounts, and "
        "for types that the list does not have.",
    )
    budget: EachOwner | None = Field(
        default=None,
        description="what every owner may spend who has no budget of their own; without it, they "
        "may spend what they like.",
    )
    keep_days: Annotated[float, Field(ge=32)] = Field(
        default=400,
        description="days. How long it is known what was spent; a budget needs a month of it.",
    )

    def own_prices(self) -> dict[str, Decimal]:
        """Return the prices that are set here."""
        return habits.own_prices(self)

    def budget_of(self, owner: str) -> Budget | None:
        """Return the budget of an owner who has none of their own."""
        return habits.budget_of(self, owner)
