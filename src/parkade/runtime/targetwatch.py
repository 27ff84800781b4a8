"""Looks after loaded target models: deleted and replaced objects, times to live, pins.

Objects come and go without telling anybody: adding a model is putting an object, removing one is
deleting it. So the objects of what is loaded are looked at again and again.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from parkade.domain.errors import ParkadeError
from parkade.domain.targets import target_of
from parkade.runtime.placement import Wanted

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Sequence

    from parkade.domain.targets import TargetSetting
    from parkade.ports.clock import Clock
    from parkade.runtime.placement import Placement
    from parkade.runtime.shelves import Copy
    from parkade.runtime.targetdata import TargetData

_logger = logging.getLogger(__name__)

#: Seconds between two looks at most: a time to live is kept to within this.
_LONGEST_PAUSE = 5.0
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

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            try:
                await self.look()
            except (OSError, ParkadeError) as error:
                # A disk or an object that cannot be read now; what is loaded goes on serving.
                _logger.warning("target models could not be looked after: %s", error)
            # Half of what is allowed: the other half is for loading and unloading.
            pause = self._rules().removed.total_seconds() / 2
            await asyncio.sleep(min(max(pause, _SHORTEST_PAUSE), _LONGEST_PAUSE))

    async def look(self) -> None:
        """Look at every copy once, and act."""
        copies = self._placement.copies()
        etags = await self._data.etags({copy.stored.address for copy in copies})
        works = [self._tend(copy, etags[copy.stored.address]) for copy in copies]
        await asyncio.gather(*works, *self._missing_pins())
        await self._tidy()

    async def _tend(self, copy: Copy, etag: str | None) -> None:
        if etag is None:
            _logger.info("unloading %r: its object is gone", copy.target)
            await self._placement.unload(copy, forget=True)
        elif etag != copy.stored.etag:
            await self._attempt(self._placement.renew(copy), copy.target)
        elif self._is_over(copy):
            _logger.info("unloading %r: nobody has used it for its time to live", copy.target)
            await self._placement.unload(copy)

    def _is_over(self, copy: Copy) -> bool:
        setting = self._of(copy.place.endpoint_name, copy.target)
        if any(copy.in_flight.values()) or (setting is not None and setting.pinned):
            return False
        idle = self._rules().idle if copy.place.caches else self._rules().removed
        if setting is not None and setting.ttl_minutes is not None:
            idle = timedelta(minutes=setting.ttl_minutes)
        return idle is not None and self._clock.now() - copy.used_at >= idle

    def _of(self, endpoint_name: str, target: str) -> TargetSetting | None:
        for setting in self._settings():
            if (setting.endpoint_name, setting.target) == (endpoint_name, target):
                return setting
        return None

    def _missing_pins(self) -> list[Coroutine[None, None, None]]:
        """Load what is pinned and not loaded: a worker that was restarted has lost it."""
        pinned = {(each.endpoint_name, each.target) for each in self._settings() if each.pinned}
        variants = {
            (shelf.place.endpoint_name, shelf.place.variant_name)
            for shelf in self._placement.shelves()
        }
        there = {
            (copy.place.endpoint_name, copy.place.variant_name, copy.target)
            for copy in self._placement.copies()
        }
        return [
            self._attempt(
                self._placement.load(
                    Wanted(endpoint_name=endpoint, variant_name=variant, target=target)
                ),
                target,
            )
            for endpoint, variant in sorted(variants)
            for of, target in sorted(pinned)
            if of == endpoint and (endpoint, variant, target) not in there
        ]

    async def _attempt(self, work: Coroutine[None, None, None], target: str) -> None:
        try:
            await work
        except (ParkadeError, OSError) as error:
            _logger.warning("model %r: %s", target, error)

    async def _tidy(self) -> None:
        """Remove from the disk what belongs to no endpoint any more."""
        prefixes = tuple(self._prefixes())
        for stored in self._data.all():
            if all(target_of(prefix, stored.address) is None for prefix in prefixes):
                await self._data.forget(stored.name)
