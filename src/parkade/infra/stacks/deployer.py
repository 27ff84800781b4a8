"""The deployer: a state machine that takes an order and brings an endpoint to it, step by step.

It is started with the JSON of `parkade deploy`, which takes the seed's as it is. What each step did is
stored, so that an execution that broke off can be gone on with; every failure is told to the topic of
notices, and an execution succeeds where the new config serves, and nowhere else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk

from parkade.apps.cloud.parameters import Shared
from parkade.infra import sharing
from parkade.infra.constructs.machinefunctions import machine_of, step_function
from parkade.infra.naming import Title, deployer_machine
from parkade.infra.stack import ParkadeStack

if TYPE_CHECKING:
    from constructs import Construct

    from parkade.infra.constructs.functions import Function
    from parkade.infra.estate import Estate

#: Seconds of a step: what takes longer is waited for by the machine.
_STEP_SECONDS = 110


class DeployerStack(ParkadeStack):
    """The state machine that deploys endpoints."""

    title = Title.DEPLOYER
    about = "creates and updates endpoints with their scaling, step by step"
    after = (Title.METER,)

    def __init__(
        self, scope: Construct, construct_id: str | None = None, *, estate: Estate
    ) -> None:
        """Make the stack."""
        super().__init__(scope, construct_id, estate=estate)
        self.function = step_function(
            self,
            "Steps",
            handler="deployer",
            about="does one step of a deployment",
            timeout=_STEP_SECONDS,
        )
        _allow(self.function)
        self.machine = machine_of(
            self,
            "Deployments",
            self.function,
            definition="deployer",
            function_variable="DeployerFunction",
            about=f"{estate.prefix}: deployments of endpoints",
            name=deployer_machine(estate.prefix),
        )
        sharing.publish(self, Shared.DEPLOYER, self.machine.arn)
        cdk.CfnOutput(self, "MachineArn", value=self.machine.arn, description="starts deployments")


def _allow(function: Function) -> None:
    grants = function.grants
    grants.endpoints("DeleteTags")
    grants.to_configs("UpdateEndpoint")
    grants.configs("AddTags", "CreateEndpointConfig", "DeleteEndpointConfig", "ListTags")
    grants.everywhere(
        "application-autoscaling:DeleteScalingPolicy",
        "application-autoscaling:DeregisterScalableTarget",
        "application-autoscaling:ListTagsForResource",
        "application-autoscaling:TagResource",
        why="targets have no names before they are registered",
    )
