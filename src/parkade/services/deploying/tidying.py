"""TIDY: what deployments have left behind and nothing needs any more.

It fails no deployment: the new config serves, and what cannot be removed now is by the next one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.domain.deploy.deployment import Status
from parkade.domain.errors import ParkadeError, Unreadable
from parkade.services.deploying import scalings
from parkade.services.deploying.results import Ended, skipped

if TYPE_CHECKING:
    from parkade.domain.deploy.deployment import Deployment
    from parkade.services.deploying.desk import Desk

#: So many endpoint configs that deployments made stay with each endpoint, the present one included.
KEPT = 3


def tidy(deployment: Deployment, desk: Desk) -> Ended:
    """Deregister variants that are not scaled any more, and remove old endpoint configs."""
    said: list[str] = []
    if retired := scalings.retire(deployment, desk):
        said.append(f"no longer scaled: {', '.join(retired)}")
    removed: list[str] = []
    for name in superseded(deployment, desk):
        try:
            desk.provisioner.remove_config(name, deployment.actor)
        except ParkadeError as error:
            said.append(f"{name} stays: {error.message}")
        else:
            removed.append(name)
    if removed:
        said.append(f"old endpoint configs removed: {', '.join(removed)}")
    if not said:
        return skipped(deployment, "no old endpoint config is to be removed")
    return Ended(deployment=deployment, text="; ".join(said))


def superseded(deployment: Deployment, desk: Desk) -> list[str]:
    """Return the configs that deployments made for this endpoint and that nothing needs.

    Those that have served longest ago, but the last ones, and those that never have.
    """
    made: set[str] = set()
    served: dict[str, None] = {}
    for each in desk.deployments.all(deployment.endpoint_name).records:
        made |= {each.config_name} if each.made_config else set()
        if each.status is Status.SUCCEEDED:
            served.pop(each.config_name, None)  # one that serves again is as good as new
            served[each.config_name] = None
    theirs = made - {deployment.config_name} - needed(desk)
    former = [name for name in served if name in made and name != deployment.config_name]
    old = [name for name in former if desk.config(name) is not None][: 1 - KEPT]
    unused = [name for name in made if name not in served and desk.config(name) is not None]
    return [name for name in (*old, *sorted(unused)) if name in theirs]


def needed(desk: Desk) -> set[str]:
    """Return the configs that a lease or a booking is going to start an endpoint from.

    Raises Unreadable where that cannot be said: nothing is removed then.
    """
    leases, bookings = desk.meter.all(), desk.bookings.all()
    unreadable = {**leases.unreadable, **bookings.unreadable}
    for name, why in unreadable.items():
        raise Unreadable(f"{name} may need an endpoint config, and cannot be read: {why}")
    leased = {lease.config_name for lease in leases.leases}
    return leased | {booking.config_name for booking in bookings.records}
