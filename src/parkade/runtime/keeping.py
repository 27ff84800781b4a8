"""What keeps instances: how they are taken down, together and without a request lost.

A `Lifecycle` decides when that is; what is `Stranded` is only ever taken down by an order.
"""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from parkade.runtime import leftovers
from parkade.runtime.fleets import Fleet, data_user

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from datetime import timedelta

    from parkade.runtime.groups import Group
    from parkade.runtime.instances import Instance
    from parkade.runtime.places import Failure, Place
    from parkade.runtime.premises import Premises

_logger = logging.getLogger(__name__)

#: Between two attempts at what must succeed in the end, such as a full disk that stops a deletion.
_AGAIN = 1.0


class Keeper(ABC):
    """Keeps a fleet that serves, one that may rise beside it, and instances that leave."""

    def __init__(self, premises: Premises, endpoint_name: str, *, gone: Callable[[], None]) -> None:
        """Take what it works with; `gone` is called when nothing of it is left."""
        self.endpoint_name = endpoint_name
        self._premises = premises
        self._gone = gone
        self.fleet = self._fleet(0, ())
        #: What is to take the fleet's place.
        self.rising: Fleet | None = None
        self._leaving: list[Instance] = []
        self._closing = False
        #: What is done at present about what runs.
        self._change: asyncio.Task[None] | None = None

    @property
    @abstractmethod
    def live(self) -> bool:
        """Whether it is to run."""

    @abstractmethod
    def _record_end(self) -> None:
        """Remove the record."""

    @property
    def instances(self) -> list[Instance]:
        """Every instance that has workers, or will."""
        kept = [instance for fleet in self._fleets for instance in fleet.instances]
        return [*kept, *self._leaving]

    @property
    def workers(self) -> int:
        """How many workers it may have now."""
        if not self.live:
            return sum(len(instance.places) for instance in self.instances)
        leaving = sum(len(instance.places) for instance in self._leaving)
        return leaving + sum(fleet.workers for fleet in self._fleets)

    @property
    def _fleets(self) -> tuple[Fleet, ...]:
        return (self.fleet, self.rising) if self.rising else (self.fleet,)

    def _fleet(self, generation: int, groups: Sequence[Group]) -> Fleet:
        return Fleet(self.endpoint_name, generation, groups, self._premises, self)

    def on_well(self) -> None:
        """Tell that more answers than before."""
        self._premises.changed()

    def on_failure(self, fleet: Fleet, place: Place, failure: Failure) -> None:
        """Tell that less answers than before; its place is kept."""
        del fleet, place, failure
        self._premises.changed()

    async def _remove(self) -> None:
        await self.take_down_all()
        self._record_end()
        self._gone()

    async def take_down_all(self) -> None:
        """Stop all instances at once; return when no process of them is left."""
        self._release_fleets()
        await self._take_down()
        for fleet in self._fleets:
            await self._premises.data.release(fleet.data_user)
        self.rising = None

    def _release_fleets(self) -> None:
        for fleet in self._fleets:
            self._leaving += fleet.release()

    async def _take_down(self) -> None:
        """Stop the instances that leave; return when no process of them is left.

        What they serve moves elsewhere first: nothing new is sent to a worker that is ending.
        """
        leaving = list(self._leaving)
        served = any(instance.serves for instance in leaving)
        for instance in leaving:
            instance.retire()
        if served:
            self._premises.changed()
            await self._premises.released()
        grace = self._grace()
        await asyncio.gather(*(instance.stop(grace) for instance in leaving))
        records = [place.record for instance in leaving for place in instance.places]
        if records:
            ids = {record.id for record in records}
            await leftovers.clear(self._premises.state_id, lambda m: m.instance_id in ids)
        if not self._closing:
            await self._release_data({data_user(record) for record in records})
        for instance in leaving:
            await instance.forget()
            self._leaving.remove(instance)

    @property
    def unhurried(self) -> bool:
        """Whether what leaves may take its time over what it was given, however long that takes."""
        return False

    def _grace(self) -> timedelta:
        """Return how long what leaves has to answer what it was given."""
        patience = self._premises.rules().patience
        if self._closing or not self.unhurried:
            return patience.grace
        silences = [each.silence for fleet in self._fleets for each in fleet.groups if each.silence]
        return max(patience.grace, patience.silence, *silences)

    async def _release_data(self, users: set[str]) -> None:
        """Let go of the data of generations of which nothing is left."""
        for user in users - {fleet.data_user for fleet in self._fleets}:
            await self._premises.data.release(user)

    async def close(self) -> None:
        """Stop everything; record and data stay, so that the next host goes on from them."""
        self._closing = True
        await self._halt_change()
        self._release_fleets()
        await self._take_down()

    async def abandon(self) -> None:
        """Look after it no longer and leave its workers running."""
        await self._halt_change()
        await asyncio.gather(*(instance.abandon() for instance in self.instances))

    async def _halt_change(self) -> None:
        if self._change is not None:
            self._change.cancel()
            await asyncio.wait([self._change])

    def _go(self, way: Callable[[], Awaitable[None]]) -> None:
        if self._change is not None:
            self._change.cancel()
        self._change = asyncio.create_task(self._insist(way), name=f"change {self.endpoint_name}")

    async def _insist(self, way: Callable[[], Awaitable[None]]) -> None:
        """Go the way, each step of which can be repeated, until it was gone to its end."""
        while True:
            try:
                await way()
            except Exception:
                _logger.exception("endpoint %s", self.endpoint_name)
                await asyncio.sleep(_AGAIN)
            else:
                return
