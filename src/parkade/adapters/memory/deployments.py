"""Deployments in a dictionary."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from parkade.domain.errors import DeploymentNotFound, InUse, Unreadable, VersionConflict
from parkade.ports.catalog import Listing

if TYPE_CHECKING:
    from collections.abc import Callable

    from parkade.domain.deploy.deployment import Deployment
    from parkade.domain.event import Event
    from parkade.ports.events import History


class MemoryDeploymentStore:
    """The deployment store port. `damage` makes a deployment unreadable, as a broken disk would."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._deployments: dict[str, Deployment] = {}
        self._damaged: dict[str, str] = {}
        self._lock = threading.Lock()

    def damage(self, deployment_id: str, why: str) -> None:
        """Make the deployment unreadable."""
        with self._lock:
            self._damaged[deployment_id] = why

    def get(self, deployment_id: str) -> Deployment:
        """Return the deployment."""
        with self._lock:
            return self._get(deployment_id)

    def all(self, endpoint_name: str | None = None) -> Listing[Deployment]:
        """Return deployments, oldest first."""
        return self._listing(lambda each: endpoint_name in {None, each.endpoint_name})

    def running(self) -> Listing[Deployment]:
        """Return those that are running, oldest first."""
        return self._listing(lambda each: not each.over)

    def put(self, deployment: Deployment, event: Event | None = None) -> Deployment:
        """Store the deployment unless another write came first."""
        stored = replace(deployment, version=deployment.version + 1)
        with self._lock:
            known = deployment.id in self._deployments
            held = self._get(deployment.id) if known else None
            if (held.version if held else 0) != deployment.version:
                raise VersionConflict(f"deployment {deployment.id!r} was changed by somebody else")
            if held is None:
                self._require_alone(deployment.endpoint_name)
            if event is not None:
                self._history.append(event)
            self._deployments[deployment.id] = stored
        return stored

    def remove(self, deployment_id: str, event: Event) -> None:
        """Remove the deployment."""
        with self._lock:
            if deployment_id not in self._deployments:
                raise DeploymentNotFound(f"there is no deployment {deployment_id!r}")
            self._history.append(event)
            del self._deployments[deployment_id]
            self._damaged.pop(deployment_id, None)

    def _listing(self, wanted: Callable[[Deployment], bool]) -> Listing[Deployment]:
        with self._lock:
            found = [each for each in self._deployments.values() if wanted(each)]
            return Listing(
                tuple(each for each in found if each.id not in self._damaged),
                {each.id: self._damaged[each.id] for each in found if each.id in self._damaged},
            )

    def _get(self, deployment_id: str) -> Deployment:
        if deployment_id not in self._deployments:
            raise DeploymentNotFound(f"there is no deployment {deployment_id!r}")
        if deployment_id in self._damaged:
            why = self._damaged[deployment_id]
            raise Unreadable(f"deployment {deployment_id!r} cannot be read: {why}")
        return self._deployments[deployment_id]

    def _require_alone(self, endpoint_name: str) -> None:
        for each in self._deployments.values():
            if each.endpoint_name == endpoint_name and not each.over:
                raise InUse(f"endpoint {endpoint_name!r} is being deployed to by {each.id}")
