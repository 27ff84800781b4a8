"""Deployments: an item each; of one endpoint one is running at a time."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from parkade.adapters.aws.dynamodb.attempts import contended
from parkade.adapters.aws.dynamodb.kind import Kind
from parkade.adapters.aws.dynamodb.turns import Turns
from parkade.domain.deploy.deployment import Deployment
from parkade.domain.errors import DeploymentNotFound, InUse, VersionConflict

if TYPE_CHECKING:
    from parkade.adapters.aws.dynamodb.events import DynamoHistory
    from parkade.domain.errors import ParkadeError
    from parkade.domain.event import Event
    from parkade.ports.catalog import Listing


class DynamoDeploymentStore:
    """The deployment store port."""

    def __init__(self, history: DynamoHistory) -> None:
        self._kind = Kind(history, "deployment", Deployment, "deployment")
        self._turns = Turns(self._kind, _busy)

    def get(self, deployment_id: str) -> Deployment:
        """Return the deployment."""
        found = self._kind.find(deployment_id)
        if found is None:
            raise _unknown(deployment_id)
        return found

    def all(self, endpoint_name: str | None = None) -> Listing[Deployment]:
        """Return deployments, oldest first, those apart that cannot be read."""
        return self._turns.all(endpoint_name)

    def running(self) -> Listing[Deployment]:
        """Return those that are running, oldest first, those apart that cannot be read."""
        return self._turns.running()

    def put(self, deployment: Deployment, event: Event | None = None) -> Deployment:
        """Store deployment and event in one transaction, unless another write came first."""
        item = self._kind.item(deployment.id)
        if (0 if item is None else self._kind.read(item).version) != deployment.version:
            raise _lost(deployment.id)
        stored = replace(deployment, version=deployment.version + 1)
        changes = self._turns.put(
            stored.id,
            stored,
            item,
            subject=stored.endpoint_name,
            status=str(stored.status),
            lost=lambda _: _lost(stored.id),
        )
        self._kind.store(changes, event)
        return stored

    def remove(self, deployment_id: str, event: Event) -> None:
        """Remove the deployment and write the event, in one transaction."""
        for attempt in contended():
            with attempt:
                item = self._kind.item(deployment_id)
                if item is None:
                    raise _unknown(deployment_id)
                self._kind.store(self._turns.remove(deployment_id, item), event)


def _unknown(deployment_id: str) -> ParkadeError:
    return DeploymentNotFound(f"there is no deployment {deployment_id!r}")


def _lost(deployment_id: str) -> ParkadeError:
    return VersionConflict(
        f"deployment {deployment_id!r} was changed by somebody else",
        hint="read it again, then decide again",
    )


def _busy(endpoint_name: str, deployment_id: str) -> InUse:
    return InUse(
        f"endpoint {endpoint_name!r} is being deployed to by {deployment_id}",
        hint=f"wait until it is over, or call it off: parkade deployments cancel {deployment_id}",
    )
