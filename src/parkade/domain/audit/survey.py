"""What an audit looks at: everything that there is, as of one instant, as plain values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime, timedelta

    from parkade.domain.blueprint import Blueprint, Component
    from parkade.domain.catalog import Container, EndpointConfig, Model
    from parkade.domain.endpoint import ObservedEndpoint
    from parkade.domain.ladder import Watch
    from parkade.domain.lease import Lease
    from parkade.domain.price import Sum
    from parkade.domain.scaling.policy import Policy
    from parkade.domain.scaling.target import ScalableTarget
    from parkade.domain.subscriber import Progress
    from parkade.domain.targets import TargetSetting


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What an alarm is on; names that its series do not tell are empty."""

    endpoint_name: str = ""
    variant_name: str = ""
    component_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """A process that carries the marker of this server's workers."""

    pid: int
    instance_id: str
    started_at: datetime
    #: Its memory in bytes.
    memory: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """What is left of an endpoint that can still be brought back."""

    removed_at: datetime
    blueprint: Blueprint


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """Everything that checks look at. A part that could not be read is empty, and in `unread`."""

    #: The clock of leases, and real time: processes and deliveries go by that.
    now: datetime
    wall: datetime
    #: How long a lease may be over before somebody is asked whether it is still wanted.
    stale_after: timedelta
    endpoints: Mapping[str, ObservedEndpoint] = field(default_factory=dict)
    leases: Mapping[str, Lease] = field(default_factory=dict)
    #: What each endpoint runs, or is updating to.
    blueprints: Mapping[str, Sequence[Blueprint]] = field(default_factory=dict)
    components: Mapping[str, Component] = field(default_factory=dict)
    configs: Mapping[str, EndpointConfig] = field(default_factory=dict)
    models: Mapping[str, Model] = field(default_factory=dict)
    #: Configs that bookings ahead name, by the booking's endpoint.
    booked: Mapping[str, Sequence[str]] = field(default_factory=dict)
    #: s3:// addresses of model data that are not there.
    absent: frozenset[str] = frozenset()
    remains: Mapping[str, Gone] = field(default_factory=dict)
    alarms: Mapping[str, Sequence[Watched]] = field(default_factory=dict)
    #: The keys of the scaling policies that alarms name in their actions, Parkade's own included.
    leading: Mapping[str, frozenset[str]] = field(default_factory=dict)
    #: Which alarms are Parkade's own.
    own_alarms: frozenset[str] = frozenset()
    #: What is scaled, by resource id, and its policies by their keys.
    scaled: Mapping[str, ScalableTarget] = field(default_factory=dict)
    policies: Mapping[str, Policy] = field(default_factory=dict)
    #: By resource id: the deployment that suspended its scaling, and came to no good end.
    suspended_by: Mapping[str, str] = field(default_factory=dict)
    #: Configs that deployments made, by name: the endpoint each was made for.
    deployed: Mapping[str, str] = field(default_factory=dict)
    #: Configs that deployments under way are to bring into service.
    deploying: frozenset[str] = frozenset()
    #: Configs that projects made ready for the meter to start endpoints from.
    ready: frozenset[str] = frozenset()
    routes: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    watches: Mapping[str, Watch] = field(default_factory=dict)
    targets: Sequence[TargetSetting] = ()
    processes: Sequence[Process] = ()
    #: Ids of the instances that are recorded.
    instances: frozenset[str] = frozenset()
    #: How delivery fares, and how many letters wait, by the name of the subscriber.
    progress: Mapping[str, Progress] = field(default_factory=dict)
    letters: Mapping[str, int] = field(default_factory=dict)
    #: What endpoints cost an hour, by name.
    hourly: Mapping[str, Sum] = field(default_factory=dict)
    #: Endpoints of which something is damaged: there is something of these names.
    damaged: frozenset[str] = frozenset()
    #: What could not be read, and why.
    unread: Mapping[str, str] = field(default_factory=dict)
    #: Parts (fields above) of which something could not be read: what is missing is not absent.
    #: `leases` that are merely damaged are known by name, and missing in `lease_terms`.
    partial: frozenset[str] = frozenset()

    def known(self, *parts: str) -> bool:
        """Tell whether all of these parts could be read, so that what is not in them is not there."""
        return self.partial.isdisjoint(parts)

    def exists(self, endpoint_name: str) -> bool:
        """Tell whether there is anything of the name: an endpoint, a lease, a booking."""
        return (
            endpoint_name in self.endpoints
            or endpoint_name in self.leases
            or endpoint_name in self.booked
            or endpoint_name in self.damaged
        )

    def variants(self, endpoint_name: str) -> frozenset[str] | None:
        """Return the variants of an endpoint, or of what its lease would start; None: not known."""
        blueprints = self.blueprints.get(endpoint_name)
        if blueprints:
            configs = [each.config for each in blueprints]
        else:
            lease = self.leases.get(endpoint_name)
            names = [lease.config_name] if lease else []
            names += self.booked.get(endpoint_name, ())
            if not names or not set(names) <= self.configs.keys():
                return None
            configs = [self.configs[name] for name in names]
        return frozenset(variant.name for config in configs for variant in config.every)

    def containers(self) -> Iterator[tuple[str, Container]]:
        """Give the containers of all models that configs name, with the name of the model."""
        named = {variant.model_name for config in self.configs.values() for variant in config.every}
        for name in sorted(named & self.models.keys()):
            for container in self.models[name].containers:
                yield name, container
