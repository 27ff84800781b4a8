"""Step scaling: how far beyond its threshold an alarm is, and what is done at that distance.

The distance is the alarm's value less its threshold. The steps cover it without a gap: a step that
begins at 0 or above has its lower bound, one below 0 its upper bound.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import TYPE_CHECKING

from parkade.domain.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Steps that one policy may have.
STEPS_LIMIT = 20
_FIELD = "StepAdjustments"


class Adjustment(StrEnum):
    """AdjustmentType: what the number of a step means."""

    CHANGE = "ChangeInCapacity"
    PERCENT = "PercentChangeInCapacity"
    EXACT = "ExactCapacity"


class Aggregation(StrEnum):
    """MetricAggregationType: what is made of the points that an alarm was decided on."""

    AVERAGE = "Average"
    MINIMUM = "Minimum"
    MAXIMUM = "Maximum"

    def of(self, values: Sequence[float]) -> float:
        """Return one value of some."""
        match self:
            case Aggregation.AVERAGE:
                return math.fsum(values) / len(values)
            case Aggregation.MINIMUM:
                return min(values)
            case Aggregation.MAXIMUM:
                return max(values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What is done from one distance to another; no bound: without end."""

    adjustment: int
    lower: float | None = None
    upper: float | None = None

    @property
    def begin(self) -> float:
        """Its lower bound."""
        return -math.inf if self.lower is None else self.lower

    @property
    def end(self) -> float:
        """Its upper bound."""
        return math.inf if self.upper is None else self.upper

    def covers(self, distance: float) -> bool:
        """Tell whether a distance is within it; what is on a bound is of the step nearer to 0."""
        if self.begin < 0:
            return self.begin < distance <= self.end
        return self.begin <= distance < self.end


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """StepScalingPolicyConfiguration."""

    adjustment: Adjustment
    steps: tuple[Step, ...]
    #: Seconds.
    cooldown: int = 300
    #: MinAdjustmentMagnitude: the least that a percentage changes.
    least: int = 0
    aggregation: Aggregation = Aggregation.AVERAGE

    def __post_init__(self) -> None:
        """Raise InvalidInput for steps with gaps, or that overlap."""
        if not 1 <= len(self.steps) <= STEPS_LIMIT:
            raise InvalidInput(
                f"StepAdjustments has {len(self.steps)} entries; 1 to {STEPS_LIMIT} are allowed",
                field=_FIELD,
            )
        if self.least < 0 or (self.least and self.adjustment is not Adjustment.PERCENT):
            raise InvalidInput(
                f"MinAdjustmentMagnitude {self.least} goes with PercentChangeInCapacity alone",
                field="MinAdjustmentMagnitude",
                hint="leave it out",
            )
        if isinstance(self.cooldown, bool) or self.cooldown < 0:
            raise InvalidInput(f"Cooldown {self.cooldown} is less than 0", field="Cooldown")
        self._require_bounds()

    def _require_bounds(self) -> None:
        for step in self.steps:
            if not step.begin < step.end or (step.lower is None and step.upper is None):
                raise InvalidInput(
                    f"a step from {_bound(step.lower)} to {_bound(step.upper)} is none",
                    field=_FIELD,
                    hint="give one bound at least, and a lower one that is below the upper one",
                )
            if self.adjustment is Adjustment.EXACT and step.adjustment < 0:
                raise InvalidInput(
                    f"ScalingAdjustment {step.adjustment} is no capacity", field=_FIELD
                )
        ordered = sorted(self.steps, key=lambda step: (step.begin, step.end))
        for one, other in pairwise(ordered):
            if one.end != other.begin:
                raise InvalidInput(
                    f"the step that ends at {_bound(one.upper)} is followed by one that begins at "
                    f"{_bound(other.lower)}",
                    field=_FIELD,
                    hint="steps neither overlap nor leave a gap",
                )
        if ordered[0].begin < 0 and ordered[0].lower is not None:
            raise InvalidInput(
                "a step has a negative lower bound, but none is without a lower bound",
                field=_FIELD,
                hint="leave out MetricIntervalLowerBound of the lowest",
            )
        if ordered[-1].end > 0 and ordered[-1].upper is not None:
            raise InvalidInput(
                "a step has a positive upper bound, but none is without an upper bound",
                field=_FIELD,
                hint="leave out MetricIntervalUpperBound of the highest",
            )

    def at(self, distance: float) -> Step | None:
        """Return the step at a distance; None: there is none for that side of the threshold."""
        return next((step for step in self.steps if step.covers(distance)), None)

    def applied(self, capacity: int, step: Step) -> int:
        """Return what a step makes of a capacity, whatever the bounds of its target; 0 at least.

        A percentage is rounded towards 0, but never to nothing.
        """
        match self.adjustment:
            case Adjustment.EXACT:
                return step.adjustment
            case Adjustment.CHANGE:
                return max(0, capacity + step.adjustment)
            case Adjustment.PERCENT:
                return max(0, capacity + self._percent(capacity, step.adjustment))

    def _percent(self, capacity: int, percent: int) -> int:
        exact = capacity * percent / 100
        whole = math.trunc(exact)
        if exact and not whole:
            whole = int(math.copysign(1, exact))
        if percent and abs(whole) < self.least:
            whole = int(math.copysign(self.least, percent))
        return whole


def _bound(bound: float | None) -> str:
    return "no bound" if bound is None else f"{bound:g}"
