"""The instances of one generation: of an endpoint's variants, or of a component's copies.

A fleet starts what is wanted and keeps it running; what becomes of those that it serves, and
when, is decided by the `Lifecycle` that has it.
"""

from __future__ import annotations

import asyncio
import uuid
from functools import partial
from typing import TYPE_CHECKING, Protocol

from parkade.domain.errors import StartFailed
from parkade.ports.catalog import RecordedInstance
from parkade.runtime import groups as grouping
from parkade.runtime.instances import Instance, shared_name
from parkade.runtime.places import Place
from parkade.runtime.preparation import Preparation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from parkade.domain.catalog import Container
    from parkade.runtime.groups import Group
    from parkade.runtime.places import Failure, Found
    from parkade.runtime.premises import Premises


def data_user(record: RecordedInstance) -> str:
    """Return the name under which a worker's fleet holds model data."""
    return f"{record.endpoint_name}/{record.component_name}/{record.generation}"


class Listener(Protocol):
    """Hears how the workers of a fleet do."""

    def on_well(self) -> None:
        """Take note that a worker answers."""
        ...

    def on_failure(self, fleet: Fleet, place: Place, failure: Failure) -> None:
        """Take note that a worker ended, or could not be started."""
        ...


class Fleet:
    """Keeps instances; `groups` says which and how many."""

    def __init__(
        self,
        endpoint_name: str,
        generation: int,
        groups: Sequence[Group],
        premises: Premises,
        listener: Listener,
    ) -> None:
        self.generation = generation
        self.groups = tuple(groups)
        self.instances: list[Instance] = []
        self._endpoint_name = endpoint_name
        self._premises = premises
        self._listener = listener
        self._preparations: dict[tuple[str, int], Preparation] = {}
        self._foreseeing: asyncio.Task[None] | None = None

    @property
    def data_user(self) -> str:
        """The name under which it holds model data."""
        component = next((group.component_name for group in self.groups), "")
        return f"{self._endpoint_name}/{component}/{self.generation}"

    @property
    def wanted(self) -> int:
        """How many instances are to run."""
        return sum(group.count for group in self.groups)

    @property
    def healthy(self) -> int:
        """How many instances answer."""
        return sum(instance.serves for instance in self.instances)

    @property
    def whole(self) -> bool:
        """Whether every instance that is wanted answers."""
        return self.healthy >= self.wanted

    @property
    def workers(self) -> int:
        """How many workers it has, or will have."""
        present = sum(len(instance.places) for instance in self.instances)
        return max(present, grouping.workers(self.groups))

    def of(self, group_name: str) -> list[Instance]:
        """Return the instances of a group."""
        return [each for each in self.instances if each.group_name == group_name]

    def group(self, name: str) -> Group | None:
        """Return the group of this name."""
        return next((group for group in self.groups if group.name == name), None)

    def adopt(self, found: Sequence[Found], *, served: bool) -> list[Found]:
        """Go on with workers that were found; `served` says that they were well when left.

        Returns those that have no place here.
        """
        homeless: list[Found] = []
        for name, together in _by_instance(found).items():
            record = together[0].record
            group = self.group(record.component_name or record.variant_name)
            if group is None:
                homeless += together
            else:
                self._adopt(group, name, together, served=served)
        return homeless

    def _adopt(self, group: Group, name: str, found: Sequence[Found], *, served: bool) -> None:
        by_container = {each.record.container: each for each in found}
        for container, each in by_container.items():
            self._prepare(group, container, each)
        places = []
        for container in range(group.size):
            here = by_container.get(container)
            place = self._place(group, container, name, here.record if here else None)
            places.append(place)
            if here:
                place.adopt(here, served=served)
            else:
                place.begin()
        self.instances.append(Instance(places))

    def strays(self, found: Sequence[Found]) -> list[Instance]:
        """Return instances of workers that were found, which nothing keeps running."""
        return [Instance([self._stray(e) for e in each]) for each in _by_instance(found).values()]

    def _stray(self, found: Found) -> Place:
        preparation = Preparation(self._premises, _forgotten, user="")
        place = self._watched(found.record, preparation, None)
        place.hold(found)
        return place

    def fill(self) -> None:
        """Start the instances that are wanted and not there."""
        for group in self.groups:
            for _ in range(group.count - len(self.of(group.name))):
                name = uuid.uuid4().hex[:12]
                places = [
                    self._place(group, container, name, None) for container in range(group.size)
                ]
                for place in places:
                    place.begin()
                self.instances.append(Instance(places))

    async def foresee(self) -> None:
        """Have it known what it would start, unless it is let go of meanwhile."""
        task = self._foreseeing = asyncio.create_task(self._foresee())
        try:
            await asyncio.wait([task])
        finally:
            task.cancel()
            await asyncio.wait([task])
        if not task.cancelled():
            task.result()

    async def _foresee(self) -> None:
        premises = self._premises
        for group in self.groups:
            for number in range(group.size):
                log = premises.paths.logs / self._endpoint_name / f"{group.name}-preparation.log"
                launch = await self._prepare(group, number).foresee(log)
                if launch is not None:
                    await premises.standbys.expect(launch)

    def surplus(self) -> list[Instance]:
        """Let go of the instances that are more than wanted: first those that do not serve.

        Of those that do, the newest.
        """
        leaving = []
        for group in self.groups:
            ranked = sorted(
                self.of(group.name), key=lambda each: (not each.serves, each.started_at)
            )
            leaving += ranked[group.count :]
        self.instances = [each for each in self.instances if each not in leaving]
        return leaving

    def release(self) -> list[Instance]:
        """Let go of all instances, and of what might have been started."""
        if self._foreseeing is not None:
            # Or it took data up for a fleet whose data has been let go of.
            self._foreseeing.cancel()
        leaving, self.instances = self.instances, []
        return leaving

    def _place(
        self, group: Group, container: int, name: str, record: RecordedInstance | None
    ) -> Place:
        if record is None:
            alone = group.size == 1
            record = RecordedInstance(
                id=name if alone else uuid.uuid4().hex[:12],
                endpoint_name=self._endpoint_name,
                variant_name=group.variant_name,
                started_at=self._premises.clock.now(),
                generation=self.generation,
                instance="" if alone else name,
                container=container,
                component_name=group.component_name,
            )
            self._premises.store.put_instance(record)
        return self._watched(record, self._prepare(group, container), group)

    def _watched(
        self, record: RecordedInstance, preparation: Preparation, group: Group | None
    ) -> Place:
        return Place(
            record,
            self._premises,
            preparation,
            startup=group.startup if group else None,
            silence=group.silence if group else None,
            well=self._listener.on_well,
            failed=partial(self._listener.on_failure, self),
        )

    def _prepare(self, group: Group, container: int, found: Found | None = None) -> Preparation:
        """Return what prepares the group's containers of this number, the same for all."""
        key = group.name, container
        if key not in self._preparations:
            self._preparations[key] = Preparation(
                self._premises,
                partial(group.container, container),
                user=self.data_user,
                folder=self._premises.data.folder(found.model_dir) if found else None,
                download=group.download,
            )
        return self._preparations[key]


def _by_instance(found: Sequence[Found]) -> dict[str, list[Found]]:
    """Return what belongs together, the oldest first."""
    together: dict[str, list[Found]] = {}
    for each in sorted(found, key=lambda each: each.record.started_at):
        together.setdefault(shared_name(each.record), []).append(each)
    return together


def _forgotten() -> Container:
    raise StartFailed("what it ran is not recorded any more")
