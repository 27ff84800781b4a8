"""Capacities in a dictionary: what is set is so at once, or when told to arrive."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from parkade.domain.errors import (
    ComponentNotFound,
    Conflict,
    EndpointBusy,
    EndpointNotFound,
    InvalidInput,
    ResourceLimitExceeded,
)
from parkade.ports.capacity import Readiness

if TYPE_CHECKING:
    from collections.abc import Mapping

    from parkade.domain.scaling.target import Resource
    from parkade.ports.capacity import Reading
    from parkade.ports.clock import Clock


class MemoryCapacity:
    """The capacity port. With `slow` set, what is begun goes on until `arrive`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._readings: dict[str, Reading] = {}
        self._wanted: dict[Resource, int] = {}
        self.slow = False
        #: How many there can be of all together.
        self.room = 64
        #: What was set, in order.
        self.done: list[dict[Resource, int]] = []

    def put(self, reading: Reading) -> None:
        """Have a resource with this capacity."""
        self._readings[reading.resource.id] = reading

    def forget(self, resource: Resource) -> None:
        """Have the resource no more."""
        del self._readings[resource.id]

    def arrive(self, failure: str = "") -> None:
        """Bring what was begun to its end: as it was wanted, or as it was before."""
        for resource, count in self._wanted.items():
            reading = self._readings[resource.id]
            kept = reading.desired if failure else count
            self.put(
                replace(
                    reading,
                    desired=kept,
                    current=kept,
                    readiness=Readiness.READY,
                    why="",
                    failure=failure,
                    changed_at=self._clock.now(),
                )
            )
        self._wanted = {}

    def read(self, resource: Resource) -> Reading:
        """Return the capacity of one."""
        if resource.id not in self._readings:
            if resource.component:
                raise ComponentNotFound(f"there is no inference component {resource.name!r}")
            if any(each.endpoint_name == resource.name for each in self._readings.values()):
                raise InvalidInput(
                    f"endpoint {resource.name!r} has no variant {resource.variant_name!r}",
                    field="ResourceId",
                )
            raise EndpointNotFound(f"there is no endpoint {resource.name!r}")
        return self._readings[resource.id]

    def all(self) -> Mapping[str, Reading]:
        """Return the capacity of all."""
        return dict(self._readings)

    def set(self, wanted: Mapping[Resource, int], actor: str) -> None:  # noqa: ARG002  nobody asks here
        """Change the capacities."""
        for resource, count in wanted.items():
            reading = self.read(resource)
            if count < reading.floor:
                raise InvalidInput(
                    f"{resource} cannot have fewer than {reading.floor} instances",
                    field="DesiredInstanceCount",
                )
            if reading.readiness is Readiness.CHANGING:
                raise EndpointBusy(f"{reading.why} and cannot be changed now")
            if reading.readiness is Readiness.AWAY:
                raise Conflict(f"{reading.why} and cannot be changed")
        taken = {reading.resource: reading.desired for reading in self._readings.values()}
        if sum({**taken, **wanted}.values()) > max(self.room, sum(taken.values())):
            raise ResourceLimitExceeded(f"there is room for {self.room} in all")
        self.done.append(dict(wanted))
        for resource, count in wanted.items():
            self._wanted[resource] = count
            reading = self._readings[resource.id]
            if self.slow:
                why = f"{resource} is just being changed"
                self.put(replace(reading, readiness=Readiness.CHANGING, why=why))
        if not self.slow:
            self.arrive()
