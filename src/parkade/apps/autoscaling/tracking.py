"""TargetTrackingScalingPolicyConfiguration: read, and shown as it was given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from parkade.apps.autoscaling.faults import missing, refused
from parkade.apps.wire.faults import invalid
from parkade.domain.metricquery import Measured, Query
from parkade.domain.scaling.policy import COOLDOWN, MINUTE, CustomMetric, Predefined, Tracking
from parkade.domain.series import Series

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_PLACE = "TargetTrackingScalingPolicyConfiguration"
_CUSTOM = f"{_PLACE}.CustomizedMetricSpecification"
#: Members that describe one metric, which Metrics takes the place of.
_OF_ONE = ("MetricName", "Namespace", "Statistic", "Dimensions", "Unit")


def read(given: Mapping[str, Any]) -> Tracking:
    """Return the configuration. Raises ValidationException, InvalidInput."""
    predefined = given.get("PredefinedMetricSpecification")
    custom = given.get("CustomizedMetricSpecification")
    metric: Predefined | CustomMetric
    if predefined is not None and custom is None:
        metric = _predefined(predefined)
    elif custom is not None and predefined is None:
        metric = _custom(custom)
    else:
        raise invalid(
            f"{_PLACE} must have exactly one of PredefinedMetricSpecification and "
            "CustomizedMetricSpecification"
        )
    return Tracking(
        target=given["TargetValue"],
        metric=metric,
        out_cooldown=given.get("ScaleOutCooldown", COOLDOWN),
        in_cooldown=given.get("ScaleInCooldown", COOLDOWN),
        scale_in=not given.get("DisableScaleIn", False),
    )


def _predefined(given: Mapping[str, Any]) -> Predefined:
    kind = given["PredefinedMetricType"]
    if kind not in list(Predefined):
        raise refused(f"PredefinedMetricType {kind}", f"there are: {', '.join(Predefined)}")
    if "ResourceLabel" in given:
        raise invalid(f"ResourceLabel is none of PredefinedMetricType {kind}: leave it out")
    return Predefined(kind)


def _custom(given: Mapping[str, Any]) -> CustomMetric:
    if "Metrics" in given:
        for member in _OF_ONE:
            if member in given:
                raise invalid(f"{_CUSTOM}: {member} and Metrics exclude each other")
        queries = (
            _query(each, f"{_CUSTOM}.Metrics.{n}") for n, each in enumerate(given["Metrics"], 1)
        )
        return CustomMetric(queries=tuple(queries), plain=False)
    for member in ("MetricName", "Namespace", "Statistic"):
        if member not in given:
            raise missing(f"{_CUSTOM}.{member}")
    measured = Measured(
        series=_series(given, _CUSTOM),
        period=MINUTE,
        statistic=given["Statistic"],
        unit=given.get("Unit", ""),
    )
    return CustomMetric(queries=(Query(id="m1", measured=measured),))


def _query(given: Mapping[str, Any], place: str) -> Query:
    if ("MetricStat" in given) == ("Expression" in given):
        raise invalid(f"{place} must have exactly one of MetricStat and Expression")
    return Query(
        id=given["Id"],
        measured=_measured(given["MetricStat"], place) if "MetricStat" in given else None,
        expression=given.get("Expression", ""),
        label=given.get("Label", ""),
        returned=given.get("ReturnData", True),
    )


def _measured(given: Mapping[str, Any], place: str) -> Measured:
    metric = given["Metric"]
    for member in ("MetricName", "Namespace"):
        if member not in metric:
            raise missing(f"{place}.MetricStat.Metric.{member}")
    return Measured(
        series=_series(metric, f"{place}.MetricStat.Metric"),
        period=MINUTE,
        statistic=given["Stat"],
        unit=given.get("Unit", ""),
    )


def _series(given: Mapping[str, Any], place: str) -> Series:
    found = _dimensions(given.get("Dimensions", ()), place)
    return Series(given["Namespace"], given["MetricName"], tuple(sorted(found.items())))


def _dimensions(given: Iterable[Mapping[str, str]], place: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for each in given:
        if each["Name"] in found:
            raise invalid(f"{place}.Dimensions has {each['Name']!r} twice")
        found[each["Name"]] = each["Value"]
    return found


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
