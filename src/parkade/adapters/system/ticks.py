"""The monotonic clock of this machine."""

from __future__ import annotations

import asyncio
import time


class SystemTicks:
    """The ticks port."""

    def now(self) -> float:
        """Return the seconds."""
        return time.perf_counter()

    async def sleep_until(self, tick: float) -> None:
        """Return once `now()` is `tick` or later."""
        await asyncio.sleep(max(0.0, tick - self.now()))
        # A loop may wake a little early, by its own resolution.
        while (left := tick - self.now()) > 0:  # noqa: ASYNC110  no event tells the time
            await asyncio.sleep(left)
