"""What is scaled, between which bounds, by which policies; and the autoscaler that does it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from parkade.adapters.embedded.capacity import EmbeddedCapacity
from parkade.adapters.sqlite.scaling import SqliteScalingStore
from parkade.apps.sagemaker.arns import ACCOUNT
from parkade.domain.errors import NotFound
from parkade.services.scaling import Scaling
from parkade.services.scalingalarms import ScalingAlarms
from parkade.services.scalingmoves import Moves
from parkade.services.timetables import Timetables

if TYPE_CHECKING:
    from collections.abc import Callable

    from parkade.adapters.sqlite.database import Database
    from parkade.apps.parts.alarms import Alarming
    from parkade.apps.serverfile import ServerFile
    from parkade.domain.scaling.policy import Policy
    from parkade.ports.capacity import Capacity
    from parkade.ports.catalog import CatalogStore
    from parkade.ports.clock import Clock
    from parkade.runtime.host import Host


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """What scaling works with."""

    database: Database
    catalog: CatalogStore
    host: Host
    clock: Clock
    alarms: Alarming
    file: Callable[[], ServerFile]


@dataclass(frozen=True, slots=True, kw_only=True)
class Autoscaling:
    """The services of this area."""

    #: What is registered; to be used on the loop of the host.
    book: Scaling
    #: Scheduled actions.
    timetables: Timetables
    #: How many there are and are to be, scaled or not; to be used on the loop of the host.
    capacity: Capacity


def build(ports: Ports) -> Autoscaling:
    """Build the services of this area."""
    store = SqliteScalingStore(ports.database)
    capacity = EmbeddedCapacity(ports.host)

    def endpoint_of(policy: Policy) -> str:
        if not policy.resource.component:
            return policy.resource.name
        try:
            return ports.catalog.component(policy.resource.name).component.endpoint_name
        except NotFound:
            return policy.resource.name

    alarms = ScalingAlarms(
        ports.alarms.book,
        store,
        ports.clock,
        endpoint_of=endpoint_of,
        region=lambda: ports.file().region,
        account=ACCOUNT,
    )
    moves = Moves(store, capacity, ports.clock)
    return Autoscaling(
        book=Scaling(store, capacity, clock=ports.clock, alarms=alarms, moves=moves),
        timetables=Timetables(store, clock=ports.clock),
        capacity=capacity,
    )
