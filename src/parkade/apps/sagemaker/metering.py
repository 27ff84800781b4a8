"""What this API's orders mean for leases: an endpoint that is leased stays on its meter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.apps.wire.faults import invalid
from parkade.domain.errors import LeaseNotFound

if TYPE_CHECKING:
    from parkade.apps.sagemaker.call import Call
    from parkade.domain.lease import Lease

_REFUSE = "refuse"


def require_leave(call: Call, name: str, config_name: str) -> None:
    """Raise ValidationException where an endpoint may not be created, or would be stopped at once.

    Without a lease that is what the setting `unmetered` says.
    """
    lease = _lease(call, name)
    if lease is None:
        if call.services.file().unmetered == _REFUSE:
            raise invalid(
                f"Endpoint {name} has no lease, and this server runs no endpoint without one. "
                f"To do: parkade add {name} --config {config_name} --minutes 30."
            )
        return
    if lease.over(call.now):
        raise invalid(
            f"The lease of endpoint {name} is over ({lease.reason_over()}), so that it would be "
            f"stopped at once. To do: parkade extend {name} --minutes 30, which starts it."
        )
    if lease.config_name != config_name:
        raise invalid(
            f"Endpoint {name} is leased with endpoint configuration {lease.config_name}, and is "
            f"being started with it. To do: update it to {config_name} when it is InService."
        )


def end(call: Call, name: str) -> None:
    """End the lease of an endpoint that is deleted by order, so that no sweep brings it back."""
    if _lease(call, name) is not None:
        call.services.meter.stop(name, actor=call.actor)


def _lease(call: Call, name: str) -> Lease | None:
    try:
        return call.services.meter.get(name)
    except LeaseNotFound:
        return None
