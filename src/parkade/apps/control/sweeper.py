"""The sweep loop: runs when the next lease is due, on every change, and once a minute at least.

The minute is one of the lease clock, so that a rehearsal in fast time is swept as often as a
real day would be, as far as a second of real time between idle sweeps allows.
"""

from __future__ import annotations

import asyncio
import logging
import time
from datetime import timedelta
from typing import TYPE_CHECKING

from parkade.domain.errors import ParkadeError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from parkade.ports.clock import Clock
    from parkade.services.sweep import Sweep, SweepReport

logger = logging.getLogger(__name__)

INTERVAL = timedelta(minutes=1)
#: The shortest pause, in seconds of real time, between two sweeps that nothing asked for.
SHORTEST_PAUSE = 0.02


class Sweeper:
    """Owns the only task that sweeps."""

    def __init__(
        self,
        sweep: Sweep,
        clock: Clock,
        *,
        acted: Callable[[], None],
        measured: Callable[[float, SweepReport | None], None],
    ) -> None:
        """Call `acted` after each sweep that changed, or tried to change, anything.

        `measured` hears of each sweep: its seconds, and its report; None: it could not look.
        """
        self._sweep = sweep
        self._clock = clock
        self._acted = acted
        self._measured = measured
        self._changed = asyncio.Event()

    def nudge(self) -> None:
        """Ask for a sweep now; several asks before it begins are one."""
        self._changed.set()

    async def run(self) -> None:
        """Sweep for ever."""
        while True:
            self._changed.clear()
            await self._pause_until(self._once())

    def _once(self) -> datetime:
        latest = self._clock.now() + INTERVAL
        begun = time.perf_counter()
        try:
            report = self._sweep.run()
        except ParkadeError as error:
            self._measured(time.perf_counter() - begun, None)
            # What cannot be seen is left alone; the next sweep looks again.
            logger.warning("sweep could not look: %s", error.message)
            return latest
        self._measured(time.perf_counter() - begun, report)
        if report.done or report.failed:
            self._acted()
        return min(report.plan.next_at or latest, latest)

    async def _pause_until(self, instant: datetime) -> None:
        due = asyncio.create_task(self._clock.sleep_until(instant))
        changed = asyncio.create_task(self._changed.wait())
        try:
            await asyncio.wait({due, changed}, return_when=asyncio.FIRST_COMPLETED)
            if not changed.done():
                # A due instant that an act did not move must not make the loop spin.
                await asyncio.wait({changed}, timeout=SHORTEST_PAUSE)
        finally:
            due.cancel()
            changed.cancel()
