"""BRING_UP, WAIT, CHECK: the endpoint is created or updated, until the new config serves.

An endpoint on the meter is created by its lease and the plan alone: the deployer buys the lease and
waits for the sweep. One that runs is updated, and its lease follows what it runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.domain.deploy.deployment import Found
from parkade.domain.deploy.naming import counts_of
from parkade.domain.deploy.steps import StepKind
from parkade.domain.endpoint import TRANSIENT, EndpointStatus
from parkade.domain.errors import Conflict, EndpointNotFound, LeaseNotFound, StartFailed
from parkade.domain.spans import duration
from parkade.services.deploying.configs import blueprint_of, same_fleet
from parkade.services.deploying.results import Ended, Waits, skipped
from parkade.services.deploying.settling import tag

if TYPE_CHECKING:
    from datetime import datetime

    from parkade.domain.deploy.deployment import Deployment
    from parkade.domain.lease import Lease
    from parkade.ports.provisioner import Present
    from parkade.services.deploying.desk import Desk


def bring_up(deployment: Deployment, desk: Desk) -> Ended:
    """Begin to create or to update the endpoint; where it is metered, pay for it first."""
    found = deployment.found or Found()
    return _update(deployment, desk, found) if found.config_name else _create(deployment, desk)


def _create(deployment: Deployment, desk: Desk) -> Ended:
    order, name = deployment.order, deployment.endpoint_name
    # First the tags: the event of its creation tells them.
    tag(deployment, desk)
    if not order.metered:
        desk.provisioner.create(name, deployment.config_name, deployment.actor)
        return Ended(deployment=deployment, text="it is being created, without a lease")
    lease = _let(deployment, desk, deployment.config_name)
    return Ended(
        deployment=deployment,
        text=f"{_left(lease, desk)}, so that the meter creates it from {lease.config_name}",
    )


def _update(deployment: Deployment, desk: Desk, found: Found) -> Ended:
    name, config_name = deployment.endpoint_name, deployment.config_name
    paid = ""
    if deployment.order.metered:
        paid = f"; {_left(_let(deployment, desk, found.lease_config or found.config_name), desk)}"
    present = desk.provisioner.look(name)
    if present is None:
        raise EndpointNotFound(f"endpoint {name!r} went meanwhile", hint="deploy again")
    observed = present.observed
    if config_name == observed.config_name:
        return skipped(deployment, f"it runs {config_name} already{paid}")
    reweighs = deployment.config is not None and same_fleet(
        present.blueprint, deployment.config, desk
    )
    text = (
        f"its weights and counts are being changed to those of {config_name}{paid}"
        if reweighs
        else f"it is being updated from {found.config_name} to {config_name}{paid}"
    )
    if config_name == observed.target_config_name or _failed_since(present, _begun(deployment)):
        return Ended(deployment=deployment, text=text)
    if observed.config_name != found.config_name:
        raise Conflict(
            f"somebody else updated endpoint {name!r} to {observed.config_name!r} meanwhile",
            hint="see what runs there, then deploy again",
        )
    keeps_counts = _keeps_counts(deployment, present)
    if reweighs:
        desk.provisioner.reweigh(name, config_name, deployment.actor, keeps_counts=keeps_counts)
        return Ended(deployment=deployment, text=text)
    desk.provisioner.update(
        name,
        config_name,
        deployment.actor,
        strategy=deployment.order.strategy,
        keeps_counts=keeps_counts,
    )
    return Ended(deployment=deployment, text=text)


def _keeps_counts(deployment: Deployment, present: Present) -> bool:
    """Tell whether the counts that run are those that are wanted, even if they change just now.

    Where one is out of its bounds, or has no instance and nothing to scale it out any more, or is
    to have another number, the counts of the new config are what it is brought up with.
    """
    order = deployment.order
    ordered = {each.name: each.instance_count for each in (*order.variants, *order.shadows)}

    def stays(name: str, count: int) -> bool:
        bounds = order.scaling.get(name)
        if bounds is not None:
            return bounds.clamped(count) == count
        if not order.keeps_counts:
            return ordered.get(name, count) == count
        return count > 0 or name not in order.scaling

    return all(stays(name, count) for name, count in counts_of(present.blueprint).items())


def _failed_since(present: Present, instant: datetime) -> bool:
    """Tell whether an update that was begun since then has failed already."""
    observed = present.observed
    return (
        observed.status is EndpointStatus.IN_SERVICE
        and bool(observed.failure_reason)
        and observed.changed_at > instant
    )


def _let(deployment: Deployment, desk: Desk, config_name: str) -> Lease:
    order = deployment.order
    return desk.meter.let(
        order.endpoint_name,
        config_name,
        amount=order.amount,
        owner=deployment.owner,
        actor=deployment.actor,
        key=deployment.id,
        revives=order.revives,
    )


def _left(lease: Lease, desk: Desk) -> str:
    return f"its lease has {duration(lease.time_left(desk.now()))} left"


def wait(deployment: Deployment, desk: Desk) -> Ended | Waits:
    """Wait until the endpoint is at rest. Raises StartFailed with what it failed of."""
    present = desk.provisioner.look(deployment.endpoint_name)
    if present is None:
        return _absent(deployment, desk)
    observed = present.observed
    if observed.status is EndpointStatus.FAILED:
        if deployment.creates and observed.changed_at < _begun(deployment):
            return Waits(text="the meter is to create it anew")
        raise StartFailed(f"endpoint {observed.name!r} is Failed: {observed.failure_reason}")
    if observed.status in TRANSIENT:
        return Waits(text=_progress(present))
    return Ended(deployment=deployment, text=f"it is {observed.status}")


def _absent(deployment: Deployment, desk: Desk) -> Waits:
    """Return what an endpoint that is not there waits for. Raises what keeps it away."""
    name, order = deployment.endpoint_name, deployment.order
    lease = desk.lease(name) if order.metered else None
    if lease is not None and lease.over(desk.now()):
        why = f": {lease.failure}" if lease.failure else ""
        raise Conflict(
            f"the lease of {name!r} is over ({lease.reason_over()}) before it was up{why}",
            hint="deploy again, with more minutes",
        )
    if not (deployment.creates and order.metered):
        raise EndpointNotFound(f"endpoint {name!r} went while it was deployed to")
    if lease is None:
        raise LeaseNotFound(f"the lease of {name!r} was removed while it was deployed to")
    if lease.refused_at is not None:
        raise StartFailed(f"endpoint {name!r} cannot be started: {lease.failure}")
    return Waits(text="the meter is to create it")


def _progress(present: Present) -> str:
    observed, rollout = present.observed, present.rollout
    text = f"it is {observed.status}"
    if observed.wanted:
        text += f": {observed.healthy} of {observed.wanted} instances answer"
    if rollout is not None:
        text += f"; {rollout.stage}, the new fleet has {float(rollout.share):.0%} of the requests"
    return text


def _begun(deployment: Deployment) -> datetime:
    """Return when bringing it up was begun."""
    return next(step.started_at for step in deployment.steps if step.kind is StepKind.BRING_UP)


def check(deployment: Deployment, desk: Desk) -> Ended:
    """Make sure that the new config serves. Raises StartFailed where another one does."""
    name, config_name = deployment.endpoint_name, deployment.config_name
    present = desk.provisioner.look(name)
    if present is None:
        raise EndpointNotFound(f"endpoint {name!r} went while it was deployed to")
    observed = present.observed
    if observed.config_name != config_name:
        why = observed.failure_reason or "it was not updated"
        raise StartFailed(f"endpoint {name!r} serves {observed.config_name}: {why}")
    if observed.status in TRANSIENT:
        raise Conflict(f"endpoint {name!r} is {observed.status} again: somebody else changes it")
    counts = counts_of(blueprint_of(name, desk))
    instances = ", ".join(f"{each} {count}" for each, count in counts.items())
    return Ended(
        deployment=deployment,
        text=f"{config_name} serves, with instances: {instances or 'serverless'}",
    )
