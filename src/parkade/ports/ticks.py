"""Seconds that only go on, to measure with."""

from __future__ import annotations

from typing import Protocol


class Ticks(Protocol):
    """Seconds of real time since some instant; setting a clock does not change them."""

    def now(self) -> float:
        """Return the seconds, never less than before."""
        ...

    async def sleep_until(self, tick: float) -> None:
        """Return once `now()` is `tick` or later; others have their turn even where it already is."""
        ...
