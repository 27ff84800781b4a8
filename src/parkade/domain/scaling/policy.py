"""Scaling policies: a metric that is kept near a target, or steps that an alarm takes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime  # noqa: TC003  stores read these forms by their annotations
from enum import StrEnum

from parkade.domain import metricquery
from parkade.domain.errors import InvalidInput
from parkade.domain.metricquery import Measured, Query
from parkade.domain.scaling.steps import Steps  # noqa: TC001
from parkade.domain.scaling.target import Dimension, Resource
from parkade.domain.series import SAGEMAKER, Series

#: Seconds of a point: of ordinary metrics, and of those of high resolution.
MINUTE, FINE = 60, 10
#: Seconds of both cooldowns of target tracking where none is given, as for SageMaker's variants.
COOLDOWN = 300
#: The longest cooldown, in seconds.
LONGEST = 7 * 24 * 3600
NAME_LIMIT = 256
LABEL_LIMIT = 1023


class Predefined(StrEnum):
    """PredefinedMetricType: the metrics of SageMaker's that can be tracked."""

    INVOCATIONS_PER_INSTANCE = "SageMakerVariantInvocationsPerInstance"
    INVOCATIONS_PER_COPY = "SageMakerInferenceComponentInvocationsPerCopy"
    REQUESTS_PER_MODEL = "SageMakerVariantConcurrentRequestsPerModelHighResolution"
    REQUESTS_PER_COPY = "SageMakerInferenceComponentConcurrentRequestsPerCopyHighResolution"

    @property
    def dimension(self) -> Dimension:
        """What it is a metric of."""
        return _PREDEFINED[self][0]

    def measured(self, resource: Resource) -> Measured:
        """Return the statistic of it for a resource."""
        _, name, statistic, period = _PREDEFINED[self]
        if resource.component:
            series = Series.of(SAGEMAKER, name, InferenceComponentName=resource.name)
        else:
            series = Series.of(
                SAGEMAKER, name, EndpointName=resource.name, VariantName=resource.variant_name
            )
        return Measured(series=series, period=period, statistic=statistic)


#: Of which dimension each is, by which series, which statistic, and seconds of a point.
_PREDEFINED: dict[Predefined, tuple[Dimension, str, str, int]] = {
    Predefined.INVOCATIONS_PER_INSTANCE: (
        Dimension.INSTANCES,
        "InvocationsPerInstance",
        "Sum",
        MINUTE,
    ),
    Predefined.INVOCATIONS_PER_COPY: (Dimension.COPIES, "InvocationsPerCopy", "Sum", MINUTE),
    Predefined.REQUESTS_PER_MODEL: (
        Dimension.INSTANCES,
        "ConcurrentRequestsPerModel",
        "Maximum",
        FINE,
    ),
    Predefined.REQUESTS_PER_COPY: (Dimension.COPIES, "ConcurrentRequestsPerCopy", "Maximum", FINE),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomMetric:
    """A metric of one's own (CustomizedMetricSpecification): one series, or queries.

    Of several queries exactly one is returned: that is tracked.
    """

    queries: tuple[Query, ...]
    #: Whether it was given as one metric, and is shown so, rather than as queries.
    plain: bool = True

    def __post_init__(self) -> None:
        """Raise InvalidInput for queries that cannot be tracked."""
        metricquery.check(self.queries)
        returned = sum(query.returned for query in self.queries)
        if returned != 1:
            raise InvalidInput(
                f"{returned} of the Metrics return data; a policy tracks exactly one",
                field="Metrics",
                hint="set ReturnData to false for all others",
            )
        if not metricquery.needed(self.queries):
            raise InvalidInput(
                "the CustomizedMetricSpecification is on no metric",
                field="CustomizedMetricSpecification",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracking:
    """Target tracking: as many as it takes for the metric of each to be near the target."""

    target: float
    metric: Predefined | CustomMetric
    #: ScaleOutCooldown and ScaleInCooldown, in seconds.
    out_cooldown: int = COOLDOWN
    in_cooldown: int = COOLDOWN
    #: Not DisableScaleIn.
    scale_in: bool = True
    #: As it was given, to be shown again; no predefined metric of SageMaker's has one.
    label: str = ""

    def __post_init__(self) -> None:
        """Raise InvalidInput for what cannot be tracked."""
        if not 0 < self.target < math.inf:
            raise InvalidInput(
                f"TargetValue {self.target} is not a number above 0", field="TargetValue"
            )
        for value, name in (
            (self.out_cooldown, "ScaleOutCooldown"),
            (self.in_cooldown, "ScaleInCooldown"),
        ):
            require_cooldown(value, name)

    def queries(self, resource: Resource) -> tuple[Query, ...]:
        """Return what is measured of a resource; exactly one of them is returned."""
        if isinstance(self.metric, CustomMetric):
            return self.metric.queries
        return (Query(id="m1", measured=self.metric.measured(resource)),)

    def period(self, resource: Resource) -> int:
        """Return the seconds of a point."""
        queries = self.queries(resource)
        return metricquery.widest(metricquery.concerned(queries))


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A policy of a target: exactly one of `tracking` and `steps`. `version` counts its writes."""

    name: str
    resource: Resource
    created_at: datetime
    #: What its ARN has in the middle, and the names of its alarms at their end.
    id: str
    tracking: Tracking | None = None
    steps: Steps | None = None
    version: int = 0

    def __post_init__(self) -> None:
        """Raise InvalidInput for a policy that is none, or not one for its resource."""
        require_name(self.name, "PolicyName")
        if (self.tracking is None) == (self.steps is None):
            raise InvalidInput(
                f"policy {self.name!r} must have one configuration, of target tracking or of steps",
                field="PolicyType",
                hint="give PolicyType TargetTrackingScaling with a "
                "TargetTrackingScalingPolicyConfiguration, or StepScaling with a "
                "StepScalingPolicyConfiguration",
            )
        if self.tracking is not None and isinstance(self.tracking.metric, Predefined):
            metric = self.tracking.metric
            if metric.dimension is not self.resource.dimension:
                raise InvalidInput(
                    f"PredefinedMetricType {metric.value} is no metric of {self.resource}",
                    field="PredefinedMetricType",
                    hint="its own are "
                    + ", ".join(
                        each.value
                        for each in Predefined
                        if each.dimension is self.resource.dimension
                    ),
                )

    @property
    def key(self) -> str:
        """What stores know it by."""
        return key_of(self.resource, self.name)

    @property
    def alarm_names(self) -> tuple[str, ...]:
        """The names of its own alarms: of what is too high, and of what is low enough."""
        if self.tracking is None:
            return ()
        kinds = ("High", "Low") if self.tracking.scale_in else ("High",)
        return tuple(alarm_name(self, kind) for kind in kinds)


def alarm_name(policy: Policy, kind: str) -> str:
    """Return the name of a target tracking policy's alarm; `kind` is High or Low."""
    return f"TargetTracking-{policy.resource.id}-Alarm{kind}-{policy.id}"


def key_of(resource: Resource, name: str) -> str:
    """Return what stores know a policy or a scheduled action of a target by."""
    return f"{resource.id}:{name}"


def require_cooldown(value: int, name: str) -> None:
    """Raise InvalidInput for seconds that no cooldown can have."""
    if isinstance(value, bool) or not 0 <= value <= LONGEST:
        raise InvalidInput(f"{name} {value} is not within 0 to {LONGEST}", field=name)


def require_name(text: str, field: str) -> None:
    """Raise InvalidInput for what cannot be the name of a policy or a scheduled action."""
    if not 1 <= len(text) <= NAME_LIMIT or not text.isprintable() or text.strip() != text:
        raise InvalidInput(
            f"{field} {text[:80]!r} is not a valid name",
            field=field,
            hint=f"use 1 to {NAME_LIMIT} characters that can be printed, without blanks around them",
        )
