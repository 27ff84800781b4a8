"""Scaling set in one go: bounds, and the one target tracking policy that most resources have.

Whoever needs more policies of one resource than that has Application Auto Scaling's own calls. Target
tracking cannot leave zero: a variant that may have no instance gets what AWS has people put by hand,
a step for requests that wait, and the alarm that leads to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from parkade.domain.alarm import Alarm, Comparison, Missing, Rule, first_standing
from parkade.domain.errors import Conflict, InvalidInput, ScalableTargetNotFound
from parkade.domain.metricquery import Measured, Query
from parkade.domain.scaling.policy import MINUTE, Tracking
from parkade.domain.scaling.signals import Signal
from parkade.domain.scaling.steps import Adjustment, Step, Steps
from parkade.domain.series import SAGEMAKER, Series

if TYPE_CHECKING:
    from collections.abc import Callable

    from parkade.domain.scaling.policy import Policy
    from parkade.domain.scaling.target import Resource, Suspending
    from parkade.ports.clock import Clock
    from parkade.ports.scalingbook import ScalingBook
    from parkade.services.alarms import Alarms

#: The name of the step that leaves zero, and seconds to wait after it.
FROM_ZERO = "from-zero"
_COOLDOWN = 60
_WAITING = "HasBacklogWithoutCapacity"
#: The name of a policy that is made here. That of AWS's console, which shows no other one.
POLICY_NAME = "SageMakerEndpointInvocationScalingPolicy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """What is to be set; None: as it was."""

    least: int | None = None
    most: int | None = None
    target: float | None = None
    signal: Signal | None = None
    #: Seconds.
    out_cooldown: int | None = None
    in_cooldown: int | None = None
    scale_in: bool | None = None
    suspending: Suspending | None = None

    @property
    def tracks(self) -> bool:
        """Whether anything about target tracking is to be set."""
        given = (self.target, self.signal, self.out_cooldown, self.in_cooldown, self.scale_in)
        return any(each is not None for each in given)


class ScaleTuning:
    """Sets and ends the scaling of one resource; `arn` gives that of a policy."""

    def __init__(
        self, scaling: ScalingBook, alarms: Alarms, clock: Clock, *, arn: Callable[[Policy], str]
    ) -> None:
        self._scaling = scaling
        self._alarms = alarms
        self._clock = clock
        self._arn = arn

    def tune(self, resource: Resource, tuning: Tuning, actor: str) -> None:
        """Set what is given. Raises InvalidInput, Conflict, and what registering raises.

        What cannot be tracked is refused before anything is set.
        """
        scaling = self._scaling
        _require_bounds(scaling, resource, tuning)
        former = _tracked(scaling, resource) if tuning.tracks else None
        tracking = _tracking(resource, tuning, former) if tuning.tracks else None
        target = scaling.register(
            resource, actor, least=tuning.least, most=tuning.most, suspended=tuning.suspending
        )
        if tracking is not None:
            name = former.name if former else POLICY_NAME
            scaling.put_policy(resource, name, actor, tracking=tracking)
        if target.least == 0 and not resource.component:
            self._leave_zero(resource, actor)

    def end(self, resource: Resource, actor: str) -> None:
        """Deregister it, and remove the alarm that was made here. Raises ScalableTargetNotFound."""
        self._scaling.deregister(resource, actor)
        self._alarms.remove([_alarm_name(resource)], actor)

    def _leave_zero(self, resource: Resource, actor: str) -> None:
        """Have one instance begun for requests that wait, unless steps are there already."""
        if any(each.steps for each in self._scaling.policies(resource).records):
            return
        steps = Steps(
            adjustment=Adjustment.CHANGE, steps=(Step(adjustment=1, lower=0.0),), cooldown=_COOLDOWN
        )
        policy = self._scaling.put_policy(resource, FROM_ZERO, actor, steps=steps)
        now = self._clock.now()
        waiting = Measured(
            series=Series.of(SAGEMAKER, _WAITING, EndpointName=resource.name),
            period=MINUTE,
            statistic="Maximum",
        )
        alarm = Alarm(
            name=_alarm_name(resource),
            rule=Rule(
                comparison=Comparison.AT_LEAST,
                threshold=1.0,
                periods=1,
                datapoints=1,
                missing=Missing.NOT_BREACHING,
            ),
            queries=(Query(id="m1", measured=waiting),),
            standing=first_standing(now),
            configured_at=now,
            description=f"Requests wait, and {resource} has no instance.",
            alarm_actions=(self._arn(policy),),
            owner=actor,
        )
        self._alarms.put(alarm, actor)


def _alarm_name(resource: Resource) -> str:
    return f"FromZero-{resource.id}"


def _require_bounds(scaling: ScalingBook, resource: Resource, tuning: Tuning) -> None:
    """Raise InvalidInput for bounds that are missing, or the wrong way round."""
    least, most = tuning.least, tuning.most
    if least is None or most is None:
        try:
            target = scaling.target(resource)
        except ScalableTargetNotFound as error:
            raise InvalidInput(
                f"{resource} is not scaled yet, so that both bounds are needed",
                field="min" if least is None else "max",
                hint="give min and max: the fewest and the most that there are to be",
            ) from error
        least = target.least if least is None else least
        most = target.most if most is None else most
    if least > most:
        raise InvalidInput(
            f"min {least} is more than max {most}",
            field="min" if tuning.least is not None else "max",
            hint="give both, the fewest first"
            if tuning.least is None
            else "give a larger max, too",
        )


def _tracked(scaling: ScalingBook, resource: Resource) -> Policy | None:
    """Return the target tracking policy of a resource. Raises Conflict where it has several."""
    found = [each for each in scaling.policies(resource).records if each.tracking is not None]
    if len(found) > 1:
        raise Conflict(
            f"{resource} has {len(found)} target tracking policies: "
            + ", ".join(each.name for each in found),
            hint="change the one that is meant by PutScalingPolicy, or delete the others",
        )
    return found[0] if found else None


def _tracking(resource: Resource, tuning: Tuning, former: Policy | None) -> Tracking:
    before = former.tracking if former else None
    if before is None:
        if tuning.target is None:
            raise InvalidInput(
                f"{resource} has no target tracking policy yet, so that a target is needed",
                field="target",
                hint="give target: how much of its metric there is to be for each",
            )
        before = Tracking(target=tuning.target, metric=Signal.INVOCATIONS.metric(resource))
    return Tracking(
        target=before.target if tuning.target is None else tuning.target,
        metric=before.metric if tuning.signal is None else tuning.signal.metric(resource),
        out_cooldown=before.out_cooldown if tuning.out_cooldown is None else tuning.out_cooldown,
        in_cooldown=before.in_cooldown if tuning.in_cooldown is None else tuning.in_cooldown,
        scale_in=before.scale_in if tuning.scale_in is None else tuning.scale_in,
    )
