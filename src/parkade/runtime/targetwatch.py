"""Looks after loaded target models: deleted and replaced objects, times to live, pins.

Objects come and go without telling anybody: adding a model is putting an object, removing one is
deleting it. So the objects of what is loaded are looked at again and again.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from parkade.domain.errors import ParkadeError
from parkade.domain.targets import target_of
from parkade.runtime.placement import Wanted

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence

    from parkade.domain.targets import TargetSetting
    from parkade.ports.clock import Clock
    from parkade.runtime.placement import Placement
    from parkade.runtime.shelves import Copy
    from parkade.runtime.targetdata import TargetData

Work: TypeAlias = "Callable[[], Coroutine[None, None, None]]"

_logger = logging.getLogger(__name__)

#: Seconds between two looks at most: a time to live is kept to within this.
_LONGEST_PAUSE = 5.0
#: Seconds in which what a look begins is done, unless it goes on behind the next looks.
_WORK_LIMIT = 1.0
#: Seconds between two looks at least.
_SHORTEST_PAUSE = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetRules:
    """How soon what changed is taken up, and how long what is not used stays."""

    #: In which a deleted object's copies go, and a replaced one's are renewed.
    removed: timedelta = timedelta(seconds=10)
    #: None: as long as there is room.
    idle: timedelta | None = None


class TargetWatch:
    """One look after the other, for as long as it runs."""

    def __init__(
        self,
        placement: Placement,
        data: TargetData,
        clock: Clock,
        *,
        rules: Callable[[], TargetRules],
        settings: Callable[[], Sequence[TargetSetting]],
        prefixes: Callable[[], Iterable[str]],
    ) -> None:
        """Take `prefixes` for those of all endpoints' multi-model containers."""
        self._placement = placement
        self._data = data
        self._clock = clock
        self._rules = rules
        self._settings = settings
        self._prefixes = prefixes
        #: What is being done, by what it is about.
        self._works: dict[object, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            try:
                await self.look(limit=_WORK_LIMIT)
            except (OSError, ParkadeError) as error:
                # A disk or an object that cannot be read now; what is loaded goes on serving.
                _logger.warning("target models could not be looked after: %s", error)
            # Half of what is allowed: the other half is for loading and unloading.
            pause = self._rules().removed.total_seconds() / 2
            await asyncio.sleep(min(max(pause, _SHORTEST_PAUSE), _LONGEST_PAUSE))

    async def look(self, *, limit: float | None = None) -> None:
        """Look at every copy once, and act; what takes more than `limit` seconds is not waited for."""
        copies = self._placement.copies()
        etags = await self._data.etags({copy.stored.address for copy in copies})
        settings = {(each.endpoint_name, each.target): each for each in self._settings()}
        for copy in copies:
            setting = settings.get((copy.place.endpoint_name, copy.target))
            work = self._due(copy, etags[copy.stored.address], setting)
            if work is not None:
                self._begin((copy.place.instance_id, copy.target), work)
        for wanted in self._missing(settings):
            self._begin(wanted, partial(self._placement.load, wanted))
        if self._works:
            await asyncio.wait(self._works.values(), timeout=limit)
        await self._tidy()

    def _due(self, copy: Copy, etag: str | None, setting: TargetSetting | None) -> Work | None:
        """Return what is to be done about a copy."""
        if etag is None:
            _logger.info("unloading %r: its object is gone", copy.target)
            return partial(self._placement.unload, copy, forget=True)
        if etag != copy.stored.etag:
            return partial(self._placement.renew, copy)
        if self._is_over(copy, setting):
            _logger.info("unloading %r: nobody has used it for its time to live", copy.target)
            return partial(self._placement.unload, copy)
        return None

    def _is_over(self, copy: Copy, setting: TargetSetting | None) -> bool:
        if any(copy.in_flight.values()) or (setting is not None and setting.pinned):
            return False
        # One that is not to stay goes by itself, unless whoever wanted it has gone before.
        idle = self._rules().idle if copy.place.caches else self._rules().removed
        if setting is not None and setting.ttl_minutes is not None:
            idle = timedelta(minutes=setting.ttl_minutes)
        return idle is not None and self._clock.now() - copy.used_at >= idle

    def _missing(self, settings: Mapping[tuple[str, str], TargetSetting]) -> list[Wanted]:
        """Return what is pinned and not loaded: a worker that was restarted has lost it."""
        variants = {
            (shelf.place.endpoint_name, shelf.place.variant_name)
            for shelf in self._placement.shelves()
        }
        there = {
            (copy.place.endpoint_name, copy.place.variant_name, copy.target)
            for copy in self._placement.copies()
        }
        return [
            Wanted(endpoint_name=endpoint, variant_name=variant, target=target)
            for endpoint, variant in sorted(variants)
            for (of, target), setting in sorted(settings.items(), key=lambda item: item[0])
            if of == endpoint and setting.pinned and (endpoint, variant, target) not in there
        ]

    def _begin(self, key: object, work: Work) -> None:
        """Do the work in the background, unless it is being done."""
        if key not in self._works:
            task = self._works[key] = self._placement.spawn(self._attempt(key, work))
            task.add_done_callback(lambda _: self._works.pop(key))

    async def _attempt(self, key: object, work: Work) -> None:
        try:
            await work()
        except (ParkadeError, OSError) as error:
            _logger.warning("%s: %s", key, error)

    async def _tidy(self) -> None:
        """Remove from the disk what belongs to no endpoint any more."""
        prefixes = tuple(self._prefixes())
        for stored in self._data.all():
            if all(target_of(prefix, stored.address) is None for prefix in prefixes):
                await self._data.forget(stored.name)
