"""Keeps the store of measurements tidy: packs, rolls up and forgets, slice by slice in a thread.

Between two slices others have the store, and the processor, for as long as the slice took.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

from parkade.domain.errors import ParkadeError

if TYPE_CHECKING:
    from parkade.ports.clock import Clock
    from parkade.ports.metrics import MetricStore

logger = logging.getLogger(__name__)

#: Seconds of the lease clock between two looks for what is due, and the least of real time.
INTERVAL, SHORTEST_PAUSE = 120.0, 1.0


class Tidier:
    """Owns the only task that tidies; `scale`: seconds of the lease clock in one of real time."""

    def __init__(self, store: MetricStore, clock: Clock, *, scale: float) -> None:
        self._store = store
        self._clock = clock
        self._pause = max(SHORTEST_PAUSE, INTERVAL / scale)
        #: Why the last attempt failed; empty: it did not.
        self._trouble = ""

    async def run(self) -> None:
        """Tidy until cancelled."""
        while True:
            await asyncio.sleep(self._pause)
            await self.once()

    async def once(self) -> None:
        """Do all that is due; what fails is due again the next time."""
        more = True
        while more:
            begun = time.perf_counter()
            try:
                more = await asyncio.to_thread(self._store.tidy, self._clock.now())
            except ParkadeError as error:
                # Whoever writes to the same store tells people; here it costs room, no data.
                if error.message != self._trouble:
                    logger.warning("measurements are not packed: %s", error.message)
                self._trouble = error.message
                return
            await asyncio.sleep(time.perf_counter() - begun)
        self._trouble = ""
