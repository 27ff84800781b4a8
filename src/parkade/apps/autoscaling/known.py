"""Which members of the service's inputs have been looked at: honoured, or refused by name.

A member that botocore knows and this table does not could mean anything, so that it is refused
rather than taken for nothing. A test fails when botocore brings one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_ONE = "ResourceId ScalableDimension ServiceNamespace"
_PAGE = "MaxResults NextToken"

#: By the name of the shape; shapes of refused members are left out.
_MEMBERS = {
    "CustomizedMetricSpecification": "Dimensions MetricName Metrics Namespace Statistic Unit",
    "DeleteScalingPolicyRequest": f"PolicyName {_ONE}",
    "DeleteScheduledActionRequest": f"ScheduledActionName {_ONE}",
    "DeregisterScalableTargetRequest": _ONE,
    "DescribeScalableTargetsRequest": (f"ResourceIds ScalableDimension ServiceNamespace {_PAGE}"),
    "DescribeScalingActivitiesRequest": f"IncludeNotScaledActivities {_ONE} {_PAGE}",
    "DescribeScalingPoliciesRequest": f"PolicyNames {_ONE} {_PAGE}",
    "DescribeScheduledActionsRequest": f"ScheduledActionNames {_ONE} {_PAGE}",
    "ListTagsForResourceRequest": "ResourceARN",
    "MetricDimension": "Name Value",
    "PredefinedMetricSpecification": "PredefinedMetricType ResourceLabel",
    "PutScalingPolicyRequest": (
        "PolicyName PolicyType PredictiveScalingPolicyConfiguration StepScalingPolicyConfiguration "
        f"TargetTrackingScalingPolicyConfiguration {_ONE}"
    ),
    "PutScheduledActionRequest": (
        f"EndTime ScalableTargetAction Schedule ScheduledActionName StartTime Timezone {_ONE}"
    ),
    "RegisterScalableTargetRequest": (
        f"MaxCapacity MinCapacity RoleARN SuspendedState Tags {_ONE}"
    ),
    "ScalableTargetAction": "MaxCapacity MinCapacity",
    "StepAdjustment": "MetricIntervalLowerBound MetricIntervalUpperBound ScalingAdjustment",
    "StepScalingPolicyConfiguration": (
        "AdjustmentType Cooldown MetricAggregationType MinAdjustmentMagnitude StepAdjustments"
    ),
    "SuspendedState": (
        "DynamicScalingInSuspended DynamicScalingOutSuspended ScheduledScalingSuspended"
    ),
    "TagResourceRequest": "ResourceARN Tags",
    "TargetTrackingMetric": "Dimensions MetricName Namespace",
    "TargetTrackingMetricDataQuery": "Expression Id Label MetricStat ReturnData",
    "TargetTrackingMetricDimension": "Name Value",
    "TargetTrackingMetricStat": "Metric Stat Unit",
    "TargetTrackingScalingPolicyConfiguration": (
        "CustomizedMetricSpecification DisableScaleIn PredefinedMetricSpecification "
        "ScaleInCooldown ScaleOutCooldown TargetValue"
    ),
    "UntagResourceRequest": "ResourceARN TagKeys",
}

KNOWN: Mapping[str, frozenset[str]] = {
    name: frozenset(members.split()) for name, members in _MEMBERS.items()
}
