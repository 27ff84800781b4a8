"""Scaling of a project's endpoints, changed while they serve: no fleet, no config, no deployment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.domain.errors import ScalableTargetNotFound
from parkade.domain.scaling.target import Resource
from parkade.services.deploying.scalings import POLICY, registered

if TYPE_CHECKING:
    from parkade.domain.deploy.order import Order
    from parkade.services.deploying.desk import Desk


def change(order: Order, desk: Desk, actor: str) -> None:
    """Put every variant's scaling on or off as ordered; one that is not spoken of is left as it is.

    Where the endpoint does not run, that is how its next start is scaled.
    """
    held = {target.resource for target in registered(order.endpoint_name, desk)}
    names = {variant.name for variant in order.variants}
    for variant_name, ordered in order.scaling.items():
        resource = Resource(order.endpoint_name, variant_name)
        if ordered is None:
            if resource in held:
                _off(resource, desk, actor)
        else:
            desk.scaling.register(
                resource,
                actor,
                least=ordered.least,
                most=ordered.most,
                tags=order.all_tags,
                ahead=True,
            )
            desk.scaling.put_policy(resource, POLICY, actor, tracking=ordered.tracking)
    for resource in held:
        if resource.variant_name not in names:
            _off(resource, desk, actor)


def end(endpoint_name: str, desk: Desk, actor: str) -> None:
    """Deregister all variants, with their policies, the alarms of these, and scheduled actions."""
    for target in registered(endpoint_name, desk):
        _off(target.resource, desk, actor)


def _off(resource: Resource, desk: Desk, actor: str) -> None:
    try:
        desk.scaling.deregister(resource, actor)
    except ScalableTargetNotFound:
        return  # somebody else was quicker
