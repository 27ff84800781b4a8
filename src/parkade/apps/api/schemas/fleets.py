"""The forms of fleets: what runs of an endpoint, and what it costs."""

from typing import TYPE_CHECKING

from pydantic import Field

from parkade.apps.api.schemas.form import View
from parkade.apps.api.schemas.money import SumView
from parkade.domain.price import EMPTY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from parkade.services.fleets import Fleet


class FleetView(View):
    """The instances that one endpoint config brought up."""

    config_name: str = Field(description="Empty where it is not known.", examples=["falcon-config"])
    generation: int = Field(description="The later of two fleets has the higher number.")
    machines: list[str] = Field(
        description="What it runs on, by variant.", examples=[["2 x ml.g5.12xlarge"]]
    )
    hourly: SumView = Field(description="What all of it costs an hour.")

    @classmethod
    def of(cls, fleet: "Fleet") -> "FleetView":
        """Write a fleet."""
        return cls(
            config_name=fleet.config_name,
            generation=fleet.generation,
            machines=[each.noun for each in fleet.machines],
            hourly=SumView.of(fleet.hourly),
        )


class FleetsView(View):
    """The fleets of an endpoint: two while it is updated."""

    fleets: list[FleetView] = Field(description="The oldest first.")
    hourly: SumView = Field(description="What all of them cost an hour together.")

    @classmethod
    def of(cls, fleets: "Sequence[Fleet]") -> "FleetsView":
        """Write fleets, with their sum."""
        whole = EMPTY
        for each in fleets:
            whole = whole.plus(each.hourly)
        return cls(fleets=[FleetView.of(each) for each in fleets], hourly=SumView.of(whole))
