"""Permissions: what a function or machine may do, resource by resource.

Each method adds one need to one role. AWS has actions that no resource can be named for; these, and
names that end in `*` since endpoints come and go, are acknowledged with the reason that is given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_iam as iam

from parkade.infra import checks

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from parkade.infra.stack import ParkadeStack

_ANY_NAME = "endpoints are named by their users, and come and go without a deployment"
_NO_RESOURCE = "AWS has no resources for this action"


class Grants:
    """Gives permissions to one role of a stack."""

    def __init__(self, stack: ParkadeStack, role: iam.Role) -> None:
        self._stack = stack
        self._role = role

    def allow(
        self,
        actions: Sequence[str],
        resources: Iterable[str],
        *,
        why: str = "",
        conditions: dict[str, object] | None = None,
    ) -> None:
        """Allow actions on resources; `why` is the reason for those that end in `*`."""
        named = list(resources)
        self._role.add_to_policy(
            iam.PolicyStatement(actions=list(actions), resources=named, conditions=conditions)
        )
        if why:
            for each in named:
                if "*" in each:
                    checks.acknowledge_wildcard(self._role, each, why)

    def everywhere(self, *actions: str, why: str = _NO_RESOURCE) -> None:
        """Allow actions for which no resource can be named."""
        self.allow(actions, ["*"], why=why)

    # -- DynamoDB -------------------------------------------------------------------------

    def table(self, arn: str, *operations: str, indexes: bool = False) -> None:
        """Allow operations, such as `GetItem`, on a table; `Query` reaches its indexes as well."""
        reached = [arn, f"{arn}/index/*"] if indexes else [arn]
        self.allow(
            [f"dynamodb:{each}" for each in operations],
            reached,
            why="the indexes of this one table",
        )

    # -- SageMaker ------------------------------------------------------------------------

    def endpoints(self, *operations: str, names: Iterable[str] = ("*",)) -> None:
        """Allow operations on endpoints, such as `DescribeEndpoint`."""
        self.sagemaker(operations, "endpoint", names)

    def configs(self, *operations: str, names: Iterable[str] = ("*",)) -> None:
        """Allow operations on endpoint configs."""
        self.sagemaker(operations, "endpoint-config", names)

    def models(self, *operations: str, names: Iterable[str] = ("*",)) -> None:
        """Allow operations on models."""
        self.sagemaker(operations, "model", names)

    def sagemaker(self, operations: Iterable[str], kind: str, names: Iterable[str]) -> None:
        """Allow operations on one kind of SageMaker's resources, by names; their ARNs are in lower case."""
        self.allow(
            [f"sagemaker:{each}" for each in operations],
            [self.arn("sagemaker", kind, name.lower()) for name in names],
            why=_ANY_NAME,
        )

    def to_configs(self, operation: str) -> None:
        """Allow to create or update endpoints to any config, of which IAM asks beside the endpoint."""
        self.allow(
            [f"sagemaker:{operation}"],
            [
                self.arn("sagemaker", "endpoint", "*"),
                self.arn("sagemaker", "endpoint-config", "*"),
            ],
            why=_ANY_NAME,
        )

    # -- the others -----------------------------------------------------------------------

    def own_objects(self) -> None:
        """Allow to look at objects in the project's own buckets, and to be told of those that are not there."""
        own = self._stack.format_arn(
            service="s3",
            region="",
            account="",
            resource=f"{self._stack.estate.prefix.lower()}-*",
        )
        why = "the project's own buckets, whose names begin with its own"
        self.allow(["s3:ListBucket"], [own], why=why)
        self.allow(["s3:GetObject"], [f"{own}/*"], why=why)

    def secret(self, arn: str) -> None:
        """Allow to read one secret."""
        self.allow(["secretsmanager:GetSecretValue"], [arn])

    def publishing(self, topic: str) -> None:
        """Allow to publish to one topic."""
        self.allow(["sns:Publish"], [topic])

    def events(self, bus: str) -> None:
        """Allow to put events on one bus."""
        self.allow(["events:PutEvents"], [bus])

    def functions(self, *arns: str) -> None:
        """Allow to invoke functions by their ARNs; versions and aliases are named in them."""
        self.allow(["lambda:InvokeFunction"], arns)

    def figures(self, *, namespace: str) -> None:
        """Allow to write metrics of one namespace; CloudWatch has no resources for that."""
        self.allow(
            ["cloudwatch:PutMetricData"],
            ["*"],
            why="AWS has no resources for this action; a condition names the one namespace",
            conditions={"StringEquals": {"cloudwatch:namespace": namespace}},
        )

    def traces(self) -> None:
        """Allow to send X-Ray traces."""
        self.everywhere("xray:PutTraceSegments", "xray:PutTelemetryRecords")

    def linked_role(self, service: str) -> None:
        """Allow to have AWS make the one role of a service of its own, when that is first needed."""
        self.allow(
            ["iam:CreateServiceLinkedRole"],
            [
                self._stack.format_arn(
                    service="iam",
                    region="",
                    resource="role",
                    resource_name=f"aws-service-role/{service}/*",
                )
            ],
            why="the one role of this service, whose name ends as AWS has it",
            conditions={"StringLike": {"iam:AWSServiceName": service}},
        )

    def alarm(self, name: str) -> str:
        """Return the ARN of an alarm of CloudWatch, or of all whose names begin alike."""
        return self._stack.format_arn(
            service="cloudwatch",
            resource="alarm",
            resource_name=name,
            arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
        )

    def arn(self, service: str, resource: str, name: str) -> str:
        """Return the ARN of something of this account and region."""
        return self._stack.format_arn(service=service, resource=resource, resource_name=name)
