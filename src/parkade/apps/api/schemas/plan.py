"""The form of a plan."""

from datetime import datetime

from pydantic import Field

from parkade.apps.api.schemas.form import View
from parkade.domain.actions import ActionKind, Plan


class ActionView(View):
    """One thing a sweep would do."""

    kind: ActionKind
    endpoint_name: str
    reason: str = Field(examples=["paid for 9 min 58 s more; in service"])


class PlanView(View):
    """What a sweep would do now, and why."""

    now: datetime
    next_at: datetime | None = Field(
        description="When a decision is due by time alone; null: only on a change."
    )
    actions: list[ActionView]

    @classmethod
    def of(cls, plan: Plan) -> "PlanView":
        """Write a plan."""
        return cls(
            now=plan.now,
            next_at=plan.next_at,
            actions=[
                ActionView(kind=each.kind, endpoint_name=each.endpoint_name, reason=each.reason)
                for each in plan.actions
            ],
        )
