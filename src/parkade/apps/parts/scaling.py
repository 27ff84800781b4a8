"""What is scaled, between which bounds, by which policies; and the autoscaler that does it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from parkade.adapters.embedded.capacity import EmbeddedCapacity
from parkade.adapters.sqlite.scaling import SqliteScalingStore
from parkade.apps.control.autoscaler import AutoscalerLoop
from parkade.apps.sagemaker.arns import ACCOUNT
from parkade.domain.errors import NotFound, Unreadable
from parkade.domain.scaling.arns import policy_key
from parkade.services.autoscaler import Autoscaler
from parkade.services.scaling import Scaling
from parkade.services.scalingalarms import ScalingAlarms
from parkade.services.scalingmoves import Moves
from parkade.services.scalingsight import Certain, Looking
from parkade.services.timetables import Timetables

if TYPE_CHECKING:
    from collections.abc import Callable

    from parkade.adapters.sqlite.database import Database
    from parkade.apps.control.monitor.monitor import Monitor
    from parkade.apps.link import UsageReport
    from parkade.apps.parts.alarms import Alarming
    from parkade.apps.serverfile import ServerFile
    from parkade.domain.alarm import Alarm
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
    monitor: Monitor
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
    autoscaler: Autoscaler
    #: The only task that scales.
    loop: AutoscalerLoop

    def heard(self, alarm: Alarm) -> None:
        """Hear of an alarm that has changed, in whichever thread."""
        actions = (*alarm.alarm_actions, *alarm.ok_actions, *alarm.insufficient_data_actions)
        keys = {policy_key(action) for action in actions} - {""}
        self.loop.alarmed({key.split(":")[0] for key in keys})

    def used(self, usage: UsageReport) -> None:
        """Hear of what a gateway has counted."""
        self.loop.called(
            name
            for variants in usage.values()
            for name, used in variants.items()
            if used.component and used.no_capacity
        )


def build(ports: Ports) -> Autoscaling:
    """Build the services of this area."""
    store = SqliteScalingStore(ports.database)
    capacity = EmbeddedCapacity(ports.host)
    alarms = ScalingAlarms(
        ports.alarms.book,
        store,
        ports.clock,
        endpoint_of=lambda policy: _endpoint_of(policy, ports.catalog),
        region=lambda: ports.file().region,
        account=ACCOUNT,
    )
    moves = Moves(store, capacity, ports.clock)
    timetables = Timetables(store, clock=ports.clock, changed=lambda: loop.registered())  # noqa: PLW0108  it is made below
    autoscaler = Autoscaler(
        store,
        capacity,
        looking=Looking(
            ports.alarms.metric_store,
            ports.alarms.queries,
            alarms,
            lambda: _certain(ports.monitor),
        ),
        alarms=alarms,
        moves=moves,
        timetables=timetables,
        clock=ports.clock,
    )
    loop = AutoscalerLoop(autoscaler, ports.clock)
    ports.monitor.on_stored(loop.stored)
    return Autoscaling(
        book=Scaling(
            store,
            capacity,
            clock=ports.clock,
            alarms=alarms,
            moves=moves,
            changed=loop.registered,
        ),
        timetables=timetables,
        capacity=capacity,
        autoscaler=autoscaler,
        loop=loop,
    )


def _endpoint_of(policy: Policy, catalog: CatalogStore) -> str:
    """Return the endpoint of what a policy is for; of a component that is gone, its own name."""
    if not policy.resource.component:
        return policy.resource.name
    try:
        return catalog.component(policy.resource.name).component.endpoint_name
    except (NotFound, Unreadable):
        return policy.resource.name


def _certain(monitor: Monitor) -> Certain | None:
    whole = monitor.whole
    return Certain(since=whole[0], until=whole[1]) if whole is not None else None
