"""TargetTrackingScalingPolicyConfiguration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from parkade.domain.metricquery import Measured, Query
from parkade.domain.scaling.policy import COOLDOWN, MINUTE, CustomMetric, Predefined, Tracking
from parkade.domain.series import Series

if TYPE_CHECKING:
    from collections.abc import Mapping


def read(given: Mapping[str, Any]) -> Tracking:
    """Return the configuration. Raises InvalidInput, and ValueError for what is not known here."""
    predefined = given.get("PredefinedMetricSpecification")
    metric = (
        Predefined(predefined["PredefinedMetricType"])
        if predefined
        else _custom(given["CustomizedMetricSpecification"])
    )
    return Tracking(
        target=given["TargetValue"],
        metric=metric,
        out_cooldown=given.get("ScaleOutCooldown", COOLDOWN),
        in_cooldown=given.get("ScaleInCooldown", COOLDOWN),
        scale_in=not given.get("DisableScaleIn", False),
    )


def _custom(given: Mapping[str, Any]) -> CustomMetric:
    if "Metrics" in given:
        return CustomMetric(queries=tuple(map(_query, given["Metrics"])), plain=False)
    measured = Measured(
        series=_series(given),
        period=MINUTE,
        statistic=given["Statistic"],
        unit=given.get("Unit", ""),
    )
    return CustomMetric(queries=(Query(id="m1", measured=measured),))


def _query(given: Mapping[str, Any]) -> Query:
    return Query(
        id=given["Id"],
        measured=_measured(given["MetricStat"]) if "MetricStat" in given else None,
        expression=given.get("Expression", ""),
        label=given.get("Label", ""),
        returned=given.get("ReturnData", True),
    )


def _measured(given: Mapping[str, Any]) -> Measured:
    return Measured(
        series=_series(given["Metric"]),
        period=MINUTE,
        statistic=given["Stat"],
        unit=given.get("Unit", ""),
    )


def _series(given: Mapping[str, Any]) -> Series:
    found = {each["Name"]: each["Value"] for each in given.get("Dimensions", ())}
    return Series(given["Namespace"], given["MetricName"], tuple(sorted(found.items())))


def shown(tracking: Tracking) -> dict[str, Any]:
    """Return the configuration with what was left out."""
    return {
        "TargetValue": tracking.target,
        **_shown_metric(tracking.metric),
        "ScaleOutCooldown": tracking.out_cooldown,
        "ScaleInCooldown": tracking.in_cooldown,
        "DisableScaleIn": not tracking.scale_in,
    }


def _shown_metric(metric: Predefined | CustomMetric) -> dict[str, Any]:
    if isinstance(metric, Predefined):
        return {"PredefinedMetricSpecification": {"PredefinedMetricType": metric.value}}
    (first, *_) = metric.queries
    if metric.plain and first.measured is not None:
        told = _shown_series(first.measured.series) | {
            "Statistic": first.measured.statistic,
            "Unit": first.measured.unit or None,
        }
    else:
        told = {"Metrics": [_shown_query(each) for each in metric.queries]}
    return {"CustomizedMetricSpecification": told}


def _shown_query(query: Query) -> dict[str, Any]:
    told: dict[str, Any] = {
        "Id": query.id,
        "Label": query.label or None,
        "ReturnData": query.returned,
    }
    if query.measured is None:
        return told | {"Expression": query.expression}
    return told | {
        "MetricStat": {
            "Metric": _shown_series(query.measured.series),
            "Stat": query.measured.statistic,
            "Unit": query.measured.unit or None,
        }
    }


def _shown_series(series: Series) -> dict[str, Any]:
    return {
        "MetricName": series.name,
        "Namespace": series.namespace,
        "Dimensions": [{"Name": name, "Value": value} for name, value in series.dimensions],
    }
