"""Scalable targets and policies as Application Auto Scaling describes and takes them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from parkade.adapters.aws.sagemaker.forms import policies
from parkade.domain.scaling.policy import Policy
from parkade.domain.scaling.target import Resource, ScalableTarget, Suspended

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from parkade.domain.scaling.policy import Tracking
    from parkade.domain.scaling.steps import Steps
    from parkade.domain.scaling.target import Suspending

SERVICE, NAMESPACE = "application-autoscaling", "sagemaker"
#: The members that name a resource.
NAMING = ("ServiceNamespace", "ResourceId", "ScalableDimension")
_MEMBERS = {
    "scale_in": "DynamicScalingInSuspended",
    "scale_out": "DynamicScalingOutSuspended",
    "scheduled": "ScheduledScalingSuspended",
}
_ID = re.compile(r":scalingPolicy:([^:]+):")


def named(resource: Resource) -> dict[str, Any]:
    """Return the members that name a resource."""
    return dict(zip(NAMING, (NAMESPACE, resource.id, resource.dimension.value), strict=True))


def resource(given: Mapping[str, Any]) -> Resource:
    """Return the resource that is named. Raises InvalidInput for one that is not known here."""
    return Resource.parse(given["ResourceId"], given["ScalableDimension"])


def target(given: Mapping[str, Any], since: datetime) -> ScalableTarget:
    """Return a target; `since` is when it was made, if that is not told."""
    suspended = given.get("SuspendedState", {})
    return ScalableTarget(
        resource=resource(given),
        least=given["MinCapacity"],
        most=given["MaxCapacity"],
        created_at=given.get("CreationTime", since),
        suspended=Suspended(**{own: suspended.get(name, False) for own, name in _MEMBERS.items()}),
        role_arn=given.get("RoleARN", ""),
        version=1,
    )


def suspending(given: Suspending | None) -> dict[str, Any]:
    """Return what is to be suspended, and what no more; nothing where nothing is said of it."""
    if given is None:
        return {}
    state = {
        name: value for own, name in _MEMBERS.items() if (value := getattr(given, own)) is not None
    }
    return {"SuspendedState": state} if state else {}


def policy(given: Mapping[str, Any], since: datetime) -> Policy:
    """Return a policy. Raises InvalidInput, KeyError, ValueError for one that is not known here."""
    tracking, steps = policies.read(given)
    found = _ID.search(given.get("PolicyARN", ""))
    return Policy(
        name=given["PolicyName"],
        resource=resource(given),
        created_at=given.get("CreationTime", since),
        id=found[1] if found else given["PolicyName"],
        tracking=tracking,
        steps=steps,
        version=1,
    )


def asked_policy(
    of: Resource, name: str, tracking: Tracking | None, steps: Steps | None
) -> dict[str, Any]:
    """Describe a policy that is to be put."""
    form: dict[str, Any] = whole(
        {**named(of), "PolicyName": name, **policies.shown(tracking, steps)}
    )
    return form


def whole(value: Any) -> Any:
    """Return a form without the members that are nothing, however deep."""
    if isinstance(value, dict):
        return {key: whole(each) for key, each in value.items() if each is not None}
    return [whole(each) for each in value] if isinstance(value, list) else value
