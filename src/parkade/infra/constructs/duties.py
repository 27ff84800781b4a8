"""Permissions by what they are for, where several functions do the same.

What of SageMaker, DynamoDB and the others a service calls stands here once; which function has which
service, its stack says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from parkade.infra.constructs.grants import Grants

#: What conditional writes, and reads of records, need of the table.
RECORDS = (
    "BatchGetItem",
    "ConditionCheckItem",
    "DeleteItem",
    "GetItem",
    "PutItem",
    "Query",
    "UpdateItem",
)


def records(grants: Grants, table_arn: str) -> None:
    """Allow to read and write records."""
    grants.table(table_arn, *RECORDS, indexes=True)


def running(grants: Grants) -> None:
    """Allow to see, start and stop endpoints by their leases, and what goes and comes with them."""
    seeing(grants)
    grants.creation()
    grants.endpoints("AddTags", "DeleteEndpoint")
    components(grants)
    scaling(grants)


def components(grants: Grants) -> None:
    """Allow to keep inference components while their endpoint is gone: SageMaker forgets them."""
    grants.everywhere("sagemaker:ListInferenceComponents")
    grants.sagemaker(
        (
            "CreateInferenceComponent",
            "DeleteInferenceComponent",
            "DescribeInferenceComponent",
            "UpdateInferenceComponentRuntimeConfig",
        ),
        "inference-component",
        ("*",),
    )
    grants.endpoints("CreateInferenceComponent")


def scaling(grants: Grants) -> None:
    """Allow to keep the scaling of endpoints that go, and to put it on those that come.

    Whoever has something scaled needs what is done by that: Application Auto Scaling asks whether
    its caller may change instances and copies, and make the alarms of a policy.
    """
    grants.everywhere(
        "application-autoscaling:DescribeScalableTargets",
        "application-autoscaling:DescribeScalingPolicies",
        "application-autoscaling:DescribeScheduledActions",
        "cloudwatch:DescribeAlarms",
    )
    grants.everywhere(
        "application-autoscaling:PutScalingPolicy",
        "application-autoscaling:PutScheduledAction",
        "application-autoscaling:RegisterScalableTarget",
        why="targets have no names before they are registered",
    )
    grants.endpoints("UpdateEndpointWeightsAndCapacities")
    grants.allow(
        ["cloudwatch:DeleteAlarms", "cloudwatch:PutMetricAlarm"],
        [grants.alarm("TargetTracking-*")],
        why="alarms of scaling policies, which Application Auto Scaling names",
    )
    grants.linked_role("sagemaker.application-autoscaling.amazonaws.com")


def seeing(grants: Grants) -> None:
    """Allow to see endpoints, what they run, and how they are used."""
    # Tags that endpoints had are found by their kind, whatever the endpoints are called.
    grants.everywhere("sagemaker:ListEndpoints", "tag:GetResources")
    grants.endpoints("DescribeEndpoint", "ListTags")
    grants.configs("DescribeEndpointConfig")
    grants.models("DescribeModel")
    grants.everywhere("cloudwatch:GetMetricData")


def pricing(grants: Grants) -> None:
    """Allow to ask what instances cost."""
    grants.everywhere("pricing:GetProducts")


def timing(grants: Grants, machine_arn: str) -> None:
    """Allow to have the end of leases waited for."""
    grants.allow(["states:StartExecution"], [machine_arn])


def managing(grants: Grants, tokens_arn: str) -> None:
    """Allow what the management API does beside records and tokens: endpoints, configs, models."""
    grants.table(tokens_arn, "DeleteItem", "GetItem", "PutItem", "Scan", "UpdateItem")
    running(grants)
    pricing(grants)
    grants.everywhere(
        "sagemaker:ListEndpointConfigs",
        "sagemaker:ListModels",
    )
    grants.endpoints("DeleteTags")
    grants.configs("AddTags", "CreateEndpointConfig", "DeleteEndpointConfig")
    grants.models("DeleteModel")
