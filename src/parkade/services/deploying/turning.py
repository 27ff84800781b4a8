"""ROLL_BACK: what served before serves on, or what was created goes.

Time that was bought for an endpoint that serves on stays bought.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from parkade.domain.deploy.deployment import Found
from parkade.domain.endpoint import TRANSIENT, EndpointStatus
from parkade.domain.errors import Conflict, EndpointBusy, LeaseNotFound
from parkade.domain.rollout import Strategy
from parkade.services.deploying.configs import same_fleet
from parkade.services.deploying.results import Ended, Waits, undone_in_part

if TYPE_CHECKING:
    from parkade.domain.blueprint import Blueprint
    from parkade.domain.deploy.deployment import Deployment
    from parkade.services.deploying.desk import Desk

#: Statuses in which an update turns back by itself already.
_TURNING = frozenset({EndpointStatus.ROLLING_BACK, EndpointStatus.SYSTEM_UPDATING})


def roll_back(deployment: Deployment, desk: Desk) -> Ended | Waits:
    """Undo what BRING_UP has begun, and wait until that is done."""
    found = deployment.found or Found()
    if found.config_name:
        return _turn_back(deployment, desk, found)
    if deployment.order.metered:
        return _give_back(deployment, desk, found)
    return _remove(deployment, desk, found)


def _turn_back(deployment: Deployment, desk: Desk, found: Found) -> Ended | Waits:
    name, former = deployment.endpoint_name, found.config_name
    present = desk.provisioner.look(name)
    if present is None:
        return undone_in_part(deployment, "the endpoint is gone")
    observed = present.observed
    if observed.status in TRANSIENT:
        ours = deployment.config_name == observed.target_config_name
        if ours and observed.status not in _TURNING:
            # Where it is too late for that, it is updated back when it has arrived.
            with suppress(Conflict):
                desk.provisioner.roll_back(name, deployment.actor, deployment.reason)
        return Waits(text=f"it goes back to {former}; it is {observed.status}")
    if observed.status is EndpointStatus.FAILED:
        return undone_in_part(deployment, f"it is Failed: {observed.failure_reason}")
    if observed.config_name == former:
        _follow(deployment, desk, former)
        return Ended(deployment=deployment, text=f"{former} serves on")
    if observed.config_name == deployment.config_name:
        _update_back(deployment, desk, present.blueprint)
        return Waits(text=f"it is being updated back to {former}")
    return undone_in_part(
        deployment, f"it serves {observed.config_name}, to which somebody else has updated it"
    )


def _update_back(deployment: Deployment, desk: Desk, serving: Blueprint) -> None:
    """Begin to go back to the former config: on the same fleet, where that ran both."""
    name, former = deployment.endpoint_name, (deployment.found or Found()).config_name
    if same_fleet(serving, desk.provisioner.config(former), desk):
        desk.provisioner.reweigh(name, former, deployment.actor, keeps_counts=True)
        return
    desk.provisioner.update(name, former, deployment.actor, strategy=Strategy(), keeps_counts=True)


def _follow(deployment: Deployment, desk: Desk, former: str) -> None:
    """Have a lease that followed the new config name the former one again."""
    lease = desk.lease(deployment.endpoint_name)
    if lease is not None and lease.config_name == deployment.config_name:
        desk.meter.reconfigure(deployment.endpoint_name, former, actor=deployment.actor)


def _give_back(deployment: Deployment, desk: Desk, found: Found) -> Ended | Waits:
    """End the lease as it was before: gone, over, or of the former config."""
    name, actor = deployment.endpoint_name, deployment.actor
    if not found.lease_config:
        try:
            desk.meter.remove(name, actor=actor)
        except EndpointBusy as error:
            return Waits(text=error.message)
        except LeaseNotFound:
            pass  # it was removed before control went
        return _gone(deployment, desk, found, "its lease was removed")
    if not found.lease_over:
        desk.meter.reconfigure(name, found.lease_config, actor=actor)
        return Ended(deployment=deployment, text=f"its lease is for {found.lease_config} again")
    desk.meter.stop(name, actor=actor)
    desk.meter.reconfigure(name, found.lease_config, actor=actor)
    return _gone(deployment, desk, found, "its lease is over again")


def _remove(deployment: Deployment, desk: Desk, found: Found) -> Ended | Waits:
    try:
        desk.provisioner.remove(deployment.endpoint_name, deployment.actor)
    except EndpointBusy as error:
        return Waits(text=error.message)
    return _gone(deployment, desk, found, "it was created without a lease")


def _gone(deployment: Deployment, desk: Desk, found: Found, how: str) -> Ended | Waits:
    """Wait until the endpoint has gone; then only its former tags are left of it."""
    name = deployment.endpoint_name
    present = desk.provisioner.look(name)
    if present is not None:
        return Waits(text=f"{how}; it is {present.observed.status}, and goes")
    if desk.provisioner.tags(name) != found.tags:
        desk.provisioner.tag(name, found.tags, deployment.actor)
    return Ended(deployment=deployment, text=f"{how}; the endpoint is gone")
