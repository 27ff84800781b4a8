"""Bookings in a dictionary."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from parkade.domain.errors import NotFound, VersionConflict
from parkade.ports.catalog import Listing

if TYPE_CHECKING:
    from parkade.adapters.memory.purses import MemoryPurses
    from parkade.domain.event import Event
    from parkade.domain.terms import Booking
    from parkade.ports.budgets import Purse
    from parkade.ports.events import History


class MemoryBookingStore:
    """The booking store port. `damage` makes a booking unreadable, as a broken disk would."""

    def __init__(self, history: History, purses: MemoryPurses) -> None:
        self._history = history
        self._purses = purses
        self._bookings: dict[str, Booking] = {}
        self._damaged: dict[str, str] = {}
        self._lock = threading.Lock()

    def damage(self, booking_id: str, why: str) -> None:
        """Make the booking unreadable."""
        with self._lock:
            self._damaged[booking_id] = why

    def all(self) -> Listing[Booking]:
        """Return every booking in the order of their beginning."""
        with self._lock:
            readable = [each for each in self._bookings.values() if each.id not in self._damaged]
            readable.sort(key=lambda each: (each.starts_at, each.endpoint_name, each.id))
            unreadable = {
                name: f"booking {name!r} cannot be read: {why}"
                for name, why in sorted(self._damaged.items())
            }
            return Listing(tuple(readable), unreadable)

    def add(
        self,
        booking: Booking,
        event: Event,
        *,
        beside: frozenset[str],
        purse: Purse | None = None,
    ) -> None:
        """Store the booking unless another came first."""
        with self._lock:
            name = booking.endpoint_name
            if {
                each.id for each in self._bookings.values() if each.endpoint_name == name
            } != beside:
                raise VersionConflict(f"the bookings of {name!r} were changed by somebody else")
            if purse is not None:
                self._purses.spend(purse)
            self._history.append(event)
            self._bookings[booking.id] = booking

    def remove(self, booking_id: str, event: Event) -> None:
        """Remove the booking."""
        with self._lock:
            if self._bookings.pop(booking_id, None) is None:
                raise NotFound(f"there is no booking {booking_id!r}")
            self._damaged.pop(booking_id, None)
            self._history.append(event)
