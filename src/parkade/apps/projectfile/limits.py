"""`limits`: what the project may become, and what its owner may spend."""

from typing import Annotated, Literal

from pydantic import Field, field_validator

from parkade.apps.projectfile.base import Amount, Count, Section
from parkade.apps.projectfile.endpoints import Owner
from parkade.domain import budget
from parkade.domain.errors import InvalidInput


class BudgetSetting(Section):
    """What an owner may spend."""

    owner: Owner | None = Field(
        default=None,
        description="whose budget it is; null: the project's own, by the prefix of its names, which "
        "then pays for the endpoints that name no owner.",
    )
    amount: Amount = Field(description="US dollars in each period.")
    per: Literal["day", "week", "month"] = Field(
        default="week", description="the period; weeks begin on Monday."
    )
    then: Literal["warn", "refuse", "stop"] = Field(
        default="refuse",
        description="when it is used up: `warn` tells the owner once; `refuse` grants no new time; "
        "`stop` also ends their leases.",
    )
    zone: Annotated[str, Field(min_length=1)] = Field(
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


class LimitsSetting(Section):
    """What the project may become; null: as much as the server allows."""

    hourly: Amount | None = Field(
        default=None, description="USD an hour, while all of the project runs."
    )
    instances: Count | None = Field(
        default=None, description="instances of all its endpoints, as far as scaling may go."
    )
    budget: BudgetSetting | None = Field(
        default=None, description="the budget of who owns its endpoints."
    )
