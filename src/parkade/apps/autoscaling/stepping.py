"""StepScalingPolicyConfiguration, as callers may give it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from parkade.adapters.aws.sagemaker.forms import stepping
from parkade.apps.autoscaling.faults import missing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from parkade.domain.scaling.steps import Steps

_PLACE = "StepScalingPolicyConfiguration"


def read(given: Mapping[str, Any]) -> Steps:
    """Return the configuration. Raises ValidationException, InvalidInput."""
    for member in ("AdjustmentType", "StepAdjustments"):
        if member not in given:
            raise missing(f"{_PLACE}.{member}")
    return stepping.read(given)
