"""Scaling set in one go: bounds, and the one target tracking policy that most resources have.

Whoever needs more policies of one resource than that has Application Auto Scaling's own calls.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from parkade.domain.errors import Conflict, InvalidInput, ScalableTargetNotFound
from parkade.domain.scaling.policy import Tracking
from parkade.domain.scaling.signals import Signal

if TYPE_CHECKING:
    from parkade.domain.scaling.policy import Policy
    from parkade.domain.scaling.target import Resource
    from parkade.services.scaling import Scaling, Suspending

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


def tune(scaling: Scaling, resource: Resource, tuning: Tuning, actor: str) -> None:
    """Set what is given. Raises InvalidInput, Conflict, and what registering raises.

    What cannot be tracked is refused before anything is set.
    """
    _require_bounds(scaling, resource, tuning)
    former = _tracked(scaling, resource) if tuning.tracks else None
    tracking = _tracking(resource, tuning, former) if tuning.tracks else None
    scaling.register(
        resource, actor, least=tuning.least, most=tuning.most, suspended=tuning.suspending
    )
    if tracking is not None:
        name = former.name if former else POLICY_NAME
        scaling.put_policy(resource, name, actor, tracking=tracking)


def _require_bounds(scaling: Scaling, resource: Resource, tuning: Tuning) -> None:
    if tuning.least is not None and tuning.most is not None:
        return
    try:
        scaling.target(resource)
    except ScalableTargetNotFound as error:
        raise InvalidInput(
            f"{resource} is not scaled yet, so that both bounds are needed",
            field="min" if tuning.least is None else "max",
            hint="give min and max: the fewest and the most that there are to be",
        ) from error


def _tracked(scaling: Scaling, resource: Resource) -> Policy | None:
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
