"""Scaling policies: of one of two types, each with its configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from parkade.adapters.aws.sagemaker.forms import stepping, tracking

if TYPE_CHECKING:
    from collections.abc import Mapping

    from parkade.domain.scaling.policy import Tracking
    from parkade.domain.scaling.steps import Steps

TRACKING, STEPS = "TargetTrackingScaling", "StepScaling"
#: The member of the configuration of each type.
CONFIGURATIONS = {
    TRACKING: "TargetTrackingScalingPolicyConfiguration",
    STEPS: "StepScalingPolicyConfiguration",
}


def shown(tracked: Tracking | None, steps: Steps | None) -> dict[str, Any]:
    """Return type and configuration, of which there is exactly one."""
    if tracked is not None:
        return {"PolicyType": TRACKING, CONFIGURATIONS[TRACKING]: tracking.shown(tracked)}
    assert steps is not None  # noqa: S101  it has one of both
    return {"PolicyType": STEPS, CONFIGURATIONS[STEPS]: stepping.shown(steps)}


def read(given: Mapping[str, Any]) -> tuple[Tracking | None, Steps | None]:
    """Return what a policy is configured as. Raises KeyError for a type that is not known here."""
    if given["PolicyType"] == STEPS:
        return None, stepping.read(given[CONFIGURATIONS[STEPS]])
    return tracking.read(given[CONFIGURATIONS[TRACKING]]), None
