"""LOOK: see what there is, and whether the order goes together with it.

An endpoint that is on its way somewhere is waited for, and one that sleeps is woken: what it runs,
and how much of it, is known once it is at rest.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from parkade.domain.deploy.deployment import Found
from parkade.domain.deploy.naming import counts_of
from parkade.domain.endpoint import TRANSIENT, EndpointStatus
from parkade.domain.errors import Conflict
from parkade.services.deploying.results import Ended, Waits

if TYPE_CHECKING:
    from parkade.domain.deploy.deployment import Deployment
    from parkade.domain.deploy.order import Order
    from parkade.domain.lease import Lease
    from parkade.ports.provisioner import Present
    from parkade.services.deploying.desk import Desk


def look(deployment: Deployment, desk: Desk) -> Ended | Waits:
    """Note what there is. Raises Conflict where the order does not go together with it."""
    order = deployment.order
    lease = desk.lease(order.endpoint_name)
    require_leave(order, lease, leases_only=desk.leases_only())
    present = desk.provisioner.look(order.endpoint_name)
    over = lease is not None and lease.over(desk.now())
    if over and not order.revives:
        raise Conflict(
            f"the lease of {order.endpoint_name!r} is over, and `revives` is false",
            hint=f"start it first: parkade start {order.endpoint_name}",
        )
    if (
        lease is not None
        and not over
        and (lease.asleep_at or (present and present.observed.asleep))
    ):
        return _woken(deployment, desk)
    if (wait := _in_between(order, present, lease, over=over)) is not None:
        return wait
    found = Found(
        tags=dict(desk.provisioner.tags(order.endpoint_name)),
        lease_config=lease.config_name if lease else "",
        lease_over=over,
    )
    if present is None or present.observed.status is EndpointStatus.FAILED:
        return Ended(deployment=replace(deployment, found=found), text=_nothing(present))
    counts = dict(counts_of(present.blueprint))
    found = replace(found, config_name=present.observed.config_name, counts=counts)
    instances = ", ".join(f"{name} {count}" for name, count in counts.items())
    text = f"it runs {found.config_name}, with instances: {instances or 'serverless'}"
    return Ended(deployment=replace(deployment, found=found), text=text)


def _woken(deployment: Deployment, desk: Desk) -> Waits:
    why = f"deployment {deployment.id} is to update it"
    if not desk.waking.ask(deployment.endpoint_name, why, actor=deployment.actor):
        raise Conflict(
            f"endpoint {deployment.endpoint_name!r} sleeps, and could not be woken",
            hint=f"wake it, then deploy again: parkade wake {deployment.endpoint_name}",
        )
    return Waits(text="it sleeps, and is being woken")


def require_leave(order: Order, lease: Lease | None, *, leases_only: bool) -> None:
    """Raise Conflict where the order and the endpoint's lease do not go together."""
    name = order.endpoint_name
    if order.metered:
        if lease is not None and order.owner not in {"", lease.owner}:
            raise Conflict(
                f"the lease of {name!r} is {lease.owner}'s, not {order.owner}'s",
                hint=f"name {lease.owner!r} as its owner, leave the owner out, or give the endpoint "
                "another name",
            )
        return
    if lease is not None:
        raise Conflict(
            f"metered is false, but {name!r} has a lease, which would stop it when it is over",
            hint=f"leave out metered, or remove the lease first: parkade remove {name}",
        )
    if leases_only:
        raise Conflict(
            f"metered is false, and this server runs no endpoint without a lease: {name!r}",
            hint="leave out metered, or have an administrator change `unmetered` in server.yaml",
        )


def _in_between(
    order: Order, present: Present | None, lease: Lease | None, *, over: bool
) -> Waits | None:
    """Return what has to happen before anything can be said of the endpoint."""
    if present is None:
        runs = lease is not None and not over and lease.refused_at is None
        return Waits(text="its lease runs, and it is being started") if runs else None
    status = present.observed.status
    if status in TRANSIENT:
        return Waits(text=f"it is {status}")
    if over:
        return Waits(text="its lease is over, and it is being stopped")
    if status is EndpointStatus.FAILED and not order.metered:
        raise Conflict(
            f"endpoint {order.endpoint_name!r} is Failed: {present.observed.failure_reason}",
            hint="delete it, then deploy again",
        )
    return None


def _nothing(present: Present | None) -> str:
    if present is None:
        return "there is no endpoint of this name: it is created"
    return f"it is Failed ({present.observed.failure_reason}): it is created anew"
