"""PutMetricData: series of one's own."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from parkade.apps.cloudwatch import members
from parkade.apps.cloudwatch.faults import combination, missing, refused, unusable
from parkade.domain.series import COMPONENTS, INSTANCES, PARKADE, Aggregate, Series
from parkade.domain.statistics import begin
from parkade.ports.metrics import FINE, MINUTE, Sample

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from parkade.apps.cloudwatch.call import Call

#: CloudWatch's limits of one request, of a metric's Values, and of a value.
METRICS = 1000
VALUES = 150
LARGEST = 2.0**360
OLDEST = timedelta(days=14)
NEWEST = timedelta(hours=2)
#: Whose series nobody else may write: idleness, scaling and money are decided on them.
_RESERVED = ("AWS/", "/aws/")
_OURS = {INSTANCES, COMPONENTS, PARKADE}
_RESOLUTIONS = {1: FINE, 60: MINUTE}


def put(call: Call) -> Mapping[str, Any]:
    """Answer PutMetricData: all of it is stored, or nothing."""
    given = call.given
    namespace = given["Namespace"]
    if reserved(namespace):
        raise unusable("Namespace", f"{namespace} is reserved; write to a namespace of your own.")
    if "EntityMetricData" in given or given.get("StrictEntityValidation"):
        raise refused("EntityMetricData", "there are no entities; send MetricData.")
    data = given.get("MetricData", ())
    if not data:
        raise missing("MetricData")
    if len(data) > METRICS:
        raise unusable("MetricData", f"it has {len(data)} metrics; {METRICS} are allowed.")
    samples = [
        _sample(call, namespace, each, f"MetricData.member.{number}.")
        for number, each in enumerate(data, 1)
    ]
    call.require(dict.fromkeys(sample.series for sample in samples))
    call.alarming.metric_store.add(samples)
    return {}


def reserved(namespace: str) -> bool:
    """Tell whether a namespace is one that nobody else may write to."""
    return namespace.startswith(_RESERVED) or namespace in _OURS


def _sample(call: Call, namespace: str, given: Mapping[str, Any], place: str) -> Sample:
    found = members.dimensions(given.get("Dimensions", ()), place)
    at = given.get("Timestamp", call.now)
    if at < call.now - OLDEST:
        raise unusable(f"{place}Timestamp", "it must be within the past two weeks.")
    if at > call.now + NEWEST:
        raise unusable(f"{place}Timestamp", "it must not be more than two hours in the future.")
    resolution = given.get("StorageResolution", MINUTE)
    if resolution not in _RESOLUTIONS:
        raise unusable(f"{place}StorageResolution", "it must be 1 or 60.")
    seconds = _RESOLUTIONS[resolution]
    return Sample(
        series=Series(namespace, given["MetricName"], tuple(sorted(found.items()))),
        at=begin(at, seconds),
        value=_aggregate(given, place),
        seconds=seconds,
        unit=given.get("Unit", "None"),
    )


def _aggregate(given: Mapping[str, Any], place: str) -> Aggregate:
    ways = [name for name in ("Value", "Values", "StatisticValues") if name in given]
    if not ways:
        raise missing(f"{place}Value")
    if len(ways) > 1:
        raise combination(
            f"The parameters {place}{ways[0]} and {place}{ways[1]} exclude each other."
        )
    if "Counts" in given and "Values" not in given:
        raise combination(f"The parameter {place}Counts goes with {place}Values.")
    match ways[0]:
        case "Value":
            return Aggregate.counted({_value(given["Value"], f"{place}Value"): 1.0})
        case "Values":
            return Aggregate.counted(_counted(given, place))
        case _:
            return _summed(given["StatisticValues"], f"{place}StatisticValues.")


def _counted(given: Mapping[str, Any], place: str) -> dict[float, float]:
    values, counts = given["Values"], given.get("Counts")
    if not 1 <= len(values) <= VALUES:
        raise unusable(f"{place}Values", f"it has {len(values)} values; 1 to {VALUES} are allowed.")
    if counts is not None and len(counts) != len(values):
        raise unusable(f"{place}Counts", f"it has {len(counts)} counts for {len(values)} values.")
    found: dict[float, float] = {}
    for number, (value, count) in enumerate(_pairs(values, counts), 1):
        checked = _value(value, f"{place}Values.member.{number}")
        if not _value(count, f"{place}Counts.member.{number}") > 0:
            raise unusable(f"{place}Counts.member.{number}", "it must be more than 0.")
        found[checked] = found.get(checked, 0.0) + count
    return found


def _pairs(values: list[float], counts: list[float] | None) -> Iterator[tuple[float, float]]:
    return zip(values, counts if counts is not None else [1.0] * len(values), strict=True)


def _summed(given: Mapping[str, float], place: str) -> Aggregate:
    checked = {name: _value(value, place + name) for name, value in given.items()}
    count, least, most = checked["SampleCount"], checked["Minimum"], checked["Maximum"]
    if count <= 0:
        raise unusable(f"{place}SampleCount", "it must be more than 0.")
    if least > most:
        raise unusable(f"{place}Minimum", "it must not be more than Maximum.")
    return Aggregate(count=count, total=checked["Sum"], least=least, most=most)


def _value(value: float, place: str) -> float:
    if math.isnan(value) or abs(value) > LARGEST:
        raise unusable(place, f"{value} is not a number between -2^360 and 2^360.")
    return float(value)
