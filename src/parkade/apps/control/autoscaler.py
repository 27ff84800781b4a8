"""The loop that scales: once a minute of the lease clock, and when something has changed.

A look begins once what was measured in the minute that is over is stored; where nothing can be
stored it begins a minute later, for bounds and scheduled actions hold all the same. All that is
slow is done in a thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeAlias

from parkade.domain.errors import ParkadeError, Unavailable
from parkade.domain.scaling.policy import FINE, MINUTE
from parkade.domain.statistics import begin

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from parkade.ports.capacity import Readiness, Reading
    from parkade.ports.clock import Clock
    from parkade.services.autoscaler import Autoscaler

logger = logging.getLogger(__name__)

#: Seconds of real time between two looks, whatever has changed.
SHORTEST_PAUSE = 0.2
_NEVER = datetime.min.replace(tzinfo=UTC)

#: What tells one state of a capacity from another.
_Mark: TypeAlias = "tuple[Readiness, int, datetime]"


class AutoscalerLoop:
    """Owns the only task that scales."""

    def __init__(self, autoscaler: Autoscaler, clock: Clock) -> None:
        self._autoscaler = autoscaler
        self._clock = clock
        self._loop: asyncio.AbstractEventLoop | None = None
        self._due = asyncio.Event()
        #: The resource ids that are to be looked at; None: all of them.
        self._wanted: set[str] | None = None
        #: Endpoints that requests wait for, and that have no instance.
        self._backlogged: set[str] = set()
        #: How each target was when it was last looked at.
        self._seen: dict[str, _Mark | None] = {}
        #: Whether a look is under way, which may have seen what was before a change.
        self._looking = False
        #: Those with points each 10 s.
        self._fine: frozenset[str] = frozenset()
        self._minute = _NEVER
        self._period = _NEVER

    def stored(self, until: datetime) -> None:
        """Know that all that was measured before an instant is stored."""
        if begin(until, MINUTE) != self._minute:
            self._minute = begin(until, MINUTE)
            self._ask(None)
        elif self._fine and begin(until, FINE) != self._period:
            self._ask(self._fine)
        self._period = begin(until, FINE)

    def changed(self) -> None:
        """Know that something about what is hosted has changed."""
        if self._seen or self._looking:
            self._ask(())

    def registered(self) -> None:
        """Know that something about what is to be scaled has changed."""
        self._ask(None)

    def alarmed(self, resource_ids: Collection[str]) -> None:
        """Know that an alarm that names policies of these has changed; from any thread."""
        loop = self._loop
        if loop is not None and resource_ids:
            with contextlib.suppress(RuntimeError):  # the process is ending
                loop.call_soon_threadsafe(self._ask, tuple(resource_ids))

    def called(self, components: Iterable[str]) -> None:
        """Know that components were called that have no copy."""
        for name in components:
            self._autoscaler.called(name)

    def backlogged(self, endpoint_name: str) -> None:
        """Know that requests wait for an endpoint that has no instance; may be told time and again."""
        if endpoint_name not in self._backlogged:
            self._backlogged.add(endpoint_name)
            self._ask(())

    async def run(self) -> None:
        """Look for ever."""
        self._loop = asyncio.get_running_loop()
        self._ask(None)
        while True:
            await self._pause()
            wanted, self._wanted = self._wanted, set()
            backlogged, self._backlogged = self._backlogged, set()
            self._due.clear()
            self._looking = True
            await self._look(wanted, backlogged)
            self._looking = False
            await asyncio.sleep(SHORTEST_PAUSE)

    async def _pause(self) -> None:
        """Wait until something is due: at the latest when a minute should have been stored."""
        latest = asyncio.create_task(
            self._clock.sleep_until(
                begin(self._clock.now(), MINUTE) + timedelta(seconds=2 * MINUTE)
            )
        )
        due = asyncio.create_task(self._due.wait())
        try:
            await asyncio.wait({latest, due}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            latest.cancel()
            due.cancel()
        if not self._due.is_set():
            self._wanted = None

    async def _look(self, wanted: set[str] | None, backlogged: set[str]) -> None:
        try:
            readings = self._autoscaler.survey()
            marks = {key: _mark(reading) for key, reading in readings.items()}
            if wanted is not None:
                wanted |= {key for key, was in self._seen.items() if marks.get(key) != was}
                named = {key for key, each in readings.items() if each.endpoint_name in backlogged}
                wanted |= named & self._seen.keys()
                if not wanted:
                    return
            thoughts = await asyncio.to_thread(
                self._autoscaler.think, readings, wanted, backlogged=backlogged
            )
        except Unavailable as error:
            logger.info("nothing is scaled yet: %s", error.message)
            return
        except ParkadeError as error:
            # What cannot be read changes nothing; the next look reads it again.
            logger.warning("nothing could be scaled: %s", error.message)
            return
        self._autoscaler.act(thoughts)
        looked_at = {each.target.resource.id for each in thoughts}
        fine = {each.target.resource.id for each in thoughts if each.fine}
        if wanted is None:
            self._seen, self._fine = {}, frozenset()
        self._seen |= {key: marks.get(key) for key in looked_at}
        self._fine = frozenset(self._fine - looked_at | fine)

    def _ask(self, resource_ids: Collection[str] | None) -> None:
        if resource_ids is None:
            self._wanted = None
        elif self._wanted is not None:
            self._wanted |= set(resource_ids)
        self._due.set()


def _mark(reading: Reading) -> _Mark:
    return reading.readiness, reading.desired, reading.changed_at
