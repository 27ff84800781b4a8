"""Which members of the service's inputs have been looked at: honoured, or refused by name.

A member that botocore knows and this table does not could mean anything, so that it is refused
rather than taken for nothing. A test fails when botocore brings one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

#: By the name of the shape; shapes of refused members are left out.
_MEMBERS = {
    "DeleteAlarmsInput": "AlarmNames",
    "DescribeAlarmHistoryInput": (
        "AlarmContributorId AlarmName AlarmTypes EndDate HistoryItemType MaxRecords NextToken "
        "ScanBy StartDate"
    ),
    "DescribeAlarmsForMetricInput": (
        "Dimensions ExtendedStatistic MetricName Namespace Period Statistic Unit"
    ),
    "DescribeAlarmsInput": (
        "ActionPrefix AlarmNamePrefix AlarmNames AlarmTypes ChildrenOfAlarmName MaxRecords "
        "NextToken ParentsOfAlarmName StateValue"
    ),
    "Dimension": "Name Value",
    "DimensionFilter": "Name Value",
    "DisableAlarmActionsInput": "AlarmNames",
    "EnableAlarmActionsInput": "AlarmNames",
    "GetMetricDataInput": (
        "EndTime LabelOptions MaxDatapoints MetricDataQueries NextToken ScanBy StartTime"
    ),
    "GetMetricStatisticsInput": (
        "Dimensions EndTime ExtendedStatistics MetricName Namespace Period StartTime Statistics "
        "Unit"
    ),
    "LabelOptions": "Timezone",
    "ListMetricsInput": (
        "Dimensions IncludeLinkedAccounts MetricName Namespace NextToken OwningAccount "
        "RecentlyActive"
    ),
    "ListTagsForResourceInput": "ResourceARN",
    "Metric": "Dimensions MetricName Namespace",
    "MetricDataQuery": "AccountId Expression Id Label MetricStat Period ReturnData",
    "MetricDatum": (
        "Counts Dimensions MetricName StatisticValues StorageResolution Timestamp Unit Value Values"
    ),
    "MetricStat": "Metric Period Stat Unit",
    "PutMetricAlarmInput": (
        "ActionConfiguration ActionsEnabled AlarmActions AlarmDescription AlarmName "
        "ComparisonOperator DatapointsToAlarm Dimensions EvaluateLowSampleCountPercentile "
        "EvaluationCriteria EvaluationInterval EvaluationPeriods EvaluationWindow "
        "ExtendedStatistic InsufficientDataActions MetricName Metrics Namespace OKActions Period "
        "Statistic Tags Threshold ThresholdMetricId TreatMissingData Unit WarmUpConfiguration"
    ),
    "PutMetricDataInput": "EntityMetricData MetricData Namespace StrictEntityValidation",
    "SetAlarmStateInput": "AlarmName StateReason StateReasonData StateValue",
    "StatisticSet": "Maximum Minimum SampleCount Sum",
    "Tag": "Key Value",
    "TagResourceInput": "ResourceARN Tags",
    "UntagResourceInput": "ResourceARN TagKeys",
}

KNOWN: Mapping[str, frozenset[str]] = {
    name: frozenset(members.split()) for name, members in _MEMBERS.items()
}
