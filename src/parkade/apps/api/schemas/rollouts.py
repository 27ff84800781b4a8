"""The form of an update in stages: how far it has come."""

from datetime import datetime
from typing import TYPE_CHECKING

from pydantic import Field

from parkade.apps.api.schemas.form import View

if TYPE_CHECKING:
    from parkade.domain.stages import Rollout


class RolloutView(View):
    """How far an update in stages has come."""

    strategy: str = Field(examples=["canary, 10 % first"])
    stage: str = Field(
        description="rising, shifting, baking, terminating or rolling_back.", examples=["baking"]
    )
    share: float = Field(
        description="Which part of the requests goes to what is being brought up.", examples=[0.1]
    )
    began_at: datetime
    since: datetime = Field(description="When the stage began.")
    until: datetime | None = Field(
        description="When the stage is over by time; null: it waits for workers or gateways."
    )
    alarms: list[str] = Field(description="Alarms that turn it back.")
    promoted: bool = Field(description="Whether somebody vouched for it: nothing is watched.")
    reason: str = Field(description="Why it is rolled back; empty: it is not.")

    @classmethod
    def of(cls, rollout: "Rollout") -> "RolloutView":
        """Write how far it has come."""
        return cls(
            strategy=str(rollout.strategy),
            stage=rollout.stage,
            share=float(rollout.share),
            began_at=rollout.began_at,
            since=rollout.since,
            until=rollout.until,
            alarms=list(rollout.strategy.alarms),
            promoted=rollout.promoted,
            reason=rollout.reason,
        )
