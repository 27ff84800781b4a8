"""What the steps of a deployment work with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from parkade.domain.errors import ConfigNotFound, LeaseNotFound

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from parkade.domain.catalog import EndpointConfig
    from parkade.domain.lease import Lease
    from parkade.ports.bookings import BookingStore
    from parkade.ports.clock import Clock
    from parkade.ports.deployments import DeploymentStore
    from parkade.ports.events import History
    from parkade.ports.notices import Notices
    from parkade.ports.provisioner import Provisioner
    from parkade.ports.scalingbook import ScalingBook
    from parkade.services.meter import Meter
    from parkade.services.terms import TermsBook
    from parkade.services.waking import Waking


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """The ports and services of the deployer."""

    deployments: DeploymentStore
    provisioner: Provisioner
    meter: Meter
    bookings: BookingStore
    terms: TermsBook
    waking: Waking
    scaling: ScalingBook
    history: History
    notices: Notices
    clock: Clock
    #: Whether this server runs no endpoint without a lease.
    leases_only: Callable[[], bool]

    def now(self) -> datetime:
        """Return the instant, on the clock of leases."""
        return self.clock.now()

    def lease(self, endpoint_name: str) -> Lease | None:
        """Return the endpoint's lease, if it has one. Raises Unreadable."""
        try:
            return self.meter.get(endpoint_name)
        except LeaseNotFound:
            return None

    def config(self, name: str) -> EndpointConfig | None:
        """Return the endpoint config, if there is one. Raises Unreadable."""
        try:
            return self.provisioner.config(name)
        except ConfigNotFound:
            return None
