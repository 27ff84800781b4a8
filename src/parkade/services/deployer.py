"""The deployer: creates or updates endpoints with their scaling, step by step, resumable.

A deployment is a stored record; what carries it out is a task that can end at any moment, with its
process, and that the next process begins again. There is one running deployment for an endpoint.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from parkade.domain.deploy.deployment import Deployment, Status
from parkade.domain.deploy.steps import StepKind, stoppable
from parkade.domain.errors import Conflict, DeploymentNotFound, Unreadable
from parkade.domain.event import Event
from parkade.services.contention import contended
from parkade.services.deploying.looking import require_leave
from parkade.services.deploying.walk import Walk
from parkade.services.keys import identifier
from parkade.services.runners import Runners

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from parkade.domain.budget import Budget
    from parkade.domain.catalog import EndpointConfig
    from parkade.domain.deploy.order import Order
    from parkade.domain.deploy.rehearsal import Rehearsal
    from parkade.ports.catalog import Listing
    from parkade.services.deploying.desk import Desk
    from parkade.services.deploying.rehearsing import Rehearsing
    from parkade.services.runners import Carrier

logger = logging.getLogger(__name__)


class Deployer:
    """Takes orders, and has them carried out in the background. For one event loop."""

    def __init__(
        self,
        desk: Desk,
        *,
        rehearsing: Rehearsing,
        spawn: Callable[[Coroutine[object, object, object]], None],
        changed: Callable[[], None],
        carrier: Carrier | None = None,
    ) -> None:
        """Take what it works with; `spawn` runs a task, `changed` is called after every write.

        With a `carrier` deployments are carried out by that, and by no task of this process.
        """
        self._desk = desk
        self._rehearsing = rehearsing
        self._changed = changed
        self._runners: Carrier = carrier or Runners(
            Walk(desk).advance,
            noun="deployment",
            gone=DeploymentNotFound,
            clock=desk.clock,
            spawn=spawn,
            changed=changed,
        )

    def begin(self, order: Order, actor: str, *, key: str | None = None) -> Deployment:
        """Begin to carry an order out; returns at once.

        A `key` (of the actor) makes an order that is repeated count once: its deployment is
        returned, however it stands.

        Raises InUse where a deployment of the endpoint is running, naming it, and Conflict where
        the order does not go together with the endpoint's lease or the server's settings, or the
        key was used for another order. Raises InvalidInput and BudgetExceeded where the time that it
        would buy is refused already.
        """
        desk = self._desk
        deployment_id = identifier(actor, key)
        if key is not None and (made := self._made_before(deployment_id, order)) is not None:
            return made
        self._runners.require_able()
        lease = desk.lease(order.endpoint_name)
        require_leave(order, lease, leases_only=desk.leases_only())
        self._rehearsing.require_paid(order, actor)
        now = desk.now()
        deployment = Deployment(
            id=deployment_id,
            order=order,
            actor=actor,
            owner=order.owner or (lease.owner if lease else actor),
            status=Status.RUNNING,
            begun_at=now,
        )
        stored = desk.deployments.put(
            deployment, _event(deployment, "begun", "it is being deployed", actor, desk)
        )
        self._runners.carry_out(stored.id)
        self._changed()
        return stored

    def get(self, deployment_id: str) -> Deployment:
        """Return the deployment. Raises DeploymentNotFound or Unreadable."""
        return self._desk.deployments.get(deployment_id)

    def all(self, endpoint_name: str | None = None) -> Listing[Deployment]:
        """Return all deployments, or those of an endpoint, oldest first, unreadable ones apart."""
        return self._desk.deployments.all(endpoint_name)

    def require_payable(
        self, order: Order, config: EndpointConfig, budget: Budget | None = None
    ) -> None:
        """Raise InvalidInput or BudgetExceeded where the lease of a new endpoint cannot be bought.

        `budget` is what its owner is given before; None: what the owner has.
        """
        self._rehearsing.require_payable(order, config, budget)

    def rehearse(self, order: Order, actor: str) -> Rehearsal:
        """Return what the order would do, with its price and what is wrong; changes nothing."""
        return self._rehearsing.rehearse(order, actor)

    @contended
    def cancel(self, deployment_id: str, actor: str) -> Deployment | None:
        """Call it off: what it has begun is undone. Asked again, it goes on with that.

        Raises DeploymentNotFound, and Conflict where it is over, or being undone already. One that
        cannot be read is forgotten, None, so that the endpoint can be deployed to again; what it
        had begun stays as it is.
        """
        try:
            deployment = self.get(deployment_id)
        except Unreadable as error:
            self._forget(deployment_id, error, actor)
            return None
        if deployment.cancelled_by:
            return deployment
        if deployment.over or not stoppable(deployment.steps):
            raise Conflict(
                f"deployment {deployment_id} {_standing(deployment)}, and cannot be called off"
            )
        stored = self._desk.deployments.put(
            replace(deployment, cancelled_by=actor),
            _event(deployment, "called_off", f"{actor} called it off", actor, self._desk),
        )
        self._runners.carry_out(deployment_id)
        self._changed()
        return stored

    @contended
    def resume(self, deployment_id: str, actor: str) -> Deployment:
        """Go on with a deployment now, without the pause after a temporary error.

        Raises DeploymentNotFound, Unreadable, and Conflict where it is over.
        """
        deployment = self.get(deployment_id)
        if deployment.over:
            raise Conflict(
                f"deployment {deployment_id} {_standing(deployment)}; there is nothing to resume",
                hint="deploy again, as a new deployment",
            )
        hurried = deployment.hurried()
        if hurried != deployment:
            deployment = self._desk.deployments.put(
                hurried, _event(deployment, "resumed", f"{actor} resumed it", actor, self._desk)
            )
        self._runners.carry_out(deployment_id)
        return deployment

    def promote(self, deployment_id: str, actor: str) -> Deployment:
        """Have the new fleet take all requests now. Raises Conflict where no update is under way."""
        deployment = self._updating(deployment_id)
        self._desk.provisioner.promote(deployment.endpoint_name, actor)
        self._tell(deployment, "promoted", f"{actor} had the new fleet take all requests", actor)
        return self.get(deployment_id)

    def roll_back(self, deployment_id: str, actor: str) -> Deployment:
        """Have the old fleet take all requests again, so that the deployment fails.

        Raises Conflict where no update is under way.
        """
        deployment = self._updating(deployment_id)
        reason = f"by deployment {deployment_id}'s order"
        self._desk.provisioner.roll_back(deployment.endpoint_name, actor, reason)
        self._tell(deployment, "rolled_back", f"{actor} rolled it back", actor)
        return self.get(deployment_id)

    def start(self) -> None:
        """Go on with every deployment that is running, as a process does that has just begun."""
        running = self._desk.deployments.running()
        for deployment in running.records:
            self._runners.carry_out(deployment.id)
        for deployment_id, why in running.unreadable.items():
            logger.error("deployment %s is not resumed: %s", deployment_id, why)

    def nudge(self) -> None:
        """Have all deployments look again: something has changed."""
        self._runners.nudge()

    def _made_before(self, deployment_id: str, order: Order) -> Deployment | None:
        """Return the deployment that an earlier request with the same key made."""
        try:
            made = self.get(deployment_id)
        except DeploymentNotFound:
            return None
        if made.order != order:
            raise Conflict(
                f"the Idempotency-Key was used for another deployment, {deployment_id} of "
                f"{made.endpoint_name!r}",
                hint="use a new key for a new request",
            )
        return made

    def _updating(self, deployment_id: str) -> Deployment:
        deployment = self.get(deployment_id)
        step = deployment.step
        if deployment.creates or step is None or step.kind is not StepKind.WAIT:
            raise Conflict(
                f"deployment {deployment_id} {_standing(deployment)}: no update is under way",
                hint="both fleets are there in the step `wait` of an update alone",
            )
        return deployment

    def _forget(self, deployment_id: str, error: Unreadable, actor: str) -> None:
        event = Event(
            at=self._desk.now(),
            kind="deployment.forgotten",
            actor=actor,
            reason=f"{error.message}; what it had begun stays as it is",
            data={"deployment": deployment_id},
        )
        self._desk.deployments.remove(deployment_id, event)
        self._changed()

    def _tell(self, deployment: Deployment, verb: str, reason: str, actor: str) -> None:
        self._desk.history.append(_event(deployment, verb, reason, actor, self._desk))
        self._runners.carry_out(deployment.id)
        self._changed()


def _event(deployment: Deployment, verb: str, reason: str, actor: str, desk: Desk) -> Event:
    return Event(
        at=desk.now(),
        kind=f"deployment.{verb}",
        actor=actor,
        reason=reason,
        endpoint_name=deployment.endpoint_name,
        owner=deployment.owner,
        data={"deployment": deployment.id, "status": deployment.status},
    )


def _standing(deployment: Deployment) -> str:
    if deployment.over:
        return f"is over ({deployment.status})"
    step = deployment.step
    return f"is in its step {step.kind}" if step else "is running"
