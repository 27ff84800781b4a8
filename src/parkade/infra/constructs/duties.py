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


#: What a request that may wake an endpoint needs of it: its lease and terms read, the lease written.
ASKING = ("ConditionCheckItem", "GetItem", "PutItem", "Query", "UpdateItem")


def asking(grants: Grants, table_arn: str) -> None:
    """Allow to look a lease up, and to ask for its endpoint."""
    grants.table(table_arn, *ASKING, indexes=True)


def records(grants: Grants, table_arn: str) -> None:
    """Allow to read and write records."""
    grants.table(table_arn, *RECORDS, indexes=True)


def running(grants: Grants) -> None:
    """Allow to see, start and stop endpoints by their leases, and what goes and comes with them."""
    seeing(grants)
    measuring(grants)
    stopping(grants)
    starting(grants)


def stopping(grants: Grants) -> None:
    """Allow to stop endpoints, and to keep what SageMaker forgets with them until they come back."""
    grants.endpoints("DeleteEndpoint")
    grants.everywhere("sagemaker:ListInferenceComponents")
    grants.sagemaker(
        ("DeleteInferenceComponent", "DescribeInferenceComponent"), "inference-component", ("*",)
    )
    grants.everywhere(
        "application-autoscaling:DescribeScalableTargets",
        "application-autoscaling:DescribeScalingPolicies",
        "application-autoscaling:DescribeScheduledActions",
    )
    # SageMaker deletes no endpoint whose targets its caller may not deregister, and their alarms go
    # in the caller's name as well.
    grants.everywhere(
        "application-autoscaling:DeregisterScalableTarget", why="targets come and go with endpoints"
    )
    _scaling_alarms(grants, "DeleteAlarms")


def starting(grants: Grants) -> None:
    """Allow to start endpoints, with the tags, components and scaling that are kept of them.

    Whoever has something scaled needs what is done by that: Application Auto Scaling asks whether
    its caller may change instances and copies, and make the alarms of a policy.
    """
    grants.to_configs("CreateEndpoint")
    grants.endpoints("AddTags", "CreateInferenceComponent", "UpdateEndpointWeightsAndCapacities")
    grants.sagemaker(
        ("CreateInferenceComponent", "UpdateInferenceComponentRuntimeConfig"),
        "inference-component",
        ("*",),
    )
    grants.everywhere("cloudwatch:DescribeAlarms")
    grants.everywhere(
        "application-autoscaling:PutScalingPolicy",
        "application-autoscaling:PutScheduledAction",
        "application-autoscaling:RegisterScalableTarget",
        why="targets have no names before they are registered",
    )
    _scaling_alarms(grants, "DeleteAlarms", "PutMetricAlarm")
    grants.linked_role("sagemaker.application-autoscaling.amazonaws.com")


def _scaling_alarms(grants: Grants, *operations: str) -> None:
    grants.allow(
        [f"cloudwatch:{each}" for each in operations],
        [grants.alarm("TargetTracking-*")],
        why="alarms of scaling policies, which Application Auto Scaling names",
    )


def seeing(grants: Grants) -> None:
    """Allow to see endpoints, and what they run."""
    grants.everywhere("sagemaker:ListEndpoints")
    grants.endpoints("DescribeEndpoint", "ListTags")
    grants.configs("DescribeEndpointConfig")
    grants.models("DescribeModel")


def measuring(grants: Grants) -> None:
    """Allow to see who is watched for idleness, by tags of any endpoint, and how endpoints are used."""
    grants.everywhere("cloudwatch:GetMetricData", "tag:GetResources")


def timing(grants: Grants, machine_arn: str) -> None:
    """Allow to have the end of leases waited for."""
    grants.allow(["states:StartExecution"], [machine_arn])


def managing(grants: Grants, tokens_arn: str) -> None:
    """Allow what the management API does beside records: tokens, endpoints, configs, models.

    It starts no endpoint: it writes leases, and the sweep starts what they say.
    """
    grants.table(tokens_arn, "DeleteItem", "GetItem", "PutItem", "Scan", "UpdateItem")
    seeing(grants)
    measuring(grants)
    stopping(grants)
    grants.everywhere(
        "cloudwatch:DescribeAlarms",
        "sagemaker:ListEndpointConfigs",
        "sagemaker:ListModels",
    )
    grants.endpoints("AddTags", "DeleteTags")
    grants.configs("AddTags", "CreateEndpointConfig", "DeleteEndpointConfig")
    grants.models("DeleteModel")
