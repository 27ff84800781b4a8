"""Real time, and real time made faster for rehearsals.

A wall clock can be set while we run. `now()` must not run back then, and must not stand still
either: a lease would run unpaid for as long as the clock was set back. So time goes on with the
monotonic clock, a hundredth slower than real, until the wall clock has caught up.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from parkade.ports.clock import Clock

#: How long a sleeper sleeps at most before it looks whether the wall clock was set forward.
_STEP = 0.5
#: Speed while the wall clock is behind: 36 s are lost in an hour, where standing still loses all.
_CATCHING_UP = 0.99
_TICK = timedelta(microseconds=1)


def _wall() -> datetime:
    return datetime.now(UTC)


class SystemClock:
    """The clock port on the machine's clocks. Safe to use from several threads."""

    def __init__(
        self,
        wall: Callable[[], datetime] = _wall,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wall = wall
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._last = wall()
        self._last_tick = monotonic()

    def now(self) -> datetime:
        """Return the wall clock's instant, or a later one while that is set back."""
        with self._lock:
            tick = self._monotonic()
            passed = timedelta(seconds=(tick - self._last_tick) * _CATCHING_UP)
            self._last = max(self._wall(), self._last + passed)
            self._last_tick = tick
            return self._last

    async def sleep_until(self, instant: datetime) -> None:
        """Return once `now()` is `instant` or later, soon after a wall clock set forward."""
        # Who only reads the time, as functions of Lambda do, need not wait for this import.
        import asyncio  # noqa: PLC0415

        # No event tells that a wall clock was set.
        while (left := (instant - self.now()).total_seconds()) > 0:  # noqa: ASYNC110
            await asyncio.sleep(min(left, _STEP))


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Where scaled time began, and how many times as fast as real time it runs."""

    real: datetime
    scaled: datetime
    factor: float

    def at(self, real: datetime) -> datetime:
        """Return the scaled instant at a real one; before the origin, time stands still."""
        return self.scaled + max(real - self.real, timedelta(0)) * self.factor

    def when(self, scaled: datetime) -> datetime:
        """Return the first real instant at which `at` is `scaled` or later."""
        real = self.real + max(scaled - self.scaled, timedelta(0)) / self.factor
        while self.at(real) < scaled:  # the division rounds to whole microseconds
            real += _TICK
        return real

    def rescaled(self, real: datetime, factor: float) -> Scale:
        """Return the scale that goes on from where this one is, at another speed."""
        return Scale(real=max(real, self.real), scaled=self.at(real), factor=factor)


class ScaledClock:
    """The clock port at another speed: the clock of leases under `--time-scale`."""

    def __init__(self, real: Clock, scale: Scale) -> None:
        self._real = real
        self._scale = scale

    def now(self) -> datetime:
        """Return the scaled instant."""
        return self._scale.at(self._real.now())

    async def sleep_until(self, instant: datetime) -> None:
        """Return once `now()` is `instant` or later."""
        await self._real.sleep_until(self._scale.when(instant))
