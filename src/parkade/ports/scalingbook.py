"""What is scaled, and how: registered, shown, deregistered, whoever does the scaling.

Embedded that is `services.scaling`, whose decisions the autoscaler carries out; on AWS it is
Application Auto Scaling, which does both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from parkade.domain.scaling.policy import Policy, Tracking
    from parkade.domain.scaling.steps import Steps
    from parkade.domain.scaling.target import Resource, ScalableTarget, Suspending
    from parkade.ports.catalog import Listing


class ScalingBook(Protocol):
    """Scalable targets and their policies. To be used where hosting is."""

    def targets(self) -> Listing[ScalableTarget]:
        """Return all scalable targets in the order of resource ids, and why others are unreadable."""
        ...

    def target(self, resource: Resource) -> ScalableTarget:
        """Return a scalable target. Raises ScalableTargetNotFound, Unreadable."""
        ...

    def register(
        self,
        resource: Resource,
        actor: str,
        *,
        least: int | None = None,
        most: int | None = None,
        suspended: Suspending | None = None,
        role_arn: str | None = None,
        tags: Mapping[str, str] | None = None,
        ahead: bool = False,
    ) -> ScalableTarget:
        """Register a target, or change what is given of one; None: as it was.

        One that is not there yet can be registered `ahead` of its next start. Raises
        EndpointNotFound or ComponentNotFound for any other that is not there, and InvalidInput for
        bounds that are none, or are missing for a new one.
        """
        ...

    def deregister(self, resource: Resource, actor: str) -> None:
        """Deregister a target, with its policies, their alarms and its scheduled actions.

        The capacity stays as it is. Raises ScalableTargetNotFound.
        """
        ...

    def policies(self, resource: Resource | None = None) -> Listing[Policy]:
        """Return all policies, or those of one target, and why others cannot be read."""
        ...

    def put_policy(
        self,
        resource: Resource,
        name: str,
        actor: str,
        *,
        tracking: Tracking | None = None,
        steps: Steps | None = None,
    ) -> Policy:
        """Store a policy over the one of its name, and make its alarms.

        Raises ScalableTargetNotFound, InvalidInput where it is no policy for this resource, and
        ResourceLimitExceeded where there are too many.
        """
        ...

    def delete_policy(self, resource: Resource, name: str, actor: str) -> None:
        """Delete a policy and its alarms. Raises ScalingPolicyNotFound."""
        ...
