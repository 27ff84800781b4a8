"""What endpoints run on, as SageMaker tells it: counts and types, for instances have no names there.

Each gets one that stays: its endpoint's creation, its variant, its fleet, its number. What is there
counts from when its endpoint came to have it, as far as that was seen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.domain.cost import Instance
from parkade.domain.endpoint import EndpointStatus
from parkade.domain.errors import ComponentNotFound, Unreadable
from parkade.domain.price import Machine

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from parkade.adapters.aws.sagemaker.components import Components
    from parkade.adapters.aws.sagemaker.sight import Part, Sight
    from parkade.adapters.aws.sagemaker.sights import Sights
    from parkade.ports.clock import Clock

#: Statuses in which nothing is paid for.
_UNPAID = frozenset({EndpointStatus.FAILED, EndpointStatus.OUT_OF_SERVICE})


class SageMakerMachines:
    """The machines port."""

    def __init__(self, sights: Sights, components: Components, clock: Clock) -> None:
        self._sights = sights
        self._shelf = sights.shelf
        self._components = components
        self._clock = clock
        #: When an instance that came after its endpoint's creation was first seen, by id.
        self._since: dict[str, datetime] = {}

    def wanted(self, endpoint_name: str, config_name: str) -> Sequence[Machine]:
        """Return what the endpoint runs on, or would with this config."""
        seen = self._sights.look(endpoint_name)
        if seen is not None and seen.parts:
            return [
                Machine(
                    variant_name=part.name,
                    instance_type=part.instance_type,
                    count=1 if part.serverless else part.desired,
                    serverless=part.serverless,
                )
                for part in seen.parts
            ]
        return [
            Machine(
                variant_name=each.name,
                instance_type=each.instance_type,
                count=each.instance_count,
                serverless=each.serverless is not None,
            )
            for each in self._shelf.config(config_name).every
        ]

    def present(self) -> Sequence[Instance]:
        """Return every instance that exists."""
        known = {id.partition("/")[0] for id in self._since}  # noqa: A001
        sights = self._sights.all()
        found = [
            each for name, seen in sights.items() for each in self._of(seen, known=name in known)
        ]
        ids = {each.id for each in found}
        self._since = {id: since for id, since in self._since.items() if id in ids}  # noqa: A001
        return found

    def host_of(self, endpoint_name: str, name: str) -> str:
        """Return the variant that a component runs on, or the variant itself."""
        seen = self._sights.look(endpoint_name)
        if seen is None or not any(part.hosts for part in seen.parts):
            return name
        try:
            component = self._components.get(name).recorded.component
        except (ComponentNotFound, Unreadable):
            return name
        return component.variant_name if component.endpoint_name == endpoint_name else name

    def _of(self, seen: Sight, *, known: bool) -> Iterator[Instance]:
        if seen.status in _UNPAID:
            return
        fleets = (
            (seen.parts, seen.config_name, seen.generation),
            (seen.rising, seen.target_config_name, seen.generation + 1),
        )
        for parts, config_name, generation in fleets:
            since = self._begun(seen, first=generation == 1 and not known)
            yield from self._fleet(seen, parts, config_name, generation, since)

    def _fleet(
        self, seen: Sight, parts: Sequence[Part], config_name: str, generation: int, since: datetime
    ) -> Iterator[Instance]:
        for part in parts:
            # Those that leave are there until they are gone, and those that come are on their way.
            count = 1 if part.serverless else max(part.current, part.desired)
            for number in range(count):
                created = f"{seen.created_at.timestamp():.3f}"
                id = f"{seen.name}/{created}/{part.name}/{generation}/{number}"  # noqa: A001
                yield Instance(
                    id=id,
                    endpoint_name=seen.name,
                    variant_name=part.name,
                    instance_type=part.instance_type,
                    started_at=self._since.setdefault(id, since),
                    serverless=part.serverless,
                    config_name=config_name,
                    generation=generation,
                )

    def _begun(self, seen: Sight, *, first: bool) -> datetime:
        """Return when instances that are new here came: with their endpoint, or with its change."""
        since = seen.known_since or self._clock.now()
        return since if first else max(since, min(seen.changed_at, self._clock.now()))
