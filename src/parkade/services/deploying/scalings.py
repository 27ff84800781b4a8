"""Scaling of the variants: suspended before the update, put on after it, or put back as it was.

Suspended rather than deregistered: policies, alarms and scheduled actions stay what they are, and
whoever finds the target suspended knows why.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from parkade.domain.deploy.deployment import FormerScaling
from parkade.domain.errors import ScalableTargetNotFound, Unreadable
from parkade.domain.scaling.target import Resource, Suspending
from parkade.services.deploying.results import Ended, Noted, skipped

if TYPE_CHECKING:
    from parkade.domain.deploy.deployment import Deployment
    from parkade.domain.deploy.order import VariantScaling
    from parkade.domain.scaling.policy import Policy
    from parkade.domain.scaling.target import ScalableTarget, Suspended
    from parkade.services.deploying.desk import Desk

#: What the scaling policy that a deployment puts is called.
POLICY = "deployment"
_ALL = Suspending(scale_in=True, scale_out=True, scheduled=True)
_NONE = Suspending(scale_in=False, scale_out=False, scheduled=False)


def off(deployment: Deployment, desk: Desk) -> Ended | Noted:
    """Suspend the scaling of all variants that have any; how it was is stored before."""
    former = deployment.scaling
    if former is None:
        return Noted(deployment=replace(deployment, scaling=_found(deployment, desk)))
    for target in former.targets:
        desk.scaling.register(target.resource, deployment.actor, suspended=_ALL)
    if not former.targets:
        return skipped(deployment, "no variant is scaled")
    return Ended(deployment=deployment, text=f"scaling is suspended for {_named(former)}")


def _found(deployment: Deployment, desk: Desk) -> FormerScaling:
    targets = registered(deployment.endpoint_name, desk)
    policies = [
        policy for target in targets for policy in desk.scaling.policies(target.resource).records
    ]
    return FormerScaling(targets=targets, policies=tuple(policies))


def registered(endpoint_name: str, desk: Desk) -> tuple[ScalableTarget, ...]:
    """Return the scalable targets of the endpoint's variants. Raises Unreadable."""
    listing = desk.scaling.targets()
    for resource_id, why in listing.unreadable.items():
        if resource_id.startswith(f"endpoint/{endpoint_name}/variant/"):
            raise Unreadable(
                f"scalable target {resource_id} cannot be read: {why}",
                hint="register it anew, or deregister it, then deploy again",
            )
    return tuple(
        each
        for each in listing.records
        if each.resource.name == endpoint_name and not each.resource.component
    )


def on(deployment: Deployment, desk: Desk) -> Ended:
    """Put scaling on for every variant, as ordered or as it was."""
    order, former = deployment.order, _former(deployment)
    said: list[str] = []
    for variant in order.variants:
        resource = Resource(order.endpoint_name, variant.name)
        ordered = order.scaling.get(variant.name)
        before = former.get(resource)
        if ordered is not None:
            _put(deployment, desk, resource, ordered)
            said.append(
                f"{variant.name} {ordered.least} to {ordered.most} at {ordered.tracking.target:g}"
            )
        elif variant.name not in order.scaling and before is not None:
            _resume(deployment, desk, before)
            said.append(f"{variant.name} as before")
    if not said:
        return skipped(deployment, "no variant is scaled")
    return Ended(deployment=deployment, text=", ".join(said))


def _put(deployment: Deployment, desk: Desk, resource: Resource, ordered: VariantScaling) -> None:
    actor = deployment.actor
    desk.scaling.register(
        resource,
        actor,
        least=ordered.least,
        most=ordered.most,
        suspended=_NONE,
        tags=deployment.order.all_tags,
    )
    desk.scaling.put_policy(resource, POLICY, actor, tracking=ordered.tracking)


def retire(deployment: Deployment, desk: Desk) -> tuple[str, ...]:
    """Deregister what is not scaled any more: variants that are gone, and those told so.

    Return which. With them go their policies and scheduled actions, so that this is done when
    nothing can fail any more.
    """
    order, names = deployment.order, {variant.name for variant in deployment.order.variants}
    unwanted = [
        resource
        for resource in _former(deployment)
        if resource.variant_name not in names
        or (resource.variant_name in order.scaling and order.scaling[resource.variant_name] is None)
    ]
    for resource in unwanted:
        _deregister(deployment, desk, resource)
    return tuple(resource.variant_name for resource in unwanted)


def back(deployment: Deployment, desk: Desk) -> Ended:
    """Undo: put the former scaling back, and take off what was put on beside it."""
    former = deployment.scaling
    if former is None:
        return skipped(deployment, "nothing was suspended")
    before = _former(deployment)
    for target in registered(deployment.endpoint_name, desk):
        if target.resource not in before:
            _deregister(deployment, desk, target.resource)
    for target in former.targets:
        _resume(deployment, desk, target)
        policies = {p.name: p for p in former.policies if p.resource == target.resource}
        _put_policies_back(deployment, desk, target.resource, policies)
    if not former.targets:
        return skipped(deployment, "no variant was scaled")
    return Ended(deployment=deployment, text=f"scaling is as before for {_named(former)}")


def _put_policies_back(
    deployment: Deployment, desk: Desk, resource: Resource, former: dict[str, Policy]
) -> None:
    present = {policy.name: policy for policy in desk.scaling.policies(resource).records}
    for name in present.keys() - former.keys():
        if name == POLICY:
            desk.scaling.delete_policy(resource, name, deployment.actor)
    for name, policy in former.items():
        held = present.get(name)
        if held is None or (held.tracking, held.steps) != (policy.tracking, policy.steps):
            desk.scaling.put_policy(
                resource, name, deployment.actor, tracking=policy.tracking, steps=policy.steps
            )


def _resume(deployment: Deployment, desk: Desk, target: ScalableTarget) -> None:
    desk.scaling.register(
        target.resource,
        deployment.actor,
        least=target.least,
        most=target.most,
        suspended=_as(target.suspended),
        tags=target.tags,
    )


def _deregister(deployment: Deployment, desk: Desk, resource: Resource) -> None:
    try:
        desk.scaling.deregister(resource, deployment.actor)
    except ScalableTargetNotFound:
        return  # it was deregistered before control went


def _as(suspended: Suspended) -> Suspending:
    return Suspending(
        scale_in=suspended.scale_in,
        scale_out=suspended.scale_out,
        scheduled=suspended.scheduled,
    )


def _former(deployment: Deployment) -> dict[Resource, ScalableTarget]:
    targets = deployment.scaling.targets if deployment.scaling else ()
    return {target.resource: target for target in targets}


def _named(former: FormerScaling) -> str:
    return ", ".join(target.resource.variant_name for target in former.targets)
