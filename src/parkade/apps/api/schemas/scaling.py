"""The forms of scaling: how many there are and are to be, by which rules, and what was decided."""

from datetime import datetime
from typing import TYPE_CHECKING

from pydantic import AwareDatetime, Field

from parkade.apps.api.schemas.form import Form, View
from parkade.domain.scaling.policy import CustomMetric, Predefined
from parkade.domain.scaling.signals import Signal, signal_of
from parkade.domain.scaling.target import Suspending
from parkade.ports.capacity import Readiness
from parkade.services.alarms import query_words
from parkade.services.scaletuning import Tuning
from parkade.services.timetables import Timing

if TYPE_CHECKING:
    from collections.abc import Iterable

    from parkade.domain.scaling.activity import Activity
    from parkade.domain.scaling.deciding import Decision
    from parkade.domain.scaling.policy import Policy
    from parkade.domain.scaling.steps import Step, Steps
    from parkade.domain.scaling.target import Resource, ScalableTarget, Suspended
    from parkade.domain.scaling.timetable import ScheduledAction
    from parkade.ports.capacity import Reading


class CountView(View):
    """How many instances of a variant, or copies of an inference component, there are."""

    variant_name: str = Field(description="Empty: it is an inference component.")
    component_name: str
    current: int = Field(description="Those that answer.")
    desired: int = Field(description="Those that are wanted now.")
    least: int | None = Field(description="The fewest that scaling may make it; null: not scaled.")
    most: int | None = Field(description="The most; null: it is not scaled.")

    @classmethod
    def of(cls, reading: "Reading", target: "ScalableTarget | None") -> "CountView":
        """Write how many there are."""
        return cls(
            variant_name=reading.resource.variant_name,
            component_name=reading.resource.name if reading.resource.component else "",
            current=reading.current,
            desired=reading.desired,
            least=target.least if target else None,
            most=target.most if target else None,
        )


class SuspendedView(View):
    """What of scaling is suspended."""

    scale_in: bool
    scale_out: bool
    scheduled: bool

    @classmethod
    def of(cls, suspended: "Suspended") -> "SuspendedView":
        """Write what is suspended."""
        return cls(
            scale_in=suspended.scale_in,
            scale_out=suspended.scale_out,
            scheduled=suspended.scheduled,
        )


class StepView(View):
    """A step of step scaling: what is done from one distance of the threshold to another."""

    lower: float | None
    upper: float | None
    adjustment: int

    @classmethod
    def of(cls, step: "Step") -> "StepView":
        """Write a step."""
        return cls(lower=step.lower, upper=step.upper, adjustment=step.adjustment)


class PolicyAlarmView(View):
    """An alarm that shows what a policy goes by, or that leads to its steps."""

    name: str
    state: str = Field(examples=["OK"])


class PolicyView(View):
    """A scaling policy: target tracking, or steps."""

    name: str
    kind: str = Field(description="target_tracking or step.", examples=["target_tracking"])
    metric: str = Field(
        description="invocations, concurrency or backlog, else what is measured; empty: steps, "
        "which go by their alarms.",
        examples=["invocations"],
    )
    target: float | None = Field(description="What the metric is kept near; null: steps.")
    scale_out_cooldown_seconds: int | None
    scale_in_cooldown_seconds: int | None
    scale_in: bool
    adjustment: str = Field(
        description="ChangeInCapacity, PercentChangeInCapacity or ExactCapacity; empty: no steps."
    )
    steps: list[StepView]
    alarms: list[PolicyAlarmView]

    @classmethod
    def of(cls, policy: "Policy", alarms: "Iterable[PolicyAlarmView]") -> "PolicyView":
        """Write a policy with its alarms."""
        tracking, steps = policy.tracking, policy.steps
        return cls(
            name=policy.name,
            kind="target_tracking" if tracking else "step",
            metric=_metric(tracking.metric, policy.resource) if tracking else "",
            target=tracking.target if tracking else None,
            scale_out_cooldown_seconds=tracking.out_cooldown if tracking else _cooldown(steps),
            scale_in_cooldown_seconds=tracking.in_cooldown if tracking else _cooldown(steps),
            scale_in=tracking.scale_in if tracking else True,
            adjustment=steps.adjustment.value if steps else "",
            steps=[StepView.of(each) for each in steps.steps] if steps else [],
            alarms=list(alarms),
        )


def _metric(metric: Predefined | CustomMetric, resource: "Resource") -> str:
    signal = signal_of(metric, resource)
    if signal is not None:
        return signal.value
    if isinstance(metric, Predefined):
        return metric.value
    return next(query_words(each) for each in metric.queries if each.returned)


def _cooldown(steps: "Steps | None") -> int | None:
    return steps.cooldown if steps else None


class ScheduledActionView(View):
    """Bounds that are set at a time."""

    name: str
    schedule: str = Field(examples=["cron(0 8 ? * MON-FRI *)"])
    timezone: str = Field(description="Empty: UTC.", examples=["Europe/Berlin"])
    min: int | None = Field(description="null: it stays as it is.")
    max: int | None = Field(description="null: it stays as it is.")
    starts_at: datetime | None
    ends_at: datetime | None
    next_at: datetime | None = Field(description="Its next time; null: there is none any more.")

    @classmethod
    def of(cls, action: "ScheduledAction", now: datetime) -> "ScheduledActionView":
        """Write a scheduled action as of `now`."""
        return cls(
            name=action.name,
            schedule=action.schedule,
            timezone=action.zone,
            min=action.least,
            max=action.most,
            starts_at=action.starts_at,
            ends_at=action.ends_at,
            next_at=action.next_after(now),
        )


class DecisionView(View):
    """What was decided at the last look, and why."""

    at: datetime
    before: int
    wanted: int
    reason: str = Field(examples=["policy p: its metric was 250 at last, no reason to change"])
    policy_name: str = Field(description="Whose wish it was; empty: the bounds', or nobody's.")
    next_at: datetime | None = Field(
        description="When it may be another one at the earliest; null: with the next look."
    )

    @classmethod
    def of(cls, decision: "Decision") -> "DecisionView":
        """Write a decision."""
        return cls(
            at=decision.at,
            before=decision.before,
            wanted=decision.wanted,
            reason=decision.reason,
            policy_name=decision.policy_name,
            next_at=decision.next_at,
        )


class ActivityView(View):
    """What was done about a capacity, or was not, and why."""

    id: str
    at: datetime
    ended_at: datetime | None
    variant_name: str
    component_name: str
    before: int
    wanted: int
    status: str = Field(examples=["Successful"])
    cause: str
    message: str

    @classmethod
    def of(cls, activity: "Activity") -> "ActivityView":
        """Write an activity."""
        resource = activity.resource
        return cls(
            id=activity.id,
            at=activity.started_at,
            ended_at=activity.ended_at,
            variant_name=resource.variant_name,
            component_name=resource.name if resource.component else "",
            before=activity.before,
            wanted=activity.wanted,
            status=activity.status.value,
            cause=activity.cause,
            message=activity.status_message,
        )


class CapacityView(View):
    """A variant or an inference component: how many there are, and how it is scaled."""

    resource_id: str = Field(examples=["endpoint/text/variant/AllTraffic"])
    variant_name: str = Field(description="Empty: it is an inference component.")
    component_name: str
    current: int | None = Field(description="Those that answer; null: it is not there.")
    desired: int | None = Field(description="Those that are wanted; null: it is not there.")
    changing: bool = Field(description="Whether it is on its way to another number.")
    why: str = Field(description="Why its number cannot be changed now; empty: it can.")
    scaled: bool = Field(description="Whether it is a scalable target; else the rest is empty.")
    min: int | None
    max: int | None
    suspended: SuspendedView | None
    policies: list[PolicyView]
    scheduled: list[ScheduledActionView]
    decision: DecisionView | None = Field(description="null: nobody has looked yet.")

    @classmethod
    def unscaled(cls, reading: "Reading") -> "CapacityView":
        """Write what is not scaled."""
        return cls._of(reading.resource, reading, reading.why, None)

    @classmethod
    def of(
        cls,
        target: "ScalableTarget",
        reading: "Reading | None",
        why: str,
        *,
        decision: "Decision | None",
        policies: "Iterable[PolicyView]",
        scheduled: "Iterable[ScheduledActionView]",
    ) -> "CapacityView":
        """Write how a scalable target stands."""
        return cls._of(target.resource, reading, why, target).model_copy(
            update={
                "policies": list(policies),
                "scheduled": list(scheduled),
                "decision": DecisionView.of(decision) if decision else None,
            }
        )

    @classmethod
    def _of(
        cls,
        resource: "Resource",
        reading: "Reading | None",
        why: str,
        target: "ScalableTarget | None",
    ) -> "CapacityView":
        return cls(
            resource_id=resource.id,
            variant_name=resource.variant_name,
            component_name=resource.name if resource.component else "",
            current=reading.current if reading else None,
            desired=reading.desired if reading else None,
            changing=reading is not None and reading.readiness is Readiness.CHANGING,
            why=why,
            scaled=target is not None,
            min=target.least if target else None,
            max=target.most if target else None,
            suspended=SuspendedView.of(target.suspended) if target else None,
            policies=[],
            scheduled=[],
            decision=None,
        )


class ScalingView(View):
    """How an endpoint is scaled: each of its variants, or of its inference components."""

    endpoint_name: str
    capacities: list[CapacityView]
    activities: list[ActivityView] = Field(description="The newest first, some of them.")
    unreadable: dict[str, str] = Field(
        description="What of it cannot be read, and why, by its name: that is left alone."
    )


class SuspendForm(Form):
    """What is to be suspended, or no longer; what is left out stays."""

    scale_in: bool | None = None
    scale_out: bool | None = None
    scheduled: bool | None = None

    def suspending(self) -> Suspending:
        """Return what was asked for."""
        return Suspending(
            scale_in=self.scale_in, scale_out=self.scale_out, scheduled=self.scheduled
        )


class ScalingForm(Form):
    """How a variant or an inference component is to be scaled; what is left out stays."""

    variant: str | None = Field(None, description="Left out: the only one that there is.")
    component: str | None = Field(None, description="An inference component instead.")
    min: int | None = Field(None, description="The fewest.", examples=[1])
    max: int | None = Field(None, description="The most.", examples=[4])
    target: float | None = Field(
        None, description="What its metric is kept near, for each.", examples=[600]
    )
    metric: Signal | None = Field(
        None,
        description="invocations in a minute, concurrency: requests at a time, or backlog: "
        "asynchronous requests that wait. At first: invocations.",
    )
    scale_out_cooldown_seconds: int | None = Field(None, description="At first 300.")
    scale_in_cooldown_seconds: int | None = Field(None, description="At first 300.")
    scale_in: bool | None = Field(None, description="false: it is never made fewer.")
    suspended: SuspendForm | None = None

    def tuning(self) -> Tuning:
        """Return what is to be set."""
        return Tuning(
            least=self.min,
            most=self.max,
            target=self.target,
            signal=self.metric,
            out_cooldown=self.scale_out_cooldown_seconds,
            in_cooldown=self.scale_in_cooldown_seconds,
            scale_in=self.scale_in,
            suspending=self.suspended.suspending() if self.suspended else None,
        )


class ScheduledActionForm(Form):
    """Bounds that are to be set at a time; what is left out of one that is there stays."""

    variant: str | None = Field(None, description="Left out: the only one that is scaled.")
    component: str | None = None
    schedule: str | None = Field(None, examples=["cron(0 8 ? * MON-FRI *)"])
    timezone: str | None = Field(None, examples=["Europe/Berlin"])
    min: int | None = None
    max: int | None = None
    starts_at: AwareDatetime | None = Field(
        None, description="Not before this; left out: from now on, whatever it was."
    )
    ends_at: AwareDatetime | None = Field(None, description="Left out: without an end.")

    def timing(self) -> Timing:
        """Return what it does, and when."""
        return Timing(
            schedule=self.schedule,
            zone=self.timezone,
            starts_at=self.starts_at,
            ends_at=self.ends_at,
            least=self.min,
            most=self.max,
        )
