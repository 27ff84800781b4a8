"""What the host shows of what it keeps: to gateways, and to people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from parkade.domain.catalog import Routing
from parkade.runtime import furnishing
from parkade.runtime.endpoints import Endpoint

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from parkade.domain.blueprint import Blueprint
    from parkade.domain.catalog import Asynchronous, Capture, Container, Model, Variant
    from parkade.ports.catalog import RecordedComponent, RecordedEndpoint
    from parkade.runtime.components import Copies
    from parkade.runtime.fleets import Fleet
    from parkade.runtime.keeping import Keeper
    from parkade.runtime.places import InstanceState
    from parkade.runtime.premises import Premises
    from parkade.runtime.stranded import Stranded


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceView:
    """An instance that can be sent invocations."""

    id: str
    #: Of its containers, in their order.
    addresses: tuple[str, ...]
    variant_name: str
    #: The component whose copy it is; empty: it is its variant's.
    component_name: str = ""
    generation: int = 0
    #: What its first container was made from; None where that cannot be read.
    container: Container | None = None
    #: The folder for models, where it takes many.
    models: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantView:
    """A variant, or a component, with the instances of it that serve."""

    name: str
    weight: float
    instances: tuple[InstanceView, ...]
    random: bool = False
    #: Requests at a time for all instances together; None: as many as they take.
    concurrency: int | None = None
    #: Of a pipeline's containers, in their order.
    hostnames: tuple[str, ...] = ()
    direct: bool = False
    multi_model: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentView:
    """An inference component with the copies of it that serve."""

    variant_name: str
    route: VariantView


@dataclass(frozen=True, slots=True, kw_only=True)
class RisingView:
    """The generation that takes an endpoint over in stages: `weight` of `parts` requests are its."""

    generation: int
    weight: int
    parts: int
    variants: tuple[VariantView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetView:
    """Where an endpoint's invocations can be sent, and how."""

    variants: tuple[VariantView, ...]
    #: Which of its generations these are of.
    generation: int = 0
    #: None: no requests go to any other generation.
    rising: RisingView | None = None
    shadows: tuple[VariantView, ...] = ()
    #: By name; None: it hosts none, its variants serve.
    components: Mapping[str, ComponentView] | None = None
    capture: Capture | None = None
    asynchronous: Asynchronous | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointDescription:
    """An endpoint as it is recorded, and how many instances answer, by variant."""

    recorded: RecordedEndpoint
    #: Of the generation that serves.
    serving: Mapping[str, int]
    #: Of the one that is to take its place.
    rising: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentDescription:
    """An inference component as it is recorded, and how many copies of it answer."""

    recorded: RecordedComponent
    current_copies: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceStatus:
    """A worker as people see it. `pid` is None while it has no process."""

    id: str
    variant_name: str
    pid: int | None
    state: InstanceState
    started_at: datetime
    restarts: int
    log: Path
    component_name: str = ""
    generation: int = 1
    #: The instance that it is a container of, and its number there.
    instance: str = ""
    container: int = 0


class Views:
    """Makes views of what the premises hold."""

    def __init__(self, premises: Premises) -> None:
        self._premises = premises

    def serving(self, endpoint: Endpoint | Stranded) -> FleetView:
        """Return where the endpoint's invocations can be sent."""
        components = {each.name: self._component(each) for each in endpoint.components()}
        if not isinstance(endpoint, Endpoint):
            fleet = endpoint.fleet
            return FleetView(
                variants=tuple(self._unknown(fleet, group.name) for group in fleet.groups),
                components=components or None,
            )
        blueprint = endpoint.recorded.blueprint
        config = blueprint.config
        return FleetView(
            variants=self._shown(endpoint.fleet, blueprint, config.variants),
            generation=endpoint.fleet.generation,
            rising=self._rising(endpoint),
            shadows=self._shown(endpoint.fleet, blueprint, config.shadows),
            components=components if config.hosts_components else None,
            capture=config.capture,
            asynchronous=config.asynchronous,
        )

    def _rising(self, endpoint: Endpoint) -> RisingView | None:
        """Show what takes over, as soon as it gets requests."""
        rising, target, rollout = endpoint.rising, endpoint.recorded.target, endpoint.rollout
        if rising is None or target is None or rollout is None or not rollout.weight:
            return None
        return RisingView(
            generation=rising.generation,
            weight=rollout.weight,
            parts=rollout.parts,
            variants=self._shown(rising, target, target.config.variants),
        )

    def _shown(
        self, fleet: Fleet, blueprint: Blueprint, variants: Sequence[Variant]
    ) -> tuple[VariantView, ...]:
        models = {model.name: model for model in blueprint.models}
        return tuple(
            self._variant(fleet, variant, models.get(variant.model_name)) for variant in variants
        )

    def _unknown(self, fleet: Fleet, name: str) -> VariantView:
        """Show a variant of which nothing is known but its instances; all weigh the same."""
        return VariantView(name=name, weight=1.0, instances=self.instances(fleet, name, None))

    def _variant(self, fleet: Fleet, variant: Variant, model: Model | None) -> VariantView:
        return VariantView(
            name=variant.name,
            weight=variant.weight,
            instances=self.instances(fleet, variant.name, model),
            random=variant.routing is Routing.RANDOM,
            concurrency=variant.serverless.concurrency if variant.serverless else None,
            hostnames=_hostnames(model),
            direct=model is not None and model.direct,
            multi_model=model is not None and model.primary.multi_model,
        )

    def _component(self, copies: Copies) -> ComponentView:
        component = copies.recorded.component
        model = component.model
        fleet = copies.fleet
        return ComponentView(
            variant_name=component.variant_name,
            route=VariantView(
                name=component.name,
                weight=1.0,
                instances=self.instances(fleet, component.name, model) if copies.live else (),
                hostnames=_hostnames(model),
                direct=model.direct,
                multi_model=model.primary.multi_model,
            ),
        )

    def instances(self, fleet: Fleet, name: str, model: Model | None) -> tuple[InstanceView, ...]:
        """Return the instances of the group that serve."""
        return tuple(
            InstanceView(
                id=instance.id,
                addresses=instance.addresses,
                variant_name=instance.variant_name,
                component_name=instance.component_name,
                generation=instance.generation,
                container=model.primary if model else None,
                models=furnishing.models_of(instance.id, self._premises),
            )
            for instance in fleet.of(name)
            if instance.serves
        )


def _hostnames(model: Model | None) -> tuple[str, ...]:
    if model is None or len(model.containers) == 1:
        return ()
    return tuple(container.hostname for container in model.containers)


def workers(view: FleetView) -> tuple[InstanceView, ...]:
    """Return every instance that serves, of variants and components."""
    routes = [*view.variants, *view.shadows, *(view.rising.variants if view.rising else ())]
    routes += [component.route for component in (view.components or {}).values()]
    return tuple(instance for route in routes for instance in route.instances)


def described(endpoint: Endpoint) -> EndpointDescription:
    """Describe the endpoint."""
    return EndpointDescription(
        recorded=endpoint.recorded,
        serving=_healthy(endpoint.fleet),
        rising=_healthy(endpoint.rising) if endpoint.rising else {},
    )


def component(copies: Copies) -> ComponentDescription:
    """Describe the inference component."""
    return ComponentDescription(
        recorded=copies.recorded, current_copies=copies.fleet.healthy if copies.live else 0
    )


def _healthy(fleet: Fleet) -> Mapping[str, int]:
    return {
        group.name: sum(instance.serves for instance in fleet.of(group.name))
        for group in fleet.groups
    }


def statuses(keepers: Sequence[Keeper]) -> tuple[InstanceStatus, ...]:
    """Return how each worker is."""
    return tuple(
        InstanceStatus(
            id=place.record.id,
            variant_name=place.record.variant_name,
            pid=place.pid,
            state=place.state,
            started_at=place.record.started_at,
            restarts=place.restarts,
            log=place.log,
            component_name=place.record.component_name,
            generation=place.record.generation,
            instance=instance.id,
            container=place.record.container,
        )
        for keeper in keepers
        for instance in keeper.instances
        for place in instance.places
    )
