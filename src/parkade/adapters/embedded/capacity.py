"""The capacity port over the embedded host."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from parkade.domain.endpoint import SERVING, ComponentStatus, EndpointStatus
from parkade.domain.errors import InvalidInput
from parkade.domain.scaling.target import Resource
from parkade.ports.capacity import Readiness, Reading

if TYPE_CHECKING:
    from collections.abc import Mapping

    from parkade.domain.catalog import Variant
    from parkade.ports.catalog import RecordedEndpoint
    from parkade.runtime.host import Host
    from parkade.runtime.views import ComponentDescription, EndpointDescription


class EmbeddedCapacity:
    """The capacity port; to be used on the loop of the host."""

    def __init__(self, host: Host) -> None:
        self._host = host

    def read(self, resource: Resource) -> Reading:
        """Return the capacity of one."""
        if resource.component:
            component = self._host.component(resource.name)
            endpoints = self._host.descriptions()
            return _of_component(
                component, endpoints.get(component.recorded.component.endpoint_name)
            )
        described = self._host.description(resource.name)
        variants = described.recorded.blueprint.config.every
        variant = next((each for each in variants if each.name == resource.variant_name), None)
        if variant is None:
            raise InvalidInput(
                f"endpoint {resource.name!r} has no variant {resource.variant_name!r}",
                field="ResourceId",
                hint="its variants are " + ", ".join(each.name for each in variants),
            )
        if why := _fixed(described.recorded, variant):
            raise InvalidInput(f"{resource} {why}", field="ResourceId")
        return _of_variant(described, variant)

    def all(self) -> Mapping[str, Reading]:
        """Return the capacity of all that can be scaled, by resource id."""
        endpoints = self._host.descriptions()
        found = [
            _of_variant(described, variant)
            for described in endpoints.values()
            for variant in described.recorded.blueprint.config.every
            if not _fixed(described.recorded, variant)
        ]
        found += [
            _of_component(each, endpoints.get(each.recorded.component.endpoint_name))
            for each in self._host.components().values()
        ]
        return {each.resource.id: each for each in found}

    def set(self, wanted: Mapping[Resource, int], actor: str) -> None:
        """Begin to change the capacities of one endpoint's variants, or of one component."""
        for resource, count in wanted.items():
            if resource.component:
                component = self._host.component(resource.name).recorded.component
                self._host.update_component(replace(component, copies=count), actor)
        counts: dict[str, dict[str, int]] = {}
        for resource, count in wanted.items():
            if not resource.component:
                counts.setdefault(resource.name, {})[resource.variant_name] = count
        for endpoint_name, of_variants in counts.items():
            self._host.reweigh(endpoint_name, of_variants, {}, actor)


def _fixed(recorded: RecordedEndpoint, variant: Variant) -> str:
    """Return why a variant has no instances that could be counted; empty: it has."""
    if variant.serverless is not None:
        return "is serverless and has no instances to count"
    if recorded.blueprint.config.hosts_components:
        return "hosts inference components: what is scaled is their copies"
    return ""


def _of_variant(described: EndpointDescription, variant: Variant) -> Reading:
    recorded = described.recorded
    readiness, why = _readiness(recorded)
    return Reading(
        resource=Resource(recorded.name, variant.name),
        endpoint_name=recorded.name,
        readiness=readiness,
        current=described.serving.get(variant.name, 0),
        desired=variant.instance_count,
        changed_at=recorded.changed_at,
        awake_since=recorded.awake_since,
        why=why,
        floor=recorded.blueprint.config.fewest,
        failure=recorded.failure_reason,
    )


def _of_component(described: ComponentDescription, endpoint: EndpointDescription | None) -> Reading:
    recorded = described.recorded
    readiness, why = _copies_readiness(described, endpoint)
    return Reading(
        resource=Resource(recorded.name),
        endpoint_name=recorded.component.endpoint_name,
        readiness=readiness,
        current=described.current_copies,
        desired=recorded.component.copies,
        changed_at=recorded.changed_at,
        awake_since=endpoint.recorded.awake_since if endpoint else None,
        why=why,
        floor=0,
        failure=recorded.failure_reason,
    )


def _readiness(recorded: RecordedEndpoint) -> tuple[Readiness, str]:
    status = recorded.status
    if recorded.asleep_since is not None:
        how = "waking" if recorded.waking else "asleep"
        return Readiness.AWAY, f"endpoint {recorded.name!r} is {how}"
    if status is EndpointStatus.IN_SERVICE:
        return Readiness.READY, ""
    why = f"endpoint {recorded.name!r} is {status}"
    if status in SERVING:
        return Readiness.CHANGING, why
    return Readiness.AWAY, why


def _copies_readiness(
    described: ComponentDescription, endpoint: EndpointDescription | None
) -> tuple[Readiness, str]:
    recorded = described.recorded
    if endpoint is None:
        return Readiness.AWAY, f"its endpoint {recorded.component.endpoint_name!r} is not there"
    readiness, why = _readiness(endpoint.recorded)
    if readiness is Readiness.AWAY:
        return readiness, why
    if recorded.status is ComponentStatus.IN_SERVICE:
        # Copies are added while their endpoint changes, too.
        return Readiness.READY, ""
    why = f"inference component {recorded.name!r} is {recorded.status}"
    changing = recorded.status is ComponentStatus.UPDATING
    return Readiness.CHANGING if changing else Readiness.AWAY, why
