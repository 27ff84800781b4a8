"""The one source of time for decisions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime


class Clock(Protocol):
    """Tells the instant and waits for one. It may run faster than real time; it never runs back."""

    def now(self) -> datetime:
        """Return the instant, timezone-aware UTC, never earlier than one returned before."""
        ...

    async def sleep_until(self, instant: datetime) -> None:
        """Return once `now()` is `instant` or later; at once where it already is."""
        ...
