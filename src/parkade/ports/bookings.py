"""Bookings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from parkade.domain.event import Event
    from parkade.domain.terms import Booking
    from parkade.ports.budgets import Purse
    from parkade.ports.catalog import Listing


class BookingStore(Protocol):
    """Stores bookings by their ids; each write appends its event in the same transaction."""

    def all(self) -> Listing[Booking]:
        """Return every booking in the order of their beginning, and why others cannot be read."""
        ...

    def add(
        self,
        booking: Booking,
        event: Event,
        *,
        beside: frozenset[str],
        purse: Purse | None = None,
    ) -> None:
        """Store a new booking where the others of its endpoint are just those with these ids.

        Raises VersionConflict where one came or went since they were looked at, or where something
        was paid from the purse since it was read.
        """
        ...

    def remove(self, booking_id: str, event: Event) -> None:
        """Remove the booking, damaged or not. Raises NotFound where there is none."""
        ...
