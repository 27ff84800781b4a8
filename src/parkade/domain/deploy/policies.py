"""Scaling policies of a payload, in Application Auto Scaling's words, read and written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.domain.errors import InvalidInput
from parkade.domain.metricquery import Measured, Query
from parkade.domain.scaling.policy import COOLDOWN, MINUTE, CustomMetric, Predefined, Tracking
from parkade.domain.series import Series

if TYPE_CHECKING:
    from parkade.domain.deploy.reading import Section
    from parkade.domain.event import Json

_KEYS = frozenset({
    "TargetValue", "PredefinedMetricSpecification", "CustomizedMetricSpecification",
    "ScaleOutCooldown", "ScaleInCooldown", "DisableScaleIn",
})  # fmt: skip
_PREDEFINED, _CUSTOM = "PredefinedMetricSpecification", "CustomizedMetricSpecification"
_CUSTOM_KEYS = frozenset({"MetricName", "Namespace", "Dimensions", "Statistic", "Unit", "Metrics"})


def read(given: Section, key: str) -> Tracking:
    """Return the target tracking policy at a key. Raises InvalidInput."""
    policy = given.section(key, _KEYS)
    if policy.has(_PREDEFINED) == policy.has(_CUSTOM):
        raise InvalidInput(
            f"{given.at(key)} must have exactly one of {_PREDEFINED} and {_CUSTOM}",
            field=given.at(key),
        )
    metric = _predefined(policy) if policy.has(_PREDEFINED) else _custom(policy)
    return Tracking(
        target=policy.number("TargetValue"),
        metric=metric,
        out_cooldown=policy.whole("ScaleOutCooldown", COOLDOWN),
        in_cooldown=policy.whole("ScaleInCooldown", COOLDOWN),
        scale_in=not policy.flag("DisableScaleIn", default=False),
    )


def _predefined(policy: Section) -> Predefined:
    given = policy.section(_PREDEFINED, {"PredefinedMetricType"})
    name = given.text("PredefinedMetricType")
    if name not in set(Predefined):
        raise InvalidInput(
            f"{given.at('PredefinedMetricType')} {name[:80]!r} is no metric that can be tracked",
            field=given.at("PredefinedMetricType"),
            hint="there are: " + ", ".join(Predefined),
        )
    return Predefined(name)


def _custom(policy: Section) -> CustomMetric:
    given = policy.section(_CUSTOM, _CUSTOM_KEYS)
    if given.has("Metrics"):
        raise InvalidInput(
            f"{given.at('Metrics')}: a deployment tracks one metric, not an expression over several",
            field=given.at("Metrics"),
            hint="put that policy with PutScalingPolicy when the endpoint is deployed",
        )
    dimensions: dict[str, str] = {}
    if given.has("Dimensions"):
        for each in given.sections("Dimensions", {"Name", "Value"}):
            dimensions[each.text("Name")] = each.text("Value")
    measured = Measured(
        series=Series.of(given.text("Namespace"), given.text("MetricName"), **dimensions),
        period=MINUTE,
        statistic=given.text("Statistic"),
        unit=given.text("Unit", ""),
    )
    return CustomMetric(queries=(Query(id="m1", measured=measured),))


def written(tracking: Tracking) -> dict[str, Json]:
    """Write a policy as a payload has it."""
    return {
        "TargetValue": tracking.target,
        **_metric(tracking.metric),
        "ScaleOutCooldown": tracking.out_cooldown,
        "ScaleInCooldown": tracking.in_cooldown,
        "DisableScaleIn": not tracking.scale_in,
    }


def _metric(metric: Predefined | CustomMetric) -> dict[str, Json]:
    if isinstance(metric, Predefined):
        return {_PREDEFINED: {"PredefinedMetricType": metric.value}}
    measured = metric.queries[0].measured
    if measured is None:
        raise ValueError("a payload has no policy on an expression")
    told: dict[str, Json] = {
        "Namespace": measured.series.namespace,
        "MetricName": measured.series.name,
        "Dimensions": [
            {"Name": name, "Value": value} for name, value in measured.series.dimensions
        ],
        "Statistic": measured.statistic,
    }
    return {_CUSTOM: {**told, "Unit": measured.unit} if measured.unit else told}
