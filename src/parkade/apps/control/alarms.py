"""The loop that looks at alarms: in a thread, so that no reading of points holds control up.

It looks when ten seconds of measurements more are stored as a whole, and where they are not, when the
watch takes them for missing.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from parkade.apps.control.monitor.subjects import Subjects
from parkade.domain.errors import ParkadeError
from parkade.domain.statistics import begin
from parkade.services.alarmwatch import SOON

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from parkade.apps.parts.alarms import Alarming
    from parkade.domain.series import Series
    from parkade.ports.clock import Clock
    from parkade.runtime.host import Host

logger = logging.getLogger(__name__)

#: The shortest pause, in seconds of real time, between two looks; for clocks that run fast.
SHORTEST_PAUSE = 0.2
#: The longest, in the same: a look is due every 10 seconds of the lease clock.
LONGEST_PAUSE = 15.0
_PERIOD = int(SOON.total_seconds())


class AlarmLoop:
    """Owns the only task that looks at alarms."""

    def __init__(self, alarms: Alarming, host: Host, clock: Clock) -> None:
        self._alarms = alarms
        self._subjects = Subjects(host)
        self._clock = clock
        self._arrived = asyncio.Event()
        self._period: datetime | None = None

    def stored(self, until: datetime) -> None:
        """Know that all that was measured before an instant is stored."""
        period = begin(until, _PERIOD)
        if period != self._period:
            self._period = period
            self._arrived.set()

    async def run(self) -> None:
        """Look for ever."""
        while True:
            self._arrived.clear()
            due = await asyncio.to_thread(self._look, self._clock.now(), self._series())
            await asyncio.sleep(SHORTEST_PAUSE)
            await self._pause(due)

    async def _pause(self, due: datetime) -> None:
        """Wait until measurements have arrived, or are not waited for any longer."""
        waiting = [
            asyncio.create_task(self._arrived.wait()),
            asyncio.create_task(self._clock.sleep_until(due)),
        ]
        try:
            # Not until then, where the clock was set back meanwhile.
            await asyncio.wait(waiting, timeout=LONGEST_PAUSE, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waiting:
                each.cancel()

    def _look(self, now: datetime, series: Mapping[str, Sequence[Series]] | None) -> datetime:
        try:
            if series is not None:
                self._alarms.idle.follow(series)
        except ParkadeError as error:
            logger.warning("the alarms of watched endpoints stay as they are: %s", error.message)
        try:
            return self._alarms.watch.look(now)
        except ParkadeError as error:
            # What cannot be seen changes no state; the next look sees it.
            logger.warning("alarms could not be looked at: %s", error.message)
            return self._alarms.watch.again(now)

    def _series(self) -> Mapping[str, Sequence[Series]] | None:
        """Return what counts the use of the endpoints in service; None: it is not known now."""
        self._subjects.changed()
        try:
            found = self._subjects.all()
        except ParkadeError:
            return None  # hosting has not started: nothing is said to be gone
        return {
            name: tuple(each.use for each in subjects if not each.shadow)
            for name, subjects in found.items()
            if any(each.serving for each in subjects)
        }
