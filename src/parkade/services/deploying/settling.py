"""SETTLE: the endpoint's tags, and when it sleeps."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from parkade.services.deploying.results import Ended, skipped

if TYPE_CHECKING:
    from parkade.domain.deploy.deployment import Deployment
    from parkade.domain.terms import Terms
    from parkade.services.deploying.desk import Desk


def settle(deployment: Deployment, desk: Desk) -> Ended:
    """Give the endpoint its tags, and its lease what was ordered about sleep."""
    order, said = deployment.order, []
    if tag(deployment, desk):
        said.append("tags: " + ", ".join(sorted(order.all_tags)))
    if order.sleep is not None or order.wake is not None:
        desk.terms.change(
            order.endpoint_name, deployment.actor, lambda terms: _with(terms, deployment)
        )
        said += [each.words() for each in (order.sleep, order.wake) if each is not None]
    if not said:
        return skipped(deployment, "its tags are as ordered")
    return Ended(deployment=deployment, text="; ".join(said))


def tag(deployment: Deployment, desk: Desk) -> bool:
    """Give the endpoint the order's tags beside its own; return whether it lacked any."""
    before = desk.provisioner.tags(deployment.endpoint_name)
    tags = {**before, **deployment.order.all_tags}
    if tags == before:
        return False
    desk.provisioner.tag(deployment.endpoint_name, tags, deployment.actor)
    return True


def _with(terms: Terms, deployment: Deployment) -> Terms:
    order = deployment.order
    sleep = terms.sleep
    if order.sleep is not None and (sleep is None or replace(sleep, since=None) != order.sleep):
        sleep = order.sleep
    return replace(terms, sleep=sleep, wake=order.wake or terms.wake)
