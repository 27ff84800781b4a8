"""How an endpoint of a project goes: with its lease, whoever started it, and all made for it."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from parkade.domain.errors import Conflict, EndpointBusy, LeaseNotFound, NotFound
from parkade.domain.event import Event
from parkade.services.projects import endpointscaling

if TYPE_CHECKING:
    from parkade.services.deployer import Deployer
    from parkade.services.deploying.desk import Desk
    from parkade.services.projects.endpointconfigs import Configs
    from parkade.services.projects.keeper import Errand


def remove(name: str, errand: Errand, *, desk: Desk, deployer: Deployer, configs: Configs) -> None:
    """End the lease and the endpoint, its scaling, its bookings, its configs; terms go with them.

    Raises EndpointBusy until the endpoint is gone, to be asked again.
    """
    _call_off(name, errand, deployer)
    for booking in desk.bookings.all().records:
        if booking.endpoint_name == name:
            _cancel_booking(booking.id, name, errand, desk)
    endpointscaling.end(name, desk, errand.actor)
    try:
        desk.meter.remove(name, actor=errand.actor)
    except LeaseNotFound:
        desk.provisioner.remove(name, errand.actor)
    present = desk.provisioner.look(name)
    if present is not None:
        raise EndpointBusy(
            f"endpoint {name!r} is {present.observed.status}", hint="wait until it is gone"
        )
    if desk.provisioner.tags(name):
        desk.provisioner.tag(name, {}, errand.actor)
    configs.forget_all(name, errand)


def _call_off(name: str, errand: Errand, deployer: Deployer) -> None:
    """Have a deployment of it that is under way go back, and wait until it has."""
    for deployment in deployer.all(name).records:
        if deployment.over:
            continue
        with suppress(Conflict):  # it is at its end, or goes back already
            deployer.cancel(deployment.id, errand.actor)
        raise EndpointBusy(
            f"deployment {deployment.id} of endpoint {name!r} is called off",
            hint="wait until it is over",
        )


def _cancel_booking(booking_id: str, name: str, errand: Errand, desk: Desk) -> None:
    event = Event(
        at=desk.now(),
        kind="booking.removed",
        actor=errand.actor,
        reason=f"its endpoint is removed with the project {errand.project}",
        endpoint_name=name,
        data={"booking_id": booking_id},
    )
    try:
        desk.bookings.remove(booking_id, event)
    except NotFound:
        return  # it was cancelled meanwhile
