"""Steering the update of an endpoint by hand, whoever has begun it.

An update that a deployment waits for is steered by that deployment, whose history says so; one that
came by SageMaker's API belongs to nobody but the endpoint.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.domain.deploy.steps import StepKind

if TYPE_CHECKING:
    from parkade.domain.deploy.deployment import Deployment
    from parkade.services.deployer import Deployer
    from parkade.services.deploying.desk import Desk

#: What the endpoint's failure reason says behind the name of who did it.
_BY_HAND = "by hand"


class Steering:
    """Takes an update to its end, or back, by the name of its endpoint."""

    def __init__(self, desk: Desk, deployer: Deployer) -> None:
        self._desk = desk
        self._deployer = deployer

    def promote(self, endpoint_name: str, actor: str) -> None:
        """Have the new fleet take all requests as soon as it can, with no alarm watched any more.

        Raises EndpointNotFound, Unreadable, and Conflict where no update is under way, or one that
        is being rolled back.
        """
        deployment = self._waiting(endpoint_name)
        if deployment is not None:
            self._deployer.promote(deployment.id, actor)
        else:
            self._desk.provisioner.promote(endpoint_name, actor)

    def roll_back(self, endpoint_name: str, actor: str) -> None:
        """Have what served before serve on; a deployment that waits for the update fails.

        Raises EndpointNotFound, Unreadable, and Conflict where no update is under way.
        """
        deployment = self._waiting(endpoint_name)
        if deployment is not None:
            self._deployer.roll_back(deployment.id, actor)
        else:
            self._desk.provisioner.roll_back(endpoint_name, actor, _BY_HAND)

    def _waiting(self, endpoint_name: str) -> Deployment | None:
        """Return the deployment that waits for the update of this endpoint, if one does."""
        for each in self._desk.deployments.running().records:
            step = each.step
            if (
                each.endpoint_name == endpoint_name
                and not each.creates
                and step is not None
                and step.kind is StepKind.WAIT
            ):
                return each
        return None
