"""The capacity port over SageMaker."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.adapters.aws.refusals import calling
from parkade.adapters.aws.sagemaker.meanings import meaning
from parkade.domain.endpoint import SERVING, ComponentStatus, EndpointStatus
from parkade.domain.errors import EndpointBusy, EndpointNotFound, InvalidInput
from parkade.domain.scaling.target import Resource
from parkade.ports.capacity import Readiness, Reading

if TYPE_CHECKING:
    from collections.abc import Mapping

    from parkade.adapters.aws.account import Account
    from parkade.adapters.aws.sagemaker.components import Components, Described
    from parkade.adapters.aws.sagemaker.sight import Part, Sight
    from parkade.adapters.aws.sagemaker.sights import Sights


class SageMakerCapacity:
    """The capacity port. Safe to use from several threads."""

    def __init__(self, account: Account, *, sights: Sights, components: Components) -> None:
        self._account = account
        self._sights = sights
        self._components = components

    def read(self, resource: Resource) -> Reading:
        """Return the capacity of one."""
        if resource.component:
            described = self._components.get(resource.name)
            host = self._sights.look(described.recorded.component.endpoint_name)
            return _of_component(described, host)
        seen = self._sights.look(resource.name)
        if seen is None:
            raise EndpointNotFound(
                f"no endpoint has the name {resource.name!r}", hint="see: parkade ls"
            )
        part = next((each for each in seen.parts if each.name == resource.variant_name), None)
        if part is None:
            raise InvalidInput(
                f"endpoint {resource.name!r} has no variant {resource.variant_name!r}",
                field="ResourceId",
                hint="its variants are " + ", ".join(each.name for each in seen.parts),
            )
        if why := _fixed(part):
            raise InvalidInput(f"{resource} {why}", field="ResourceId")
        return _of_part(seen, part)

    def all(self) -> Mapping[str, Reading]:
        """Return the capacity of all that can be scaled, by resource id."""
        sights = self._sights.all()
        found = [
            _of_part(seen, part)
            for seen in sights.values()
            for part in seen.parts
            if not _fixed(part)
        ]
        if any(part.hosts for seen in sights.values() for part in seen.parts):
            found += [
                _of_component(each, sights.get(each.recorded.component.endpoint_name))
                for each in self._components.all().records
            ]
        return {each.resource.id: each for each in found}

    def set(self, wanted: Mapping[Resource, int], actor: str) -> None:  # noqa: ARG002  CloudTrail tells
        """Begin to change the capacities of one endpoint's variants, or of one component."""
        for resource, count in wanted.items():
            reading = self.read(resource)
            if reading.readiness is not Readiness.READY:
                raise EndpointBusy(reading.why, hint="wait until it is at rest")
            _require(reading, count)
        for resource, count in wanted.items():
            if resource.component:
                self._components.copy(resource.name, count)
        counts: dict[str, dict[str, int]] = {}
        for resource, count in wanted.items():
            if not resource.component:
                counts.setdefault(resource.name, {})[resource.variant_name] = count
        for endpoint_name, of_variants in counts.items():
            with calling(f"the instances of {endpoint_name!r} cannot be changed", meaning):
                self._account.client("sagemaker").update_endpoint_weights_and_capacities(
                    EndpointName=endpoint_name,
                    DesiredWeightsAndCapacities=[
                        {"VariantName": name, "DesiredInstanceCount": count}
                        for name, count in of_variants.items()
                    ],
                )


def _require(reading: Reading, count: int) -> None:
    if count < reading.floor:
        raise InvalidInput(
            f"DesiredInstanceCount {count} of {reading.resource} is less than {reading.floor}",
            field="DesiredInstanceCount",
            hint="variants of asynchronous endpoints and inference components may have 0",
        )


def _fixed(part: Part) -> str:
    """Return why a variant has no instances that could be counted; empty: it has."""
    if part.serverless:
        return "is serverless and has no instances to count"
    if part.hosts:
        return "hosts inference components: what is scaled is their copies"
    return ""


def _of_part(seen: Sight, part: Part) -> Reading:
    readiness, why = _readiness(seen)
    return Reading(
        resource=Resource(seen.name, part.name),
        endpoint_name=seen.name,
        readiness=readiness,
        current=part.current if seen.status in SERVING else 0,
        desired=part.desired,
        changed_at=seen.changed_at,
        awake_since=seen.awake_since,
        why=why,
        floor=0 if seen.asynchronous else 1,
        failure=seen.failure_reason,
    )


def _of_component(described: Described, host: Sight | None) -> Reading:
    recorded = described.recorded
    readiness, why = _copies_readiness(described, host)
    return Reading(
        resource=Resource(recorded.name),
        endpoint_name=recorded.component.endpoint_name,
        readiness=readiness,
        current=described.current,
        desired=recorded.component.copies,
        changed_at=recorded.changed_at,
        awake_since=host.awake_since if host is not None else None,
        why=why,
        floor=0,
        failure=recorded.failure_reason,
    )


def _readiness(seen: Sight) -> tuple[Readiness, str]:
    if seen.status is EndpointStatus.IN_SERVICE:
        return Readiness.READY, ""
    why = f"endpoint {seen.name!r} is {seen.status}"
    return Readiness.CHANGING if seen.status in SERVING else Readiness.AWAY, why


def _copies_readiness(described: Described, host: Sight | None) -> tuple[Readiness, str]:
    recorded = described.recorded
    if host is None:
        return Readiness.AWAY, f"its endpoint {recorded.component.endpoint_name!r} is not there"
    readiness, why = _readiness(host)
    if readiness is Readiness.AWAY:
        return readiness, why
    if recorded.status is ComponentStatus.IN_SERVICE:
        return Readiness.READY, ""
    changing = recorded.status is ComponentStatus.UPDATING
    why = f"inference component {recorded.name!r} is {recorded.status}"
    return Readiness.CHANGING if changing else Readiness.AWAY, why
