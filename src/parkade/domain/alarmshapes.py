"""How a change of an alarm is told outside: EventBridge's detail, and the message of a topic."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from parkade.domain.judgement import stamp

if TYPE_CHECKING:
    from parkade.domain.alarm import Alarm, Standing
    from parkade.domain.event import Json
    from parkade.domain.metricquery import Measured, Query
    from parkade.domain.series import Series

#: What messages call the statistics of old.
_STATISTICS = {
    "SampleCount": "SAMPLE_COUNT",
    "Average": "AVERAGE",
    "Sum": "SUM",
    "Minimum": "MINIMUM",
    "Maximum": "MAXIMUM",
}


def detail(alarm: Alarm, before: Standing) -> dict[str, Json]:
    """Return the detail of EventBridge's `CloudWatch Alarm State Change`."""
    return {
        "alarmName": alarm.name,
        "state": _state(alarm.standing),
        "previousState": _state(before),
        "configuration": {
            "description": alarm.description,
            "metrics": [_metric(query) for query in alarm.queries],
        },
    }


def message(alarm: Alarm, before: Standing, *, arn: str, account: str, region: str) -> str:
    """Return what a topic is told."""
    standing = alarm.standing
    content: dict[str, Json] = {
        "AlarmName": alarm.name,
        "AlarmDescription": alarm.description or None,
        "AWSAccountId": account,
        "AlarmConfigurationUpdatedTimestamp": stamp(alarm.configured_at),
        "NewStateValue": standing.state,
        "NewStateReason": standing.reason,
        "StateChangeTime": stamp(standing.changed_at),
        "Region": region,
        "AlarmArn": arn,
        "OldStateValue": before.state,
        "OKActions": alarm.ok_actions,
        "AlarmActions": alarm.alarm_actions,
        "InsufficientDataActions": alarm.insufficient_data_actions,
        "Trigger": _trigger(alarm),
    }
    return json.dumps(content)


def series_of(alarm: Alarm) -> tuple[Series, ...]:
    """Return the series that an alarm is on, each once."""
    found = [query.measured.series for query in alarm.queries if query.measured is not None]
    return tuple(dict.fromkeys(found))


def _state(standing: Standing) -> dict[str, Json]:
    told: dict[str, Json] = {
        "value": standing.state,
        "reason": standing.reason,
        "timestamp": stamp(standing.updated_at),
    }
    return told | {"reasonData": standing.data} if standing.data else told


def _metric(query: Query) -> dict[str, Json]:
    if query.measured is None:
        shape: dict[str, Json] = {"id": query.id, "expression": query.expression}
        if query.label:
            shape["label"] = query.label
        return shape | {"returnData": query.returned}
    series = query.measured.series
    stat: dict[str, Json] = {
        "metric": {
            "namespace": series.namespace,
            "name": series.name,
            "dimensions": dict(series.dimensions),
        },
        "period": query.measured.period,
        "stat": query.measured.statistic,
    }
    if query.measured.unit:
        stat["unit"] = query.measured.unit
    return {"id": query.id, "metricStat": stat, "returnData": query.returned}


def _trigger(alarm: Alarm) -> dict[str, Json]:
    rule = alarm.rule
    common: dict[str, Json] = {
        "Period": alarm.period,
        "EvaluationPeriods": rule.periods,
        "DatapointsToAlarm": rule.datapoints,
        "ComparisonOperator": rule.comparison,
        "Threshold": rule.threshold,
        "TreatMissingData": rule.missing,
        "EvaluateLowSampleCountPercentile": "ignore" if rule.ignore_few_samples else "",
    }
    measured = alarm.watched.measured
    if alarm.plain and measured is not None:
        return _of_one_metric(measured) | common
    return {**common, "Metrics": [_queried(query) for query in alarm.queries]}


def _of_one_metric(measured: Measured) -> dict[str, Json]:
    statistic = _STATISTICS.get(measured.statistic)
    told: dict[str, Json] = {
        "MetricName": measured.series.name,
        "Namespace": measured.series.namespace,
        "StatisticType": "Statistic" if statistic else "ExtendedStatistic",
        "Unit": measured.unit or None,
        "Dimensions": _dimensions(measured.series),
    }
    name = "Statistic" if statistic else "ExtendedStatistic"
    return told | {name: statistic or measured.statistic}


def _queried(query: Query) -> dict[str, Json]:
    told: dict[str, Json] = {"Id": query.id, "ReturnData": query.returned}
    if query.label:
        told["Label"] = query.label
    if query.measured is None:
        return told | {"Expression": query.expression}
    series = query.measured.series
    return told | {
        "MetricStat": {
            "Metric": {
                "Dimensions": _dimensions(series),
                "MetricName": series.name,
                "Namespace": series.namespace,
            },
            "Period": query.measured.period,
            "Stat": query.measured.statistic,
        }
    }


def _dimensions(series: Series) -> list[Json]:
    return [{"value": value, "name": name} for name, value in series.dimensions]
