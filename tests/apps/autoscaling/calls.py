"""What several tests call, with defaults."""

import pytest
from botocore.exceptions import ClientError

from tests.scaled import ADAPTER, BLUE

TRACKING = {
    "TargetValue": 600.0,
    "PredefinedMetricSpecification": {
        "PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"
    },
    "ScaleOutCooldown": 60,
    "ScaleInCooldown": 300,
    "DisableScaleIn": False,
}
STEPS = {
    "AdjustmentType": "ChangeInCapacity",
    "StepAdjustments": [{"MetricIntervalLowerBound": 0.0, "ScalingAdjustment": 1}],
    "Cooldown": 60,
    "MetricAggregationType": "Maximum",
}


def one(resource=BLUE, **members):
    """The members that name a resource, and others."""
    return {
        "ServiceNamespace": "sagemaker",
        "ResourceId": resource.id,
        "ScalableDimension": resource.dimension.value,
        **given(members),
    }


def given(value):
    """What is left without members that are None, which clients do not send."""
    if isinstance(value, dict):
        return {key: given(each) for key, each in value.items() if each is not None}
    return [given(each) for each in value] if isinstance(value, list) else value


def register(boto, resource=BLUE, least=1, most=4, **members):
    return boto.register_scalable_target(
        **one(resource, MinCapacity=least, MaxCapacity=most, **members)
    )


def track(boto, name="p", resource=BLUE, **changes):
    return boto.put_scaling_policy(
        **one(
            resource,
            PolicyName=name,
            PolicyType="TargetTrackingScaling",
            TargetTrackingScalingPolicyConfiguration={**TRACKING, **changes},
        )
    )


def step(boto, name="s", resource=ADAPTER, **changes):
    return boto.put_scaling_policy(
        **one(
            resource,
            PolicyName=name,
            PolicyType="StepScaling",
            StepScalingPolicyConfiguration={**STEPS, **changes},
        )
    )


def targets(boto, **members):
    answer = boto.describe_scalable_targets(ServiceNamespace="sagemaker", **members)
    return answer["ScalableTargets"]


def policies(boto, **members):
    answer = boto.describe_scaling_policies(ServiceNamespace="sagemaker", **members)
    return answer["ScalingPolicies"]


def scheduled(boto, **members):
    answer = boto.describe_scheduled_actions(ServiceNamespace="sagemaker", **members)
    return answer["ScheduledActions"]


def activities(boto, **members):
    answer = boto.describe_scaling_activities(ServiceNamespace="sagemaker", **members)
    return answer["ScalingActivities"]


def refusal(method, /, **members):
    """Call what is to be refused; return the error's code and message."""
    with pytest.raises(ClientError) as caught:
        method(**members)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def invalid(method, /, **members):
    code, message = refusal(method, **members)
    assert code == "ValidationException", message
    return message
