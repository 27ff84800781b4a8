"""State machines: a JSONPath file of `infra/statemachines`, with its role, log and traces."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_stepfunctions as stepfunctions
from constructs import Construct

from parkade.infra.constructs.grants import Grants

if TYPE_CHECKING:
    from collections.abc import Mapping

    from parkade.infra.stack import ParkadeStack

#: Where the definitions are; the same files are what tests execute.
FOLDER = Path(__file__).parent.parent / "statemachines"
_SUFFIX = ".asl.json"
_NAME_LIMIT = 80


class Machine(Construct):
    """A standard state machine. Its definition stands in the template, where linters see it."""

    def __init__(
        self,
        stack: ParkadeStack,
        construct_id: str,
        *,
        definition: str,
        about: str,
        substitutions: Mapping[str, str],
        name: str | None = None,
    ) -> None:
        """Make the machine of `statemachines/<definition>.asl.json`.

        `substitutions` are the values of its `${...}`. A name is given where others have to know
        the machine's ARN before it is made.
        """
        super().__init__(stack, construct_id)
        self.role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal(
                "states.amazonaws.com",
                # Step Functions acts for machines of other accounts as well: not with this role.
                conditions={"StringEquals": {"aws:SourceAccount": stack.account}},
            ),
            description=f"{stack.estate.prefix}: {about}",
        )
        self.grants = Grants(stack, self.role)
        log = logs.LogGroup(
            self,
            "Log",
            log_group_name=f"/aws/vendedlogs/states/{stack.stack_name}-{construct_id}",
            retention=logs.RetentionDays.ONE_MONTH,
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        self.machine = stepfunctions.StateMachine(
            self,
            "Machine",
            state_machine_name=name[:_NAME_LIMIT] if name else None,
            definition_body=stepfunctions.DefinitionBody.from_string(text(definition)),
            definition_substitutions=dict(substitutions),
            comment=about,
            role=self.role.without_policy_updates(),
            tracing_enabled=True,
            logs=stepfunctions.LogOptions(
                destination=log, level=stepfunctions.LogLevel.ALL, include_execution_data=False
            ),
        )
        # Deliveries of logs are made by the service itself, and have no resources to name.
        self.grants.everywhere(
            "logs:CreateLogDelivery",
            "logs:GetLogDelivery",
            "logs:UpdateLogDelivery",
            "logs:DeleteLogDelivery",
            "logs:ListLogDeliveries",
            "logs:PutResourcePolicy",
            "logs:DescribeResourcePolicies",
            "logs:DescribeLogGroups",
            "xray:PutTraceSegments",
            "xray:PutTelemetryRecords",
            "xray:GetSamplingRules",
            "xray:GetSamplingTargets",
        )
        self.machine.node.add_dependency(self.role)

    @property
    def arn(self) -> str:
        """The machine's ARN."""
        return self.machine.state_machine_arn


def text(definition: str) -> str:
    """Return a definition as it is written."""
    return (FOLDER / f"{definition}{_SUFFIX}").read_text(encoding="utf-8")
