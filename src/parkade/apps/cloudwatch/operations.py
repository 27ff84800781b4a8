"""The operations that are built here. All of them take an operator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from parkade.apps.cloudwatch import alarms, data, shown, statistics, writing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from parkade.apps.cloudwatch.call import Call

OPERATIONS: Mapping[str, Callable[[Call], Mapping[str, Any]]] = {
    "GetMetricData": data.get,
    "GetMetricStatistics": statistics.get,
    "ListMetrics": statistics.list_metrics,
    "PutMetricData": writing.put,
    "PutMetricAlarm": alarms.put,
    "DescribeAlarms": shown.describe,
    "DescribeAlarmsForMetric": shown.describe_for_metric,
    "DescribeAlarmHistory": shown.history,
    "DeleteAlarms": alarms.delete,
    "SetAlarmState": alarms.set_state,
    "EnableAlarmActions": alarms.enable_actions,
    "DisableAlarmActions": alarms.disable_actions,
    "ListTagsForResource": alarms.list_tags,
    "TagResource": alarms.tag,
    "UntagResource": alarms.untag,
}
