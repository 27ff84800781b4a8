"""The forms of fleets: what runs of an endpoint, and what it costs."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from pydantic import Field

from parkade.apps.api.schemas.form import View
from parkade.apps.api.schemas.leases import EXPECTED_AT, EXPECTED_IN, seconds_to
from parkade.apps.api.schemas.money import SumView
from parkade.domain.price import EMPTY

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from parkade.services.fleets import Fleet


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What part a fleet has."""

    #: Of the requests.
    share: float
    #: When it will answer, while it does not and that is known.
    expected_at: datetime | None = None


#: Of a fleet that only finishes what it has.
_NO_PART = Part(share=0.0)


class FleetView(View):
    """The instances that one endpoint config brought up."""

    config_name: str = Field(description="Empty where it is not known.", examples=["falcon-config"])
    generation: int = Field(description="The later of two fleets has the higher number.")
    machines: list[str] = Field(
        description="What it runs on, by variant.", examples=[["2 x ml.g5.12xlarge"]]
    )
    hourly: SumView = Field(description="What all of it costs an hour.")
    share: float = Field(description="Its share of the requests, 0 to 1.")
    expected_at: datetime | None = EXPECTED_AT
    expected_in_seconds: float | None = EXPECTED_IN

    @classmethod
    def of(cls, fleet: "Fleet", part: Part, now: datetime) -> "FleetView":
        """Write a fleet as of `now`."""
        return cls(
            config_name=fleet.config_name,
            generation=fleet.generation,
            machines=[each.noun for each in fleet.machines],
            hourly=SumView.of(fleet.hourly),
            share=part.share,
            expected_at=part.expected_at,
            expected_in_seconds=seconds_to(part.expected_at, now),
        )


class FleetsView(View):
    """The fleets of an endpoint: two while it is updated."""

    fleets: list[FleetView] = Field(description="The oldest first.")
    hourly: SumView = Field(description="What all of them cost an hour together.")

    @classmethod
    def of(
        cls, fleets: "Sequence[Fleet]", parts: "Mapping[int, Part]", now: datetime
    ) -> "FleetsView":
        """Write fleets, with the part that each generation has, and their sum."""
        whole = EMPTY
        for each in fleets:
            whole = whole.plus(each.hourly)
        return cls(
            fleets=[
                FleetView.of(each, parts.get(each.generation, _NO_PART), now) for each in fleets
            ],
            hourly=SumView.of(whole),
        )
