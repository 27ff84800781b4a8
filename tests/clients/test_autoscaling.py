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


def test_every_variant_is_scaled_by_its_name(boto: Account, scaling: Any) -> None:
    boto.config("two", variant("blue"), variant("green"))
    boto.endpoint("both", "two")
    assert counts(boto, "both") == [1, 1]
    for name in ("blue", "green"):
        one = {**ONE, "ResourceId": f"endpoint/both/variant/{name}"}
        register(scaling, most=2, **one)
        scaling.put_scaling_policy(
            **{**POLICY, **one},
            PolicyType="TargetTrackingScaling",
            TargetTrackingScalingPolicyConfiguration=TRACKING,
        )
    paginator = scaling.get_paginator("describe_scaling_policies")
    pages = paginator.paginate(ServiceNamespace="sagemaker", PaginationConfig={"PageSize": 1})
    found = [each["ResourceId"] for page in pages for each in page["ScalingPolicies"]]
    assert found == ["endpoint/both/variant/blue", "endpoint/both/variant/green"]
    boto.delete("both")


def test_bounds_bring_instances_up_and_down_at_once(boto: Account, scaling: Any) -> None:
    register(scaling, least=2)
    wait_for(lambda: counts(boto) == [2], why="a second instance")
    boto.wait("scaled")
    register(scaling, least=1, most=1)
    wait_for(lambda: counts(boto) == [1], why="one instance")
    boto.wait("scaled")

    def told() -> Any:
        answer = scaling.describe_scaling_activities(
            ServiceNamespace="sagemaker", ResourceId=ONE["ResourceId"], MaxResults=2
        )
        found = answer["ScalingActivities"]
        return {each["StatusCode"] for each in found} == {"Successful"} and found

    found = wait_for(told, why="both activities to be at their end")
    assert [each["Description"] for each in found] == [  # type: ignore[attr-defined]
        "Setting desired instance count to 1.",
        "Setting desired instance count to 2.",
    ]


def test_what_is_scaled_is_remembered_by_a_control_that_was_killed(
    boto: Account, scaling: Any
) -> None:
    arn = register(scaling, Tags={"environment": "development"})["ScalableTargetARN"]
    scaling.put_scheduled_action(
        **ONE,
        ScheduledActionName="morning",
        Schedule="cron(0 8 ? * MON-FRI *)",
        Timezone="Europe/Berlin",
        ScalableTargetAction={"MinCapacity": 2},
    )
    former = boto.house.kill("control")
    boto.house.wait_reborn("control", former)
    (target,) = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    assert (target["ScalableTargetARN"], target["MaxCapacity"]) == (arn, 4)
    (action,) = scaling.describe_scheduled_actions(ServiceNamespace="sagemaker")["ScheduledActions"]
    assert (action["Schedule"], action["Timezone"]) == ("cron(0 8 ? * MON-FRI *)", "Europe/Berlin")
    tags = scaling.list_tags_for_resource(ResourceARN=arn)["Tags"]
    assert tags == {"environment": "development"}


def test_errors_are_those_that_boto3_knows(scaling: Any) -> None:
    errors = scaling.exceptions
    with pytest.raises(errors.ObjectNotFoundException):
        scaling.deregister_scalable_target(**ONE)
    with pytest.raises(errors.ObjectNotFoundException):
        scaling.put_scaling_policy(
            **POLICY,
            PolicyType="TargetTrackingScaling",
            TargetTrackingScalingPolicyConfiguration=TRACKING,
        )
    with pytest.raises(errors.InvalidNextTokenException):
        scaling.describe_scaling_policies(ServiceNamespace="sagemaker", NextToken="nonsense")
    with pytest.raises(errors.ResourceNotFoundException):
        scaling.list_tags_for_resource(
            ResourceARN=f"arn:aws:application-autoscaling:{REGION}:000000000000:scalable-target/0a"
        )
    message = invalid(
        scaling.register_scalable_target,
        **{**ONE, "ResourceId": "endpoint/none/variant/AllTraffic"},
        MinCapacity=1,
        MaxCapacity=2,
    )
    assert "none" in message


def test_roles_and_signatures(boto: Account, scaling: Any) -> None:
    asked = {"ServiceNamespace": "sagemaker"}
    invoker = boto.other("caller", role="invoker")
    with closing(client(boto, invoker)) as made:
        assert refusal(made.describe_scalable_targets, **asked)[0] == "AccessDeniedException"
    register(scaling)
    limited = boto.other("limited", role="operator", endpoints=("else",))
    with closing(client(boto, limited)) as made:
        assert made.describe_scalable_targets(**asked)["ScalableTargets"] == []
        assert refusal(made.deregister_scalable_target, **ONE)[0] == "AccessDeniedException"
    key = boto.session.get_credentials().access_key
    with closing(boto3.client(
        "application-autoscaling", endpoint_url=boto.house.url, region_name=REGION,
        aws_access_key_id=key, aws_secret_access_key="wrong",
        config=Config(retries={"total_max_attempts": 1}),
    )) as made:  # fmt: skip
        code, _ = refusal(made.describe_scalable_targets, **asked)
        assert code == "InvalidSignatureException"


@pytest.mark.semantics("scaling.api")
def test_the_aws_cli(boto: Account, scaling: Any, tmp_path: Path) -> None:
    shell = Shell(boto, tmp_path)
    named = ("--service-namespace", "sagemaker", "--resource-id", ONE["ResourceId"],
             "--scalable-dimension", INSTANCES)  # fmt: skip

    def run(*arguments: str, fails: bool = False) -> str:
        return shell.run("application-autoscaling", *arguments, fails=fails)

    run("register-scalable-target", *named, "--min-capacity", "1", "--max-capacity", "4",
        "--suspended-state",
        "DynamicScalingInSuspended=false,DynamicScalingOutSuspended=false,"
        "ScheduledScalingSuspended=false")  # fmt: skip
    (tmp_path / "policy.json").write_text(json.dumps(TRACKING))
    run("put-scaling-policy", *named, "--policy-name", "p", "--policy-type",
        "TargetTrackingScaling", "--target-tracking-scaling-policy-configuration",
        "file://policy.json")  # fmt: skip
    told = json.loads(run("describe-scaling-policies", "--service-namespace", "sagemaker"))
    assert told["ScalingPolicies"][0]["TargetTrackingScalingPolicyConfiguration"] == TRACKING
    refused = run("register-scalable-target", "--service-namespace", "ecs", "--resource-id",
                  "service/a/b", "--scalable-dimension", "ecs:service:DesiredCount",
                  fails=True)  # fmt: skip
    assert "ValidationException" in refused
    assert "ServiceNamespace ecs" in refused
    run("deregister-scalable-target", *named)
    told = json.loads(run("describe-scalable-targets", "--service-namespace", "sagemaker"))
    assert told["ScalableTargets"] == []
