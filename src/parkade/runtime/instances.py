"""An instance: one worker for each container of its model, of which all have to answer."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from parkade.runtime.places import InstanceState

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from parkade.ports.catalog import RecordedInstance
    from parkade.runtime.places import Place


class Instance:
    """Places that serve together; `id` is the name that their records share."""

    def __init__(self, places: Sequence[Place]) -> None:
        self.places = tuple(places)
        first = places[0].record
        self.id = shared_name(first)
        self.variant_name = first.variant_name
        self.component_name = first.component_name
        self.group_name = places[0].group_name
        self.generation = first.generation
        self.started_at = first.started_at

    @property
    def state(self) -> InstanceState:
        """What all of it is doing: running if every worker is."""
        states = {place.state for place in self.places}
        for state in (InstanceState.STOPPING, InstanceState.RESTARTING, InstanceState.STARTING):
            if state in states:
                return state
        return InstanceState.RUNNING

    @property
    def serves(self) -> bool:
        """Whether requests can be sent to it."""
        return self.state is InstanceState.RUNNING

    @property
    def proven(self) -> bool:
        """Whether each of its places has had a worker that was well."""
        return all(place.proven for place in self.places)

    @property
    def addresses(self) -> tuple[str, ...]:
        """Where its workers answer, in the order of containers."""
        return tuple(place.address for place in self.places)

    def retire(self) -> None:
        """Keep its workers running no longer; they go on until `stop`."""
        for place in self.places:
            place.retire()

    async def stop(self, grace: timedelta) -> None:
        """Retire it; return once its workers are gone."""
        await asyncio.gather(*(place.stop(grace) for place in self.places))

    async def forget(self) -> None:
        """Remove what only it has used, and its records; its logs stay."""
        for place in self.places:
            await place.forget()

    async def abandon(self) -> None:
        """Look after it no longer and leave its workers running."""
        await asyncio.gather(*(place.abandon() for place in self.places))


def shared_name(record: RecordedInstance) -> str:
    """Return the name of the instance that a worker belongs to."""
    return record.instance or record.id
