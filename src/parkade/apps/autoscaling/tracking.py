"""TargetTrackingScalingPolicyConfiguration, as callers may give it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from parkade.adapters.aws.sagemaker.forms import tracking
from parkade.apps.autoscaling.faults import missing, refused
from parkade.apps.wire.faults import invalid
from parkade.domain.scaling.policy import Predefined

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from parkade.domain.scaling.policy import Tracking

_PLACE = "TargetTrackingScalingPolicyConfiguration"
_CUSTOM = f"{_PLACE}.CustomizedMetricSpecification"
#: Members that describe one metric, which Metrics takes the place of.
_OF_ONE = ("MetricName", "Namespace", "Statistic", "Dimensions", "Unit")


def read(given: Mapping[str, Any]) -> Tracking:
    """Return the configuration. Raises ValidationException, InvalidInput."""
    predefined = given.get("PredefinedMetricSpecification")
    custom = given.get("CustomizedMetricSpecification")
    if predefined is not None and custom is None:
        _require_known(predefined)
    elif custom is not None and predefined is None:
        _require_metric(custom)
    else:
        raise invalid(
            f"{_PLACE} must have exactly one of PredefinedMetricSpecification and "
            "CustomizedMetricSpecification"
        )
    return tracking.read(given)


def _require_known(given: Mapping[str, Any]) -> None:
    kind = given["PredefinedMetricType"]
    if kind not in list(Predefined):
        raise refused(f"PredefinedMetricType {kind}", f"there are: {', '.join(Predefined)}")
    if "ResourceLabel" in given:
        raise invalid(f"ResourceLabel is none of PredefinedMetricType {kind}: leave it out")


def _require_metric(given: Mapping[str, Any]) -> None:
    if "Metrics" in given:
        for member in _OF_ONE:
            if member in given:
                raise invalid(f"{_CUSTOM}: {member} and Metrics exclude each other")
        for number, each in enumerate(given["Metrics"], 1):
            _require_query(each, f"{_CUSTOM}.Metrics.{number}")
        return
    for member in ("MetricName", "Namespace", "Statistic"):
        if member not in given:
            raise missing(f"{_CUSTOM}.{member}")
    _require_distinct(given.get("Dimensions", ()), _CUSTOM)


def _require_query(given: Mapping[str, Any], place: str) -> None:
    if ("MetricStat" in given) == ("Expression" in given):
        raise invalid(f"{place} must have exactly one of MetricStat and Expression")
    if "MetricStat" not in given:
        return
    metric = given["MetricStat"]["Metric"]
    for member in ("MetricName", "Namespace"):
        if member not in metric:
            raise missing(f"{place}.MetricStat.Metric.{member}")
    _require_distinct(metric.get("Dimensions", ()), f"{place}.MetricStat.Metric")


def _require_distinct(given: Iterable[Mapping[str, str]], place: str) -> None:
    found: set[str] = set()
    for each in given:
        if each["Name"] in found:
            raise invalid(f"{place}.Dimensions has {each['Name']!r} twice")
        found.add(each["Name"])
