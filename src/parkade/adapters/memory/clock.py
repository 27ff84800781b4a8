"""A clock that stands still until it is told to go on."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime, timedelta

_Sleeper = tuple["datetime", asyncio.AbstractEventLoop, "asyncio.Future[None]"]


class ManualClock:
    """The clock port, moved by `set` and `advance` from any thread."""

    def __init__(self, start: datetime) -> None:
        self._now = start
        self._sleepers: list[_Sleeper] = []
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """Return the instant it was last set to."""
        return self._now

    def set(self, instant: datetime) -> None:
        """Move to an instant that is not earlier, and wake whoever waited for it."""
        with self._lock:
            if instant < self._now:
                raise ValueError(f"time does not run back from {self._now} to {instant}")
            self._now = instant
            for wanted, loop, woken in self._sleepers:
                if wanted <= instant:
                    loop.call_soon_threadsafe(_wake, woken)

    def advance(self, span: timedelta) -> None:
        """Move on by a duration."""
        self.set(self._now + span)

    @property
    def sleepers(self) -> tuple[datetime, ...]:
        """The instants that are being waited for, in order."""
        with self._lock:
            return tuple(sorted(wanted for wanted, _, _ in self._sleepers))

    async def sleep_until(self, instant: datetime) -> None:
        """Return once it was moved to `instant` or later."""
        loop = asyncio.get_running_loop()
        sleeper = (instant, loop, loop.create_future())
        with self._lock:
            if self._now >= instant:
                return
            self._sleepers.append(sleeper)
        try:
            await sleeper[2]
        finally:
            with self._lock:
                self._sleepers.remove(sleeper)


def _wake(woken: asyncio.Future[None]) -> None:
    if not woken.done():  # it was cancelled, or time moved twice before it could run
        woken.set_result(None)
