"""Activities: what was done about a target's capacity, or could not be, and why.

The words are Application Auto Scaling's, as its clients show them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime  # noqa: TC003  stores read these forms by their annotations
from enum import StrEnum

from parkade.domain.scaling.target import Resource  # noqa: TC001


class Status(StrEnum):
    """StatusCode of an activity, those of them that are given here."""

    IN_PROGRESS = "InProgress"
    SUCCESSFUL = "Successful"
    FAILED = "Failed"
    #: Something else has set another capacity meanwhile.
    OVERRIDDEN = "Overridden"
    #: Nothing was done: a bound is reached already.
    UNFULFILLED = "Unfulfilled"


class Held(StrEnum):
    """Code of a NotScaledReason: why an alarm's wish changed nothing."""

    AT_MOST = "AlreadyAtMaxCapacity"
    AT_LEAST = "AlreadyAtMinCapacity"
    AT_DESIRED = "AlreadyAtDesiredCapacity"


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """One change of a target's capacity."""

    id: str
    resource: Resource
    status: Status
    cause: str
    started_at: datetime
    ended_at: datetime | None = None
    #: The capacity before, and the one that was asked for.
    before: int
    wanted: int
    #: The policy that led to it; empty: a bound, a scheduled action, or a call.
    policy_name: str = ""
    status_message: str = ""
    #: What it is to do, where that is not to set the capacity.
    text: str = ""
    #: How often it was tried; one that is refused is tried again, and stays one activity.
    attempts: int = 1
    #: Of what was not scaled: why not, and the bounds at that time.
    held: Held | None = None
    least: int | None = None
    most: int | None = None

    @property
    def description(self) -> str:
        """What it is to do, as a sentence."""
        if self.text:
            return self.text
        if self.held is not None:
            return f"Attempting to scale due to {self.cause[:1].lower()}{self.cause[1:]}"
        return f"Setting desired {self.resource.dimension.noun} to {self.wanted}."

    @property
    def over(self) -> bool:
        """Whether it is at its end."""
        return self.status is not Status.IN_PROGRESS

    def succeeded(self, now: datetime) -> Activity:
        """Return it as carried out."""
        return replace(
            self,
            status=Status.SUCCESSFUL,
            ended_at=now,
            status_message=(
                f"Successfully set desired {self.resource.dimension.noun} to {self.wanted}. "
                "Change successfully fulfilled by sagemaker."
            ),
        )

    def failed(self, why: str, now: datetime) -> Activity:
        """Return it as one that could not be carried out."""
        return replace(
            self,
            status=Status.FAILED,
            ended_at=now,
            status_message=(
                f"Failed to set desired {self.resource.dimension.noun} to {self.wanted}. "
                f"Reason: {why}"
            ),
        )

    def overridden(self, desired: int, now: datetime) -> Activity:
        """Return it as one that another change took the place of."""
        return replace(
            self,
            status=Status.OVERRIDDEN,
            ended_at=now,
            status_message=f"The {self.resource.dimension.noun} was set to {desired} meanwhile.",
        )
