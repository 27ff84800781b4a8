"""What is told of scaling: one look at all capacities and at all that is stored about them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from parkade.apps.api.schemas.scaling import (
    ActivityView,
    CapacityView,
    CountView,
    PolicyAlarmView,
    PolicyView,
    ScalingView,
    ScheduledActionView,
)
from parkade.domain.errors import InvalidInput, ParkadeError
from parkade.domain.scaling.target import Resource

if TYPE_CHECKING:
    from collections.abc import Mapping

    from parkade.apps.assembly import Services
    from parkade.domain.scaling.policy import Policy
    from parkade.domain.scaling.target import ScalableTarget
    from parkade.ports.capacity import Reading

logger = logging.getLogger(__name__)

#: Activities that are told of an endpoint.
ACTIVITIES = 10


class Look:
    """One look; what cannot be seen now is left out, and logged."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._scaling = services.scaling
        self._readings = _seen(services)
        listing = self._scaling.book.targets()
        self._targets = {each.resource.id: each for each in listing.records}
        self._unreadable = listing.unreadable

    def counts(self, endpoint_name: str) -> list[CountView]:
        """Return how many there are of each variant, or inference component, of an endpoint."""
        return [
            CountView.of(each, self._targets.get(each.resource.id))
            for each in self._of(endpoint_name)
        ]

    def capacities(self, endpoint_name: str) -> list[CapacityView]:
        """Return how each of them is scaled, or that it is not."""
        there = {each.resource.id: each for each in self._of(endpoint_name)}
        views = [
            self._scaled(self._targets[id_])
            if id_ in self._targets
            else CapacityView.unscaled(each)
            for id_, each in there.items()
        ]
        absent = [each for each in self.scaled(endpoint_name) if each.id not in there]
        views += [self._scaled(self._targets[each.id]) for each in absent]
        return sorted(views, key=lambda each: each.resource_id)

    def view(self, endpoint_name: str) -> ScalingView:
        """Return all that is told of an endpoint's scaling."""
        capacities = self.capacities(endpoint_name)
        resources = [Resource.parse(each.resource_id) for each in capacities]
        found = [
            activity
            for each in resources
            for activity in self._scaling.book.activities(each, limit=ACTIVITIES)
        ]
        found.sort(key=lambda each: each.started_at, reverse=True)
        ids = tuple(f"{each.id}:" for each in resources)
        unreadable = {
            **{
                id_: why for id_, why in self._unreadable.items() if self._is_of(id_, endpoint_name)
            },
            **{
                key: why
                for listing in (self._scaling.book.policies(), self._scaling.timetables.all())
                for key, why in listing.unreadable.items()
                if key.startswith(ids)
            },
        }
        return ScalingView(
            endpoint_name=endpoint_name,
            capacities=capacities,
            activities=[ActivityView.of(each) for each in found[:ACTIVITIES]],
            unreadable=unreadable,
        )

    def scaled(self, endpoint_name: str) -> list[Resource]:
        """Return what of an endpoint is scaled, there or not."""
        return [
            each.resource
            for each in self._targets.values()
            if self._endpoint_of(each.resource) == endpoint_name
        ]

    def known(self, endpoint_name: str) -> bool:
        """Tell whether there is anything to scale of an endpoint, or anything that is scaled."""
        return bool(self._of(endpoint_name) or self.scaled(endpoint_name))

    def resource(self, endpoint_name: str, variant: str | None, component: str | None) -> Resource:
        """Return what is meant of an endpoint: what is named, or the only one that there is.

        Raises InvalidInput that names the others.
        """
        if variant is not None and component is not None:
            raise InvalidInput(
                "variant and component exclude each other", field="variant", hint="give one of them"
            )
        if variant is not None:
            return Resource.parse(f"endpoint/{endpoint_name}/variant/{variant}")
        if component is not None:
            found = Resource.parse(f"inference-component/{component}")
            if self._endpoint_of(found) not in {endpoint_name, ""}:
                raise InvalidInput(
                    f"inference component {component!r} is not one of endpoint {endpoint_name!r}",
                    field="component",
                )
            return found
        return self._only(endpoint_name)

    def _only(self, endpoint_name: str) -> Resource:
        there = [each.resource for each in self._of(endpoint_name)]
        found = list(dict.fromkeys([*there, *self.scaled(endpoint_name)]))
        if len(found) == 1:
            return found[0]
        if not found:
            raise InvalidInput(
                f"nothing of endpoint {endpoint_name!r} can be scaled now: it does not run, or all "
                "of it is serverless",
                field="variant",
                hint="start it first, or name the variant",
            )
        raise InvalidInput(
            f"endpoint {endpoint_name!r} has " + ", ".join(map(_name, found)),
            field="component" if found[0].component else "variant",
            hint="say which of them is meant",
        )

    def _of(self, endpoint_name: str) -> list[Reading]:
        return [each for each in self._readings.values() if each.endpoint_name == endpoint_name]

    def _is_of(self, resource_id: str, endpoint_name: str) -> bool:
        """Tell whether a resource of which no more is known is one of an endpoint."""
        reading = self._readings.get(resource_id)
        if reading is not None:
            return reading.endpoint_name == endpoint_name
        return resource_id.startswith(f"endpoint/{endpoint_name}/")

    def _endpoint_of(self, resource: Resource) -> str:
        """Return the endpoint of a resource; empty for a component that is gone."""
        if not resource.component:
            return resource.name
        reading = self._readings.get(resource.id)
        return reading.endpoint_name if reading else ""

    def _scaled(self, target: ScalableTarget) -> CapacityView:
        resource = target.resource
        shown = self._scaling.book.shown(resource)
        now = self._services.clock.now()
        policies = self._scaling.book.policies(resource).records
        alarms = self._scaling.book.alarms(policies)
        return CapacityView.of(
            target,
            shown.reading,
            shown.why,
            decision=shown.decision,
            policies=[PolicyView.of(each, self._alarms(each, alarms)) for each in policies],
            scheduled=[
                ScheduledActionView.of(each, now)
                for each in self._scaling.timetables.all(resource).records
            ],
        )

    def _alarms(
        self, policy: Policy, alarms: Mapping[str, tuple[str, ...]]
    ) -> list[PolicyAlarmView]:
        found = []
        for name in alarms[policy.key]:
            try:
                state = self._services.alarms.book.get(name).standing.state
            except ParkadeError as error:
                logger.warning("the state of alarm %s cannot be told: %s", name, error.message)
                continue
            found.append(PolicyAlarmView(name=name, state=state))
        return found


def _seen(services: Services) -> Mapping[str, Reading]:
    try:
        return services.scaling.capacity.all()
    except ParkadeError as error:
        logger.warning("capacities cannot be told: %s", error.message)
        return {}


def _name(resource: Resource) -> str:
    if resource.component:
        return f"inference component {resource.name!r}"
    return f"variant {resource.variant_name!r}"
