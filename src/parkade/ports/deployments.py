"""Deployments, stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from parkade.domain.deploy.deployment import Deployment
    from parkade.domain.event import Event
    from parkade.ports.catalog import Listing


class DeploymentStore(Protocol):
    """Stores deployments with compare-and-set; each write appends its event, if it has one, with it.

    Of one endpoint one deployment is running at a time. Those that are over stay.
    """

    def get(self, deployment_id: str) -> Deployment:
        """Return the deployment. Raises DeploymentNotFound, or Unreadable where it is damaged."""
        ...

    def all(self, endpoint_name: str | None = None) -> Listing[Deployment]:
        """Return all deployments, or those of one endpoint, oldest first; others apart, by id."""
        ...

    def running(self) -> Listing[Deployment]:
        """Return those that are running, oldest first; apart those that cannot be read, by id."""
        ...

    def put(self, deployment: Deployment, event: Event | None = None) -> Deployment:
        """Store the deployment where `deployment.version` of it (0: none) is still held.

        Returns it with its new version. Raises InUse where it is new and another one of its
        endpoint is running, and VersionConflict where another write came first, with nothing
        stored.
        """
        ...

    def remove(self, deployment_id: str, event: Event) -> None:
        """Remove a deployment, damaged or not. Raises DeploymentNotFound, with nothing written."""
        ...
