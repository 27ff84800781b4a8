"""StepScalingPolicyConfiguration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from parkade.domain.scaling.steps import Adjustment, Aggregation, Step, Steps

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Seconds, as documented.
_COOLDOWN = 300


def read(given: Mapping[str, Any]) -> Steps:
    """Return the configuration. Raises InvalidInput, and ValueError for what is not known here."""
    return Steps(
        adjustment=Adjustment(given["AdjustmentType"]),
        steps=tuple(
            Step(
                adjustment=each["ScalingAdjustment"],
                lower=each.get("MetricIntervalLowerBound"),
                upper=each.get("MetricIntervalUpperBound"),
            )
            for each in given["StepAdjustments"]
        ),
        cooldown=given.get("Cooldown", _COOLDOWN),
        least=given.get("MinAdjustmentMagnitude", 0),
        aggregation=Aggregation(given.get("MetricAggregationType", Aggregation.AVERAGE)),
    )


def shown(steps: Steps) -> dict[str, Any]:
    """Return the configuration with what was left out."""
    return {
        "AdjustmentType": steps.adjustment.value,
        "StepAdjustments": [
            {
                "MetricIntervalLowerBound": each.lower,
                "MetricIntervalUpperBound": each.upper,
                "ScalingAdjustment": each.adjustment,
            }
            for each in steps.steps
        ],
        "MinAdjustmentMagnitude": steps.least or None,
        "Cooldown": steps.cooldown,
        "MetricAggregationType": steps.aggregation.value,
    }
