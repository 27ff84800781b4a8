"""The operations that are built here. All of them take an operator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from parkade.apps.autoscaling import activities, policies, schedules, targets

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from parkade.apps.autoscaling.call import Call

OPERATIONS: Mapping[str, Callable[[Call], Mapping[str, Any]]] = {
    "RegisterScalableTarget": targets.register,
    "DescribeScalableTargets": targets.describe,
    "DeregisterScalableTarget": targets.deregister,
    "PutScalingPolicy": policies.put,
    "DescribeScalingPolicies": policies.describe,
    "DeleteScalingPolicy": policies.delete,
    "PutScheduledAction": schedules.put,
    "DescribeScheduledActions": schedules.describe,
    "DeleteScheduledAction": schedules.delete,
    "DescribeScalingActivities": activities.describe,
    "ListTagsForResource": targets.list_tags,
    "TagResource": targets.tag,
    "UntagResource": targets.untag,
}
